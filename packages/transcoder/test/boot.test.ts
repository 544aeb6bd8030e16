import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import Fastify from "fastify";
import { afterEach, expect, test } from "vitest";
import { routesOf, transcoder } from "../src/plugin.ts";

const dirs: string[] = [];
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true });
});

function protos(files: Record<string, string>): string {
  const dir = mkdtempSync(join(tmpdir(), "transcoder-"));
  dirs.push(dir);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
  return dir;
}

/** A file with one rpc a rule. */
function service(...rules: string[]): string {
  const rpcs = rules.map((rule, index) => `rpc R${index}(Ask) returns (Say) { option (google.api.http) = { ${rule} }; }`);
  return `
    syntax = "proto3";
    package p.v1;
    import "google/api/annotations.proto";
    message Ask { string id = 1; Ask inner = 2; repeated string list = 3; map<string, string> map = 4; int32 number = 5; repeated Ask inners = 6; }
    message Say { string text = 1; }
    service S { ${rpcs.join("\n")} }`;
}

test.each([
  ['get: "books"', 'the path "books": must begin with /'],
  ['get: "/{nope}"', "{nope} is not a field of p.v1.Ask"],
  ['get: "/{inner.nope}"', "{inner.nope} is not a field of p.v1.Ask"],
  ['get: "/{inner}"', "{inner} is a map or a message, and has no form in a path"],
  ['get: "/{inners}"', "{inners} is a map or a message, and has no form in a path"],
  ['get: "/{map}"', "{map} is a map or a message, and has no form in a path"],
  ['get: "/{id}/{id}"', 'the path "/{id}/{id}": id is bound twice'],
  ['get: "/**/a"', 'the path "/**/a": ** must be the last segment'],
  ['get: "/{id=**}/a"', 'the path "/{id=**}/a": ** must be the last segment'],
  ['get: "/{id=a/{number}}"', 'the path "/{id=a/{number}}": variables may not stand in one another, and braces come in pairs'],
  ['get: "/{id"', 'the path "/{id": a { is not closed'],
  ['get: "/a//b"', 'the path "/a//b": a segment is empty'],
  ['get: "/x{id}"', 'the path "/x{id}": x{id} is not a segment'],
  ['get: "/{1d}"', 'the path "/{1d}": {1d} does not name a field'],
  ['get: "/a:{id}"', 'the path "/a:{id}": a:{id} is not a segment'],
  ['get: "/a" post: "/b"', "google.api.http needs one of get, put, post, delete, patch and custom"],
  ['body: "*"', "google.api.http needs one of get, put, post, delete, patch and custom"],
  ['get: "/a" body: "*"', "GET has no body"],
  ['post: "/a" body: "nope"', "body: p.v1.Ask has no field nope"],
  ['post: "/{id}" body: "id"', "id is both in the path and the body"],
  ['get: "/a" response_body: "nope"', "response_body: p.v1.Say has no field nope"],
  ['get: "/a" nope: "x"', "google.api.http has no field nope"],
  ['custom { kind: "SHOUT" path: "/a" }', 'Node knows no HTTP method "SHOUT"'],
  ['get: "/a" additional_bindings { get: "/b" additional_bindings { get: "/c" } }', "additional_bindings may not be nested"],
])("{ %s } stops the start, naming file and rpc", (rule, reason) => {
  const dir = protos({ "p/v1/s.proto": service(rule) });
  expect(() => routesOf([dir])).toThrow(`p/v1/s.proto: p.v1.S.R0: ${reason}`);
});

test.each([
  ['get: "/a/{id}"', 'get: "/a/{number}"'],
  ['get: "/a/{id}"', 'get: "/{id=a/*}"'],
  ['get: "/a/{id=**}:go"', 'get: "/a/**:go"'],
  ['custom { kind: "*" path: "/a" }', 'custom { kind: "*" path: "/a" }'],
])("{ %s } and { %s } are ambiguous", (first, second) => {
  const dir = protos({ "p/v1/s.proto": service(first, second) });
  expect(() => routesOf([dir])).toThrow(/^p\/v1\/s\.proto: p\.v1\.S\.R1: .* matches what p\.v1\.S\.R0 \(p\/v1\/s\.proto\) has as /);
});

