import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeLogger } from "@chargemesh/kit/log";
import { Stack } from "@chargemesh/kit/main";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readConfig } from "../src/config.ts";
import { start } from "../src/start.ts";
import { ForeignService, foreignDir } from "./foreign-service.ts";

// The gateway as somebody else would run it: protos of another house, and settings.

const services = [new ForeignService(), new ForeignService()] as const;
const [service, replica] = services;
const log = makeLogger("test", "silent");
const stack = new Stack();
let ports: number[] = [];
let url = "";

const run = async (settings: Record<string, string>) =>
  `http://${(await start(readConfig({ GATEWAY_ADDRESS: "127.0.0.1:0", PROTO_DIRS: foreignDir, ...settings }), stack, log)).address}`;

beforeAll(async () => {
  for (const one of services) stack.defer("service", () => one.stop());
  ports = await Promise.all(services.map((one) => one.start()));
  url = await run({ UPSTREAMS: `acme.shop.v1=127.0.0.1:${ports[0]}` });
});
afterAll(() => stack.close(log));

async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const type = body === undefined ? {} : { "content-type": "application/json" };
  const sent = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  const response = await fetch(url + path, { method, headers: { ...type, ...headers }, ...(sent !== undefined && { body: sent }) });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

test.each([
  ["a field under both of its names", "POST", "/v1/deep/n?other-name=x&renamed=y", {}, 400, undefined],
  [
    "every kind of scalar, an enum, a time and a wrapper in the path",
    "POST",
    "/v1/everything/0.5/-1e3/-9223372036854775808/separator/true/prefix/a%20b/n%2Fx/ONE/2026-01-31T12:00:00Z/w?other-name=x&durationValue=1.5s",
    undefined,
    200,
    [
      "Create",
      {
        float_value: 0.5,
        double_value: -1000,
        int64_value: "-9223372036854775808",
        bool_value: true,
        uuid: "prefix/a b",
        nonConventionalNameValue: "n/x",
        enum_value: "ONE",
        timestamp_value: { seconds: "1769860800" },
        wrapped: { value: "w" },
        renamed: "x",
        duration_value: { seconds: "1", nanos: 500_000_000 },
      },
    ],
  ],
  [
    "maps, a oneof, Struct, Any and nested messages in the body",
    "POST",
    "/v1/everything",
    {
      mapValue: { a: "ONE", b: 0 },
      mappedNestedValue: { "-7": { name: "n", ok: "TRUE", children: { c: { amount: 1 } } } },
      oneofNested: { name: "one" },
      structValue: { list: [1, null] },
      anyValue: { "@type": "type.googleapis.com/acme.shop.v1.Book", title: "T" },
      optionalStringValue: "",
    },
    200,
    [
      "CreateBody",
      expect.objectContaining({
        map_value: { a: "ONE", b: "ZERO" },
        oneof_nested: { name: "one" },
        optional_string_value: "",
        any_value: expect.objectContaining({ type_url: "type.googleapis.com/acme.shop.v1.Book" }),
      }),
    ],
  ],
  [
    "nested messages, repeated fields and a oneof in the query",
    "GET",
    "/v1/everything/u1?singleNested.name=n&singleNested.ok=1&repeatedStringValue=a&repeatedStringValue=b&repeatedEnumValue=ONE&oneofString=o",
    undefined,
    200,
    [
      "Lookup",
      {
        uuid: "u1",
        single_nested: { name: "n", ok: "TRUE" },
        repeated_string_value: ["a", "b"],
        repeated_enum_value: ["ONE"],
        oneof_string: "o",
      },
    ],
  ],
  [
    "lists in the path",
    "GET",
    "/v1/repeated/0.5,2/1,-2/true,false/a%2Cb,%2F,/_w==,AA/ONE,0",
    undefined,
    200,
    [
      "EchoRepeated",
      {
        floats: [0.5, 2],
        int64s: ["1", "-2"],
        bools: [true, false],
        strings: ["a,b", "/", ""],
        bytes_values: [Buffer.from([255]), Buffer.from([0])],
        enums: ["ONE", "ZERO"],
      },
    ],
  ],
  ["a list with a wrong element", "GET", "/v1/repeated/0.5/1,x/true/a/AA/ONE", undefined, 400, undefined],
  [
    "an enum of a nested message in the path",
    "GET",
    "/v1/deep/n/TRUE",
    undefined,
    200,
    ["DeepPath", { single_nested: { name: "n", ok: "TRUE" } }],
  ],
  ["an enum by number, and a verb", "GET", "/v3/1:check", undefined, 200, ["CheckEnum", { enum_value: "ONE" }]],
  ["an enum that is none", "GET", "/v3/TWO:check", undefined, 400, undefined],
  ["the first binding", "PUT", "/v2/everything/u1", { boolValue: true }, 200, ["Update", { everything: { uuid: "u1", bool_value: true } }]],
  [
    "the second of a list of bindings",
    "PATCH",
    "/v2/everything/u1",
    { boolValue: true, singleNested: { amount: 2 } },
    200,
    [
      "Update",
      {
        everything: { uuid: "u1", bool_value: true, single_nested: { amount: 2 } },
        update_mask: { paths: ["bool_value", "single_nested.amount"] },
      },
    ],
  ],
  [
    "the last of a list of bindings",
    "PATCH",
    "/v2a/everything/u1",
    { everything: { boolValue: true }, updateMask: "boolValue" },
    200,
    ["Update", { everything: { uuid: "u1", bool_value: true }, update_mask: { paths: ["bool_value"] } }],
  ],
  [
    "a resource name in the path, the resource in the body, its id in the query",
    "POST",
    "/v1/publishers/p%2F1/books?bookId=b1",
    { title: "T" },
    200,
    ["CreateBook", { parent: "publishers/p%2F1", book: { title: "T" }, book_id: "b1" }],
  ],
])("%s", async (_, method, path, body, status, message) => {
  const before = service.asked.length;
  if (path.startsWith("/v1/publishers")) service.answers.set("CreateBook", { name: "b1" });
  const answer = await call(method, path, body);
  expect(answer.status, answer.text).toBe(status);
  if (message === undefined) expect(service.asked.length).toBe(before);
  else expect(service.asked.at(-1)?.slice(0, 2)).toEqual(message);
});

