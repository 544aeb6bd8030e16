import { afterAll, beforeAll, expect, test } from "vitest";
import { openApiOf } from "../src/openapi.ts";
import { routesOf } from "../src/plugin.ts";
import { Library, protoDir } from "./library.ts";
import { checkerOf, faultsOf, routesIn, withoutNames } from "./openapi-check.ts";

const info = { title: "Library", version: "1" };
const library = openApiOf([protoDir], { info });
const service = new Library();
beforeAll(() => service.start());
afterAll(() => service.stop());

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
