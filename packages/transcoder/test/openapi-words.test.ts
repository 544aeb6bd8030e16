import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type OpenApiDocument, type OpenApiOptions, openApiOf } from "../src/openapi.ts";
import { protoDir } from "./library.ts";
import { checkerOf, faultsOf } from "./openapi-check.ts";

const info = { title: "Words", version: "1" };
const dir = mkdtempSync(join(tmpdir(), "openapi-"));
afterAll(() => rmSync(dir, { recursive: true }));

/** The document of one file. */
function described(text: string, options: Partial<OpenApiOptions> = {}): OpenApiDocument {
  writeFileSync(join(dir, "a.proto"), text);
  return openApiOf([dir], { info, ...options });
}

const commented = `
  syntax = "proto3";
  package c.v1;
  import "google/api/annotations.proto";
  import "google/protobuf/descriptor.proto";
  extend google.protobuf.MethodOptions { string role = 50001; }
  extend google.protobuf.FieldOptions { bool must = 50002; int32 longest = 50003; }
  // What stands on the shelves.
  service Shelves {
    // Take a thing, version 1.6 of it. Only one at a time.
    //
    // NOT_FOUND if there is none, or page_size is odd; ABORTED if somebody else was first. FAILED_PRECONDITION while it is lent.
    rpc Take(TakeRequest) returns (Thing) {
      option (role) = "reader";
      option (google.api.http) = {post: "/things/{thing.id}:take" body: "thing"};
    }
    rpc Leave(TakeRequest) returns (Thing) {
      option (google.api.http) = {post: "/things" body: "*"};
    }
  }
  message TakeRequest {
    Thing thing = 1 [(must) = true];
    // How many.
    int32 page_size = 2;
  }
  // A thing.
  // It lies around.
  message Thing {
    string id = 1 [(must) = true, (longest) = 5];
    Kind kind = 2; // What it is.
    Thing inside = 3;
    enum Kind {
      KIND_UNSPECIFIED = 0;
      // It holds
      // others.
      BOX = 1;
    }
  }`;

test("comments are its words", () => {
  const document = described(commented);
  expect(document.tags).toEqual([{ name: "Shelves", description: "What stands on the shelves." }]);
  const take = document.paths["/things/{thing.id}:take"]?.post;
  expect(take).toMatchObject({
    operationId: "Shelves_Take",
    tags: ["Shelves"],
    summary: "Take a thing, version 1.6 of it",
    description:
      "Only one at a time.\n\nNOT_FOUND if there is none, or pageSize is odd; ABORTED if somebody else was first. FAILED_PRECONDITION while it is lent.",
    responses: {
      "200": { description: "A thing" },
      "400": { description: "`FAILED_PRECONDITION` while it is lent" },
      "404": { description: "`NOT_FOUND` if there is none, or pageSize is odd" },
      "409": { description: "`ABORTED` if somebody else was first" },
      default: { $ref: "#/components/responses/Error" },
    },
  });
  expect(Object.keys(take?.responses ?? {})).toHaveLength(5);
  expect(take?.parameters?.[1]).toMatchObject({ name: "pageSize", description: "How many." });
  const { "c.v1.Thing": thing, "c.v1.Thing.Kind": kind } = document.components.schemas;
  expect(thing).toMatchObject({
    description: "A thing.\nIt lies around.",
    properties: { kind: { description: "What it is." }, inside: { $ref: "#/components/schemas/c.v1.Thing" } },
  });
  expect(kind).toMatchObject({ title: "Thing.Kind", enum: ["KIND_UNSPECIFIED", "BOX"], description: "- `BOX`: It holds others." });
});

