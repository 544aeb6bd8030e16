import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type OpenApiDocument, type OpenApiOptions, openApiOf } from "../src/openapi.ts";
import { routesOf } from "../src/plugin.ts";
import { Library, protoDir } from "./library.ts";
import { checkerOf, faultsOf, routesIn, withoutNames } from "./openapi-check.ts";

const info = { title: "Library", version: "1" };
const library = openApiOf([protoDir], { info });
const service = new Library();
const dir = mkdtempSync(join(tmpdir(), "openapi-"));
beforeAll(() => service.start());
afterAll(async () => {
  await service.stop();
  rmSync(dir, { recursive: true });
});

/** The document of one file. */
function described(text: string, options: Partial<OpenApiOptions> = {}): OpenApiDocument {
  writeFileSync(join(dir, "a.proto"), text);
  return openApiOf([dir], { info, ...options });
}

test("a standard validator accepts it, and the same protos give the same", async () => {
  expect(await faultsOf(library)).toBeUndefined();
  expect(JSON.stringify(openApiOf([protoDir], { info }))).toBe(JSON.stringify(library));
  expect(await faultsOf({ ...library, paths: { "no/slash": {} } })).toBeDefined();
});

test("every binding is in it once, and nothing else is", () => {
  const routes = routesOf([protoDir]).map(withoutNames);
  expect(routesIn(library).sort()).toEqual(routes.sort());
  expect(routes).toContain("PURGE /v1/caches/{} -> library.v1.LibraryService/Purge");
  expect(Object.keys(library.paths["/v1/anything/{id}"] ?? {})).toEqual(["x-additional-operations"]);
  const ids = Object.values(library.paths).flatMap(({ "x-additional-operations": more = {}, ...item }) =>
    [...Object.values(item), ...Object.values(more)].map(({ operationId }) => operationId),
  );
  expect(new Set(ids).size).toBe(ids.length);
});

const parametersOf = (path: string, method: "get" | "post" | "patch" | "put" | "delete", document = library) =>
  (document.paths[path]?.[method]?.parameters ?? []).map(({ name, in: place }) => `${place} ${name}`);

test.each([
  ["/v1/books/{id}", "get", ["path id", "query name", "query shelf.room", "query shelf.row"]],
  [
    "/v1/rooms/{name.rooms}/books/{name.books}",
    "get",
    ["path name.rooms", "path name.books", "query id", "query shelf.room", "query shelf.row"],
  ],
  ["/v1/rooms/{shelf.room}/rows/{shelf.row}/books/{id}", "get", ["path shelf.room", "path shelf.row", "path id", "query name"]],
  ["/v1/books", "post", ["query requestId"]],
  ["/v1/books/{id}", "patch", ["path id", "query updateMask"]],
  ["/v1/books/{id}:lend", "post", ["path id"]],
  ["/v1/files/{path}", "put", ["path path", "query overwrite"]],
  ["/v1/titles:sort", "post", []],
] as const)("%s %s takes what neither path nor body fill from the query", (path, method, parameters) => {
  expect(parametersOf(path, method)).toEqual(parameters);
});

test("a parameter in the query has the type of its field; maps and lists of messages have none there", () => {
  const parameters = library.paths["/v1/books"]?.get?.parameters ?? [];
  expect(parameters.map(({ name }) => name)).toEqual(
    "pageSize pageToken authors genre filter.publishedAfter filter.row filter.genres filter.shelf.room filter.shelf.row filter.author filter.publisher lent since digest rows".split(
      " ",
    ),
  );
  const schemaOf = (name: string) => parameters.find((parameter) => parameter.name === name)?.schema;
  expect(schemaOf("authors")).toEqual({ type: "array", items: { type: "string" } });
  expect(schemaOf("genre")).toEqual({ $ref: "#/components/schemas/library.v1.Genre" });
  expect(schemaOf("filter.publishedAfter")).toEqual({ type: "string", format: "date-time" });
  expect(schemaOf("filter.row")).toMatchObject({ type: "integer", format: "int32" });
  expect(schemaOf("since")).toMatchObject({ type: "string", format: "int64" });
  const everything = library.paths["/v1/echo"]?.get?.parameters ?? [];
  expect(everything.find(({ name }) => name === "struct")).toMatchObject({
    content: { "application/json": { schema: { type: "object" } } },
  });
});