test.each([
  ['get: "/a/{id}"', 'get: "/a/{id}:go"'],
  ['get: "/a/{id}"', 'post: "/a/{id}"'],
  ['get: "/a/{id}"', 'get: "/a/b"'],
  ['get: "/a/{id=**}"', 'get: "/a/{id}"'],
  ['get: "/a"', 'custom { kind: "*" path: "/a" }'],
])("{ %s } and { %s } live side by side", (first, second) => {
  const dir = protos({ "p/v1/s.proto": service(first, second) });
  expect(routesOf([dir])).toHaveLength(2);
});

test.each([
  ["blocks", 'get: "/a" additional_bindings { get: "/b" } additional_bindings { post: "/c" body: "*" }'],
  ["a list", 'get: "/a" additional_bindings: [{ get: "/b" }, { post: "/c", body: "*" }]'],
  ["a list of one and a block", 'get: "/a"; additional_bindings: [{ get: "/b" }]; additional_bindings: { post: "/c" body: "*" };'],
])("additional bindings may be %s", (_, rule) => {
  expect(routesOf([protos({ "s.proto": service(rule) })])).toEqual(["GET /a -> p.v1.S/R0", "GET /b -> p.v1.S/R0", "POST /c -> p.v1.S/R0"]);
});

test("an option may be written field by field, and with a leading dot", () => {
  const text = service('get: "/a"', 'get: "/b"')
    .replace('(google.api.http) = { get: "/a" }', '(google.api.http).put = "/c/{id}"; option (google.api.http).body = "inner"')
    .replace("(google.api.http) =", "(.google.api.http) =");
  expect(routesOf([protos({ "s.proto": text })])).toEqual(["PUT /c/{id} -> p.v1.S/R0", "GET /b -> p.v1.S/R1"]);
});

test("two options of one rpc stop the start", () => {
  const text = service('get: "/a" }; option (google.api.http) = { get: "/b"');
  expect(() => routesOf([protos({ "s.proto": text })])).toThrow("s.proto: p.v1.S.R0: google.api.http is given twice");
});

test("what is only imported is not served", () => {
  const text = `${service('get: "/a"')}`.replace('import "google', 'import "google/longrunning/operations.proto"; import "google');
  expect(routesOf([protos({ "s.proto": text })])).toEqual(["GET /a -> p.v1.S/R0"]);
});

test("a stream from the client stops the start", () => {
  const text = service('post: "/a" body: "*"').replace("(Ask) returns", "(stream Ask) returns");
  expect(() => routesOf([protos({ "s.proto": text })])).toThrow("s.proto: p.v1.S.R0: streams from the client have no form in HTTP");
});

test("nothing to serve stops the start", () => {
  const dir = protos({ "s.proto": service() });
  expect(() => routesOf([dir])).toThrow("has a google.api.http option");
  expect(() => routesOf([protos({})])).toThrow("No .proto file in");
});

test("a file that cannot be parsed, and an import that is nowhere, stop the start with their names", () => {
  expect(() => routesOf([protos({ "s.proto": "syntax = proto" })])).toThrow("s.proto");
  expect(() => routesOf([protos({ "s.proto": 'syntax = "proto3"; import "gone.proto";' })])).toThrow(
    "gone.proto is imported, and is in none of",
  );
});

test("a service without an upstream stops the start of the application", async () => {
  const app = Fastify();
  app.register(transcoder, { protoDirs: [protos({ "s.proto": service('get: "/a"') })], upstreams: { "q.v1": "127.0.0.1:1" } });
  await expect(app.ready()).rejects.toThrow("s.proto: p.v1.S.R0: no upstream is given for p.v1.S");
  await app.close();
});

test("a folder google is for importing, and folders may import from one another", () => {
  const types = protos({ "q/v1/q.proto": 'syntax = "proto3"; package q.v1; message Q { string id = 1; }' });
  const services = protos({
    "google/x/x.proto": service('get: "/x"').replace("p.v1", "google.x"),
    "s.proto": service('get: "/a/{id}"').replace('import "google', 'import "q/v1/q.proto"; import "google').replace("(Ask)", "(q.v1.Q)"),
  });
  expect(routesOf([services, types])).toEqual(["GET /a/{id} -> p.v1.S/R0"]);
});