test("a project's own options are rules, and say who may call", async () => {
  const document = described(commented, {
    securitySchemes: { key: { type: "apiKey", in: "header", name: "x-key" } },
    rpc: (options) =>
      "(role)" in options
        ? { security: [{ key: [] }], description: "Readers may.", failures: { UNAUTHENTICATED: "without a key" } }
        : { security: [] },
    field: (options) => ({
      required: options["(must)"] === true,
      keywords: options["(longest)"] === undefined ? {} : { maxLength: options["(longest)"] },
    }),
  });
  expect(await faultsOf(document)).toBeUndefined();
  const take = document.paths["/things/{thing.id}:take"]?.post;
  expect(take?.security).toEqual([{ key: [] }]);
  expect(take?.description?.endsWith("\n\nReaders may.")).toBe(true);
  expect(take?.responses["401"]).toMatchObject({ description: "`UNAUTHENTICATED` without a key" });
  expect(document.paths["/things"]?.post?.security).toEqual([]);
  expect(take?.parameters?.[0]?.schema).toEqual({ type: "string", maxLength: 5 });
  expect(take?.requestBody).toMatchObject({ required: true });
  // The path has the id, so that the body need not.
  expect(take?.requestBody?.content["application/json"]?.schema?.required).toBeUndefined();
  const check = checkerOf(document);
  const steps = ["paths", "/things", "post", "requestBody", "content", "application/json", "schema"];
  expect(check({ thing: { id: "five5" } }, ...steps)).toEqual([]);
  expect(check({ thing: { id: "sixsix" } }, ...steps)).toEqual(["/thing/id must NOT have more than 5 characters"]);
  expect(check({ thing: {} }, ...steps)).toEqual(["/thing must have required property 'id'"]);
  expect(check({}, ...steps)).toEqual([" must have required property 'thing'"]);
});

test("templates that only OpenAPI takes for one have a place each", async () => {
  const document = described(
    `
    syntax = "proto3";
    package t.v1;
    import "google/api/annotations.proto";
    message Ask { string id = 1; repeated int32 numbers = 2; string other = 3; }
    service S {
      rpc One(Ask) returns (Ask) { option (google.api.http) = {get: "/a/{id}"}; }
      rpc All(Ask) returns (Ask) { option (google.api.http) = {get: "/a/{other=**}"}; }
      rpc Set(Ask) returns (Ask) { option (google.api.http) = {put: "/a/{other}" body: "*"}; }
      rpc List(Ask) returns (Ask) { option (google.api.http) = {get: "/b/{numbers}/*/{other=c%20d/**}:go"}; }
    }`,
  );
  expect(await faultsOf(document)).toBeUndefined();
  expect(Object.keys(document.paths)).toEqual(["/a/{id}", "/b/{numbers}/{segment}/c%20d/{other}:go"]);
  const { get, put, "x-additional-operations": others } = document.paths["/a/{id}"] ?? {};
  expect([get?.operationId, put?.operationId, Object.keys(others ?? {})]).toEqual(["S_One", "S_Set", ["GET /a/{other=**}"]]);
  // The first to come names the parameter.
  expect(put?.parameters).toMatchObject([{ name: "id", in: "path" }]);
  expect(Object.keys(put?.requestBody?.content["application/json"]?.schema?.properties ?? {})).toEqual(["id", "numbers"]);
  const list = document.paths["/b/{numbers}/{segment}/c%20d/{other}:go"]?.get?.parameters;
  expect(list?.[0]).toMatchObject({ name: "numbers", schema: { type: "array" } });
  expect(list?.[2]).toMatchObject({ name: "other", description: "Stands in `c d/**`, which becomes `other`. May hold slashes." });
});

test("a message with an etag has versions", () => {
  const { paths } = described(`
    syntax = "proto3";
    package e.v1;
    import "google/api/annotations.proto";
    message Thing { string id = 1; string etag = 2; }
    message Get { string id = 1; }
    message Set { Thing thing = 1; }
    message Got { Thing thing = 1; }
    service S {
      rpc One(Get) returns (Got) { option (google.api.http) = {get: "/t/{id}" response_body: "thing"}; }
      rpc Put(Set) returns (Thing) { option (google.api.http) = {put: "/t/{thing.id}" body: "thing"}; }
      rpc End(Get) returns (Got) { option (google.api.http) = {delete: "/t/{id}"}; }
    }`);
  const { get, put, delete: end } = paths["/t/{id}"] ?? {};
  const seen = [get, put, end].map((operation) => {
    const answer = operation?.responses["200"];
    const headers = answer !== undefined && "headers" in answer ? Object.keys(answer.headers ?? {}) : [];
    return [operation?.parameters?.map(({ name }) => name), headers, Object.keys(operation?.responses ?? {})];
  });
  expect(seen).toEqual([
    [["id", "If-None-Match"], ["ETag"], ["200", "304", "default"]],
    [["id", "If-Match"], ["ETag"], ["200", "412", "default"]],
    [["id"], [], ["200", "default"]],
  ]);
});

test("routes of the application's own win", () => {
  const own = { operationId: "own", responses: { "200": { description: "OK" } } };
  const { paths } = openApiOf([protoDir], { info, paths: { "/v1/titles": { get: own }, "/health": { get: own } } });
  expect([paths["/v1/titles"]?.get, paths["/health"]?.get]).toEqual([own, own]);
});