test("what the path fills is not in the body", () => {
  const bodyOf = (path: string, method: "post" | "patch") =>
    library.paths[path]?.[method]?.requestBody?.content["application/json"]?.schema;
  expect(Object.keys(bodyOf("/v1/books/{id}:lend", "post")?.properties ?? {})).toEqual(["reader", "days"]);
  expect(Object.keys(bodyOf("/v1/books/{id}", "patch")?.properties ?? {})).not.toContain("id");
  expect(bodyOf("/v1/books", "post")).toEqual({ $ref: "#/components/schemas/library.v1.Book" });
  expect(bodyOf("/v1/titles:sort", "post")).toEqual({ type: "array", items: { type: "string" } });
  expect(library.paths["/v1/books"]?.get?.requestBody).toBeUndefined();
});

test("bytes as they are, and streams", () => {
  expect(library.paths["/v1/files/{path}"]?.get?.responses["200"]).toMatchObject({ content: { "*/*": {} } });
  expect(library.paths["/v1/files/{path}"]?.put?.requestBody?.content).toEqual({ "*/*": {} });
  expect(library.paths["/v1/files/{path}"]?.get?.parameters?.[0]).toMatchObject({ name: "path", "x-multi-segment": true });
  const item = { $ref: "#/components/schemas/library.v1.BookEvent" };
  expect(library.paths["/v1/books:watch"]?.get?.responses["200"]).toMatchObject({
    content: { "text/event-stream": { "x-item-schema": item }, "application/x-ndjson": { "x-item-schema": item } },
  });
});

const full = {
  aDouble: "NaN",
  aFloat: 1.5,
  anInt32: -1,
  aUint32: 4_294_967_295,
  anInt64: "-9223372036854775808",
  aUint64: "18446744073709551615",
  someBytes: "AQI=",
  anEnum: "GENRE_POEM",
  aMessage: { aString: "within" },
  otherName: "renamed",
  int32Map: { "-1": { room: "r" } },
  boolMap: { true: "GENRE_NOVEL" },
  uint64Map: { "1": "AA==" },
  valueMap: { a: [null, 1, { b: "c" }] },
  choiceMessage: { room: "r" },
  timestamp: "2026-01-31T12:00:00.5Z",
  duration: "-1.5s",
  fieldMask: "aDouble,aMessage.aFloat",
  struct: { a: [1] },
  value: null,
  listValue: [1, "a"],
  any: { "@type": "type.googleapis.com/library.v1.Shelf", room: "r", row: 0, above: { room: "", row: 0 } },
  nullValue: null,
  timestamps: ["0001-01-01T00:00:00Z"],
  doubleValue: "Infinity",
  int64Value: "1",
  boolValue: false,
  bytesValue: "",
};

test("real answers of every type are as the schemas say", async () => {
  const check = checkerOf(library);
  service.answers.set("Echo", (call, done) => done(null, call.request));
  for (const body of [{}, full]) {
    const answer = await service.call("POST", "/v1/echo", body);
    expect([answer.status, check(answer.json(), "components", "schemas", "library.v1.Everything")]).toEqual([200, []]);
  }
  const refused = await service.call("POST", "/v1/echo", { anInt32: "x", nope: 1 });
  expect([refused.status, check(refused.json(), "components", "schemas", "Error")]).toEqual([400, []]);
});

test.each([
  [{ anInt32: 2_147_483_648 }, ["/anInt32 must be <= 2147483647"]],
  [{ anInt64: 5 }, ["/anInt64 must be string"]],
  [{ aBool: "true" }, ["/aBool must be boolean"]],
  [{ anEnum: "GENRE_DRAMA" }, ["/anEnum must be equal to one of the allowed values"]],
  [{ boolMap: { yes: "GENRE_NOVEL" } }, ["/boolMap must be equal to one of the allowed values", "/boolMap property name must be valid"]],
  [{ choiceString: "a", choiceInt32: 1 }, expect.arrayContaining([" must match exactly one schema in oneOf"])],
  [{ duration: "PT1S" }, ['/duration must match pattern "^-?[0-9]{1,12}(\\.[0-9]{1,9})?s$"']],
  [{ nope: 1 }, [" must NOT have additional properties"]],
])("%j is not an Everything", (value, faults) => {
  expect(checkerOf(library)(value, "components", "schemas", "library.v1.Everything")).toEqual(faults);
});

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