test("what comes back is the JSON of proto3, whatever the names are", async () => {
  const { text } = await call("POST", "/v1/everything", {
    "other-name": "r",
    nonConventionalNameValue: "n",
    mapValue: { a: 1 },
    bytesValue: "-_8",
  });
  expect(JSON.parse(text)).toMatchObject({ "other-name": "r", nonConventionalNameValue: "n", mapValue: { a: "ONE" }, bytesValue: "+/8=" });
  const nested = await call("POST", "/v1/deep/n", { amount: 3 });
  expect(JSON.parse(nested.text)).toEqual({ name: "n", amount: 3, ok: "FALSE", children: {} });
});

test("a response body that is a list, and one that is a number", async () => {
  service.answers.set("ListBooks", { books: [{ name: "b1" }] });
  expect((await call("GET", "/v1/publishers/p1/books:list")).text).toBe('[{"name":"b1","title":"","etag":""}]');
  service.answers.set("Upload", { count: 3 });
  const uploaded = await call("PUT", "/v1/files/a/b.bin", "abc", { "content-type": "image/png" });
  expect([uploaded.status, uploaded.text]).toEqual([200, "3"]);
  expect(service.asked.at(-1)?.[1]).toEqual({ name: "a/b.bin", file: { content_type: "image/png", data: Buffer.from("abc") } });
});

test("google.api.HttpBody is what it says it is", async () => {
  service.answers.set("Download", { content_type: "text/csv", data: Buffer.from("a,b\n") });
  const { headers, text } = await call("GET", "/v1/files/a/b.csv");
  expect([headers.get("content-type"), text]).toEqual(["text/csv", "a,b\n"]);
  expect(headers.get("content-security-policy")).toBe("default-src 'none'; frame-ancestors 'none'");
});

