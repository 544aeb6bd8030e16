import { once } from "node:events";
import { connect } from "node:net";
import { Metadata, status } from "@grpc/grpc-js";
import Fastify from "fastify";
import protobuf from "protobufjs";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { transcoder } from "../src/plugin.ts";
import { Library, protoDir } from "./library.ts";

// What crosses beside the messages: time limits, headers, and when to come again.

const library = new Library();
beforeAll(() => library.start({ deadlineMs: 20_000 }));
beforeEach(() => library.answers.clear());
afterAll(() => library.stop());

/** How long the service was told that it has, in ms. */
async function limitOf(headers: Record<string, string>, path = "/v1/books/b1"): Promise<number> {
  let limit = Number.NaN;
  const begun = Date.now();
  library.answers.set("GetBook", (call, done) => {
    limit = Number(call.getDeadline()) - begun;
    done(null, {});
  });
  library.streams.set("WatchBooks", (call) => {
    limit = Number(call.getDeadline()) - begun;
    call.end();
  });
  const { status: code, text } = await library.call("GET", path, undefined, headers);
  expect(code, text).toBe(200);
  return limit;
}

test.each([
  [{}, 20_000],
  [{ "grpc-timeout": "5S" }, 5_000],
  [{ "grpc-timeout": "2500m" }, 2_500],
  [{ "grpc-timeout": "7000000u" }, 7_000],
  [{ "grpc-timeout": "1H" }, 20_000],
  [{ "x-request-timeout": "3" }, 3_000],
  [{ "x-request-timeout": "2.5s" }, 2_500],
  [{ "x-request-timeout": "99999999" }, 20_000],
  [{ "x-request-timeout": "9", "grpc-timeout": "4S" }, 4_000],
])("with %o the service has %i ms", async (headers, ms) => {
  const limit = await limitOf(headers as Record<string, string>);
  expect(limit).toBeLessThanOrEqual(ms + 1_000);
  expect(limit).toBeGreaterThan(ms - 1_000);
});

test("a stream lasts as long as it likes, or as its caller does", async () => {
  expect(await limitOf({}, "/v1/books:watch")).toBe(Number.POSITIVE_INFINITY);
  expect(await limitOf({ "grpc-timeout": "1H" }, "/v1/books:watch")).toBeGreaterThan(3_000_000);
});

test("a time limit that passes is 504", async () => {
  library.answers.set("GetBook", () => undefined);
  const answer = await library.call("GET", "/v1/books/b1", undefined, { "x-request-timeout": "0.05" });
  expect([answer.status, answer.json()]).toMatchObject([504, { error: { status: "DEADLINE_EXCEEDED" } }]);
  expect((await library.call("GET", "/v1/books/b1", undefined, { "grpc-timeout": "0m" })).status).toBe(504);
});

test.each([
  [{ "grpc-timeout": "5" }, "grpc-timeout must be at most eight digits and one of H, M, S, m, u, n."],
  [{ "grpc-timeout": "123456789S" }, "grpc-timeout must be at most eight digits and one of H, M, S, m, u, n."],
  [{ "x-request-timeout": "-1" }, "x-request-timeout must be seconds, such as 1.5."],
  [{ "x-request-timeout": "soon" }, "x-request-timeout must be seconds, such as 1.5."],
])("%o is refused", async (headers, message) => {
  const answer = await library.call("GET", "/v1/books/b1", undefined, headers as Record<string, string>);
  expect([answer.status, answer.json()]).toMatchObject([400, { error: { message, details: [{ reason: "INVALID_HEADER" }] } }]);
});

/** Metadata before the answer, and after it. */
const both = (before: Record<string, string>, after: Record<string, string>): [Metadata, Metadata] => {
  const [first, last] = [new Metadata(), new Metadata()];
  for (const [name, value] of Object.entries(before)) first.add(name, value);
  for (const [name, value] of Object.entries(after)) last.add(name, value);
  return [first, last];
};

test("metadata on the allow-list comes back as headers, and nothing else", async () => {
  const [before, after] = both({ "cache-control": "max-age=5", "x-secret": "no" }, { "content-language": "en" });
  before.add("link", "</a>; rel=prev");
  before.add("link", "</b>; rel=next");
  library.answers.set("GetBook", (call, done) => {
    call.sendMetadata(before);
    done(null, {}, after);
  });
  const { headers } = await library.call("GET", "/v1/books/b1");
  expect(headers).toMatchObject({ "cache-control": "max-age=5", "content-language": "en", link: "</a>; rel=prev, </b>; rel=next" });
  expect(headers).not.toHaveProperty("x-secret");
});

