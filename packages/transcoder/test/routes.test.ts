import Fastify from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { routesOf, transcoder } from "../src/plugin.ts";
import { Library, protoDir } from "./library.ts";

const library = new Library();

beforeAll(async () => {
  await library.start({}, (app) => {
    app.get("/health", async () => ({ healthy: true }));
    app.get("/v1/books/featured", async () => ({ mine: true }));
    app.post("/mine", async (request) => ({ body: request.body }));
  });
});
afterAll(() => library.stop());

test("the surface is the protos', a line a binding", () => {
  expect(routesOf([protoDir])).toEqual([
    "GET /v1/books/{id} -> library.v1.LibraryService/GetBook",
    "GET /v1/{name=rooms/*/books/*} -> library.v1.LibraryService/GetBook",
    "GET /v1/rooms/{shelf.room}/rows/{shelf.row}/books/{id} -> library.v1.LibraryService/GetBook",
    "GET /v1/books -> library.v1.LibraryService/ListBooks",
    "POST /v1/books -> library.v1.LibraryService/CreateBook",
    "PATCH /v1/books/{book.id} -> library.v1.LibraryService/UpdateBook",
    "DELETE /v1/books/{id} -> library.v1.LibraryService/DeleteBook",
    "POST /v1/books/{id}:lend -> library.v1.LibraryService/LendBook",
    "GET /v1/titles -> library.v1.LibraryService/ListTitles",
    "POST /v1/titles:sort -> library.v1.LibraryService/SortTitles",
    "GET /v1/files/{path=**} -> library.v1.LibraryService/ReadFile",
    "GET /v1/files/{path=**}:stat -> library.v1.LibraryService/StatFile",
    "PUT /v1/files/{path=**} -> library.v1.LibraryService/WriteFile",
    "GET /v1/streams/{path=**} -> library.v1.LibraryService/StreamFile (stream)",
    "GET /v1/books:watch -> library.v1.LibraryService/WatchBooks (stream)",
    "POST /v1/echo -> library.v1.LibraryService/Echo",
    "GET /v1/echo -> library.v1.LibraryService/Echo",
    "GET /v1/failures/{code} -> library.v1.LibraryService/Fail",
    "PURGE /v1/caches/{id} -> library.v1.LibraryService/Purge",
    "* /v1/anything/{id} -> library.v1.LibraryService/Purge",
    "GET /v1/loans/{id} -> library.v1.LibraryService/GetLoan",
    "PATCH /v1/loans/{loan.id} -> library.v1.LibraryService/UpdateLoan",
    "PUT /v1/loans/{loan.id} -> library.v1.LibraryService/UpdateLoan",
    "DELETE /v1/loans/{id} -> library.v1.LibraryService/DeleteLoan",
  ]);
});

test.each([
  ["GET", "/v1/books/b1", "GetBook", { id: "b1" }],
  ["GET", "/v1/books/a%2Fb", "GetBook", { id: "a/b" }],
  ["GET", "/v1/books/a%3Ab", "GetBook", { id: "a:b" }],
  ["GET", "/v1/books/a%25b", "GetBook", { id: "a%b" }],
  ["GET", "/v1/books/a+b", "GetBook", { id: "a+b" }],
  ["GET", "/v1/books/caf%C3%A9%20%F0%9F%98%80", "GetBook", { id: "café 😀" }],
  ["GET", "/v1/books/*=_@|;,!", "GetBook", { id: "*=_@|;,!" }],
  ["GET", "/v1/books/..", "GetBook", { id: ".." }],
  ["GET", "/v1/%62ooks/b1", "GetBook", { id: "b1" }],
  ["GET", "/v1/books/b1?name=x", "GetBook", { id: "b1", name: "x" }],
  ["GET", "/v1/rooms/north/books/b%2F1", "GetBook", { name: "rooms/north/books/b%2F1" }],
  ["GET", "/v1/rooms/n%20n/books/b%3A1", "GetBook", { name: "rooms/n n/books/b:1" }],
  ["GET", "/v1/rooms/n%2Fn/rows/7/books/b1", "GetBook", { id: "b1", shelf: { room: "n/n", row: 7 } }],
  ["DELETE", "/v1/books/b1", "DeleteBook", { id: "b1" }],
  ["POST", "/v1/books/b1:lend", "LendBook", { id: "b1" }],
  ["POST", "/v1/books/a%3Ab%2Fc:lend", "LendBook", { id: "a:b/c" }],
  ["POST", "/v1/books/a:b:lend", "LendBook", { id: "a:b" }],
  ["GET", "/v1/files/a/b%2Fc/d%20e", "ReadFile", { path: "a/b%2Fc/d e" }],
  ["GET", "/v1/files", "ReadFile", {}],
  ["GET", "/v1/files/", "ReadFile", {}],
  ["GET", "/v1/files/a//b", "ReadFile", { path: "a//b" }],
  ["GET", "/v1/files/a/b:stat", "StatFile", { path: "a/b" }],
  ["PURGE", "/v1/caches/c1", "Purge", { id: "c1" }],
  ["GET", "/v1/anything/x", "Purge", { id: "x" }],
  ["POST", "/v1/anything/x", "Purge", { id: "x" }],
  ["HEAD", "/v1/books/b1", "GetBook", { id: "b1" }],
])("%s %s is %s", async (method, path, rpc, message) => {
  const answer = await library.call(method, path);
  expect([answer.status, library.last]).toEqual([200, [rpc, message]]);
});