test("a page of theirs may have styles and forms, and runs and fetches nothing", async () => {
  service.answers.set("Download", { content_type: "text/html; charset=utf-8", data: Buffer.from("<!DOCTYPE html><p style='color:red'>") });
  const { headers, text } = await call("GET", "/v1/files/a/page");
  expect([headers.get("content-type"), text]).toEqual(["text/html; charset=utf-8", "<!DOCTYPE html><p style='color:red'>"]);
  expect(headers.get("content-security-policy")).toBe(
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  );
  expect(headers.get("x-content-type-options")).toBe("nosniff");
});

test("paths that we would use for ourselves are theirs", async () => {
  const dir = await mkdtemp(join(tmpdir(), "chargemesh-protos-"));
  stack.defer("protos", () => rm(dir, { recursive: true }));
  await writeFile(
    join(dir, "docs.proto"),
    `syntax = "proto3"; package acme.shop.v1; import "google/api/annotations.proto";
    service ShopService { rpc Find(Doc) returns (Doc) { option (google.api.http) = { get: "/docs/{id}" }; } }
    message Doc { string id = 1; }`,
  );
  const other = await run({ PROTO_DIRS: dir, UPSTREAMS: `acme.shop.v1=127.0.0.1:${ports[0]}` });
  // It is the protos' own: their service knows no such rpc, while nobody here knows /openapi.json.
  const statuses = await Promise.all(["/docs/main.js", "/openapi.json"].map(async (path) => (await fetch(other + path)).status));
  expect(statuses).toEqual([501, 404]);
});

test("a stream is events or lines", async () => {
  const book = (name: string) => `{"name":"${name}","title":"","etag":""}`;
  expect((await call("GET", "/v1/stream?count=2")).text).toBe(`: open\n\ndata: ${book("b0")}\n\ndata: ${book("b1")}\n\n`);
  const { headers, text } = await call("GET", "/v1/stream?count=2", undefined, { accept: "application/x-ndjson" });
  expect([headers.get("content-type"), text]).toEqual(["application/x-ndjson", `\n${book("b0")}\n${book("b1")}\n`]);
});

test("nothing of our own house is there", async () => {
  for (const path of ["/health", "/auth/me", "/ocpp/chargers", "/ocpp/ws/CP-1"]) expect((await call("GET", path)).status, path).toBe(404);
});

test("calls go to all replicas of a service, by name or address, and to those that are left", async () => {
  const spread = await run({
    UPSTREAMS: `*=127.0.0.1:1, acme.shop.v1.ShopService=localhost:${ports[0]}|127.0.0.1:${ports[1]}|127.0.0.1:1`,
  });
  const counts = () => services.map(({ asked }) => asked.length);
  const before = counts();
  const ask = async () => (await fetch(`${spread}/v3/ONE:check`)).status;
  while (counts().some((count, index) => count < (before[index] ?? 0) + 3)) expect(await ask()).toBe(200);
  replica.stop();
  const statuses = [];
  for (let index = 0; index < 20; index++) statuses.push(await ask());
  expect(statuses.slice(-10)).toEqual(Array.from({ length: 10 }, () => 200));
});

test.each([
  [{ UPSTREAMS: "" }, "UPSTREAMS is required"],
  [{ UPSTREAMS: "acme.shop.v1" }, 'UPSTREAMS must be package.or.Service=host:port|host:port,…, and "acme.shop.v1" is not'],
  [{ UPSTREAMS: "acme.shop.v1=localhost" }, '"acme.shop.v1=localhost" is not'],
  [{ UPSTREAMS: "acme.shop.v1=a:1|b" }, '"acme.shop.v1=a:1|b" is not'],
  [{ UPSTREAMS: "other.v1=127.0.0.1:1" }, "acme/shop/v1/shop.proto: acme.shop.v1.ShopService.Create: no upstream is given"],
  [{ UPSTREAMS: "*=127.0.0.1:1", PROTO_DIRS: "/nowhere:/nor/here" }, "No .proto file in /nowhere, /nor/here."],
])("%o stops the start", async (settings, reason) => {
  await expect(async () => run(settings)).rejects.toThrow(reason);
});