test("a failure has its headers, too, and a stream those that come first", async () => {
  const [before, metadata] = both({ "content-language": "en" }, { "retry-after": "9" });
  library.answers.set("GetBook", (call, done) => {
    call.sendMetadata(before);
    done({ code: status.NOT_FOUND, details: "No.", metadata });
  });
  const failed = await library.call("GET", "/v1/books/b1");
  expect([failed.status, failed.headers]).toMatchObject([404, { "content-language": "en", "retry-after": "9" }]);
  library.streams.set("WatchBooks", (call) => {
    call.sendMetadata(before);
    call.end();
  });
  expect((await library.call("GET", "/v1/books:watch")).headers["content-language"]).toBe("en");
});

test("the allow-lists are the application's", async () => {
  const app = new Library();
  await app.start({ returnHeaders: ["X-Shelf"], forwardHeaders: ["x-tag"] });
  app.answers.set("GetBook", (call, done) => {
    const [before] = both({ "x-shelf": "7", link: "no" }, {});
    call.sendMetadata(before);
    done(null, {});
  });
  const { headers } = await app.call("GET", "/v1/books/b1", undefined, { "x-tag": "t", authorization: "no" });
  expect([headers["x-shelf"], headers.link]).toEqual(["7", undefined]);
  expect(app.asked.at(-1)?.metadata.getMap()).toMatchObject({ "x-tag": "t" });
  expect(app.asked.at(-1)?.metadata.get("authorization")).toEqual([]);
  await app.stop();
});

test.each(["content-length", "Connection", "grpc-status", "trace-bin", "bad name"])("a list with %s stops the start", async (header) => {
  for (const lists of [{ forwardHeaders: [header] }, { returnHeaders: [header] }]) {
    const app = Fastify();
    app.register(transcoder, { protoDirs: [protoDir], upstreams: { "*": library.target }, ...lists });
    await expect(app.ready()).rejects.toThrow(`The header ${header} cannot be passed on.`);
    await app.close();
  }
});

test("a RetryInfo is a Retry-After in whole seconds", async () => {
  const { root } = protobuf.parse(`
    syntax = "proto3";
    message Any { string type_url = 1; bytes value = 2; }
    message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
    message Duration { int64 seconds = 1; int32 nanos = 2; }
    message RetryInfo { Duration retry_delay = 1; }
  `);
  const encode = (type: string, value: object) => root.lookupType(type).encode(root.lookupType(type).fromObject(value)).finish();
  const value = encode("RetryInfo", { retryDelay: { seconds: 2, nanos: 500_000_000 } });
  const metadata = new Metadata();
  const details = [{ typeUrl: "type.googleapis.com/google.rpc.RetryInfo", value }];
  metadata.set("grpc-status-details-bin", Buffer.from(encode("Status", { code: 8, message: "Slow down.", details })));
  library.answers.set("GetBook", (_call, done) => done({ code: status.RESOURCE_EXHAUSTED, details: "Slow down.", metadata }));
  const answer = await library.call("GET", "/v1/books/b1");
  expect([answer.status, answer.headers["retry-after"]]).toEqual([429, "3"]);
});

test.each([
  ["POST /v1/books/b1:lend HTTP/1.0\r\nContent-Type: application/json\r\n\r\n", "411"],
  ["POST /v1/books/b1:lend HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}", "200"],
  ["GET /v1/books/b1 HTTP/1.0\r\n\r\n", "200"],
  // HTTP/1.1 says that there is no body.
  ["POST /v1/books/b1:lend HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "200"],
  ["POST /v1/books/b1:lend HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", "200"],
])("%j is answered %s", async (request, code) => {
  const socket = connect(library.port, "127.0.0.1");
  socket.write(request);
  const [head] = (await once(socket, "data")) as [Buffer];
  expect(head.toString()).toMatch(new RegExp(`^HTTP/1\\.1 ${code} `));
  if (code === "411") expect(head.toString()).toContain('"reason":"LENGTH_REQUIRED"');
  socket.destroy();
});