test.each([
  ["GET", "/v1/book"],
  ["GET", "/v1/books/"],
  ["GET", "/v1/books/b1/pages"],
  ["GET", "/v1/rooms//books/b1"],
  // A colon that is not encoded begins a verb: a verb that is not there must not reach the plain path.
  ["GET", "/v1/books/a:b"],
  ["POST", "/v1/books/b1:lent"],
  ["POST", "/v1/books/:lend"],
  ["GET", "/v1/files/a:b/c:d"],
  ["GET", "/v2/books"],
  ["GET", "/library.v1.LibraryService/Reindex"],
])("%s %s is not found", async (method, path) => {
  const before = library.asked.length;
  const answer = await library.call(method, path);
  expect([answer.status, answer.json()]).toEqual([
    404,
    {
      error: {
        code: 404,
        status: "NOT_FOUND",
        message: `There is nothing to ${method} at this path.`,
        details: [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "ROUTE_NOT_FOUND", domain: "library" }],
      },
    },
  ]);
  expect(library.asked.length).toBe(before);
});

test.each([
  ["PUT", "/v1/books/b1", "DELETE, GET, HEAD, OPTIONS, PATCH"],
  ["GET", "/v1/books/b1:lend", "OPTIONS, POST"],
  ["POST", "/v1/titles", "GET, HEAD, OPTIONS"],
  // An answer that streams has no head of its own.
  ["HEAD", "/v1/books:watch", "GET, OPTIONS"],
  ["GET", "/v1/caches/c1", "OPTIONS, PURGE"],
])("%s %s is answered 405 with what is allowed", async (method, path, allow) => {
  const answer = await library.call(method, path);
  expect([answer.status, answer.headers.allow]).toEqual([405, allow]);
  if (method !== "HEAD")
    expect(answer.json()).toMatchObject({ error: { code: 405, status: "UNIMPLEMENTED", details: [{ reason: "METHOD_NOT_ALLOWED" }] } });
});

test("OPTIONS tells what is allowed", async () => {
  const answer = await library.call("OPTIONS", "/v1/books");
  expect([answer.status, answer.headers.allow, answer.text]).toEqual([204, "GET, HEAD, OPTIONS, POST", ""]);
});

test("HEAD has the head of GET and no body", async () => {
  library.answers.set("GetBook", { book: { id: "b1" } });
  const get = await library.call("GET", "/v1/books/b1");
  const head = await library.call("HEAD", "/v1/books/b1");
  library.answers.delete("GetBook");
  expect([head.status, head.text, head.headers["content-length"]]).toEqual([200, "", get.headers["content-length"]]);
});

test("a path that is not percent-encoded UTF-8 is the caller's fault", async () => {
  const path = "/v1/books/%ff";
  const answer = await library.call("GET", path);
  expect([answer.status, answer.json()]).toMatchObject([400, { error: { status: "INVALID_ARGUMENT" } }]);
});

test("a target may name scheme and host", async () => {
  expect((await library.call("GET", "http://example.org/v1/books/b1?name=n")).status).toBe(200);
  expect(library.last).toEqual(["GetBook", { id: "b1", name: "n" }]);
});

test("the application keeps its own routes, parsers and errors", async () => {
  expect((await library.call("GET", "/health")).json()).toEqual({ healthy: true });
  expect((await library.call("GET", "/v1/books/featured")).json()).toEqual({ mine: true });
  expect((await library.call("POST", "/mine", { a: 1 })).json()).toEqual({ body: { a: 1 } });
  expect((await library.call("GET", "/nowhere")).json()).toMatchObject({ error: { details: [{ reason: "ROUTE_NOT_FOUND" }] } });
});

test("it can be mounted under a prefix", async () => {
  const app = Fastify();
  app.register(transcoder, { prefix: "/api", protoDirs: [protoDir], upstreams: { "*": library.target } });
  expect((await app.inject("/api/v1/books/p1")).statusCode).toBe(200);
  expect(library.last).toEqual(["GetBook", { id: "p1" }]);
  expect((await app.inject("/v1/books/p1")).statusCode).toBe(404);
  await app.close();
});
