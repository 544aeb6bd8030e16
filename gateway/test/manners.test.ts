import { once } from "node:events";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { makeLogger } from "@chargemesh/kit/log";
import { Stack } from "@chargemesh/kit/main";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readConfig } from "../src/config.ts";
import { start } from "../src/start.ts";
import { ForeignService, foreignDir } from "./foreign-service.ts";

// What the edge does for any API: origins, limits, compression, the headers of security, proxies.

const log = makeLogger("test", "silent");
const stack = new Stack();
const service = new ForeignService();
let upstream = "";
let edge = "";

beforeAll(async () => {
  stack.defer("service", () => service.stop());
  upstream = `*=127.0.0.1:${await service.start()}`;
  edge = await run({
    CORS_ORIGINS: "https://app.example.org, http://localhost:8080",
    FORWARD_HEADERS: "x-tenant",
    RETURN_HEADERS: "x-shop",
  });
});
afterAll(() => stack.close(log));

async function run(settings: Record<string, string>): Promise<string> {
  const config = readConfig({ GATEWAY_ADDRESS: "127.0.0.1:0", PROTO_DIRS: foreignDir, UPSTREAMS: upstream, ...settings });
  return (await start(config, stack, log)).address;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Sends these headers and no others: fetch adds some of its own, and will not send some of these. */
async function call(address: string, path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> {
  const [host = "", port = ""] = address.split(":");
  const outgoing = httpRequest({ host, port, path, method, headers, agent: false }).end();
  const [response] = (await once(outgoing, "response")) as [import("node:http").IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) };
}
const reasonOf = ({ body }: Answer): string => JSON.parse(body.toString()).error.details[0].reason;

const PATH = "/v3/ONE:check";

test.each([PATH, "/nowhere", "/v3/TWO:check"])("%s is answered with the headers of security", async (path) => {
  const { headers } = await call(edge, path);
  expect(headers).toMatchObject({
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
  });
  expect(headers).not.toHaveProperty("strict-transport-security");
});

test("what has an etag may be kept, and asked for again", async () => {
  service.answers.set("CreateBook", { name: "b1", etag: "7" });
  const { headers } = await call(edge, "/v1/publishers/p1/books", {}, "POST");
  expect(headers).toMatchObject({ etag: '"7"', "cache-control": "private, no-cache" });
});

test("headers cross by the allow-lists of the settings", async () => {
  const { headers } = await call(edge, PATH, { "x-tenant": "t1", authorization: "Bearer t", "x-other": "no" });
  expect(headers["x-shop"]).toBe("open");
  expect(headers).not.toHaveProperty("x-secret");
  const metadata = service.asked.at(-1)?.[2].getMap() ?? {};
  expect(metadata).toMatchObject({ "x-tenant": "t1", authorization: "Bearer t" });
  expect(metadata).not.toHaveProperty("x-other");
});

test("pages of the origins that are allowed may call, and others not", async () => {
  const allowed = await call(edge, PATH, { origin: "https://app.example.org" });
  expect(allowed.headers).toMatchObject({
    "access-control-allow-origin": "https://app.example.org",
    "access-control-expose-headers": "*",
    vary: "Origin",
  });
  for (const origin of ["https://evil.example.org", "https://app.example.org.evil.example.org", "null"]) {
    const { status, headers } = await call(edge, PATH, { origin });
    expect([status, headers["access-control-allow-origin"], headers.vary]).toEqual([200, undefined, "Origin"]);
  }
  // An error that its page cannot read helps nobody.
  const failed = await call(edge, "/v3/TWO:check", { origin: "http://localhost:8080" });
  expect([failed.status, failed.headers["access-control-allow-origin"]]).toEqual([400, "http://localhost:8080"]);
});

test("a preflight is answered before anything is asked", async () => {
  const asked = service.asked.length;
  const headers = {
    origin: "https://app.example.org",
    "access-control-request-method": "PATCH",
    "access-control-request-headers": "if-match",
  };
  const answer = await call(edge, "/v2/everything/u1", headers, "OPTIONS");
  expect([answer.status, answer.headers]).toMatchObject([
    204,
    { "access-control-allow-methods": "PATCH", "access-control-allow-headers": "if-match", "access-control-max-age": "600" },
  ]);
  const other = await call(edge, "/v2/everything/u1", { ...headers, origin: "https://evil.example.org" }, "OPTIONS");
  expect([other.status, other.headers.allow, other.headers["access-control-allow-methods"]]).toEqual([
    204,
    "OPTIONS, PATCH, PUT",
    undefined,
  ]);
  expect(service.asked.length).toBe(asked);
});

test("any origin, and none at all", async () => {
  const any = await run({ CORS_ORIGINS: "*" });
  expect((await call(any, PATH, { origin: "https://x.example.org" })).headers["access-control-allow-origin"]).toBe("*");
  const none = await run({});
  const { headers } = await call(none, PATH, { origin: "https://x.example.org" });
  expect([headers["access-control-allow-origin"], headers.vary]).toEqual([undefined, undefined]);
});

const large = { books: Array.from({ length: 50 }, (_, index) => ({ name: `publishers/p1/books/b${index}`, title: "A title" })) };

test.each([
  ["br, gzip", "br"],
  ["gzip, deflate", "gzip"],
  ["gzip;q=1.0, br;q=0.5", "gzip"],
  ["*", "br"],
  ["br;q=0, *;q=0.1", "gzip"],
  ["deflate", undefined],
  ["identity", undefined],
  ["gzip;q=0", undefined],
])("with Accept-Encoding %s an answer is compressed with %s", async (accepted, encoding) => {
  service.answers.set("ListBooks", large);
  const plain = await call(edge, "/v1/publishers/p1/books:list");
  const { headers, body } = await call(edge, "/v1/publishers/p1/books:list", { "accept-encoding": accepted });
  expect([headers["content-encoding"], headers.vary, headers["content-length"]]).toEqual([
    encoding,
    "Origin, Accept-Encoding",
    String(body.length),
  ]);
  const text = encoding === "br" ? brotliDecompressSync(body) : encoding === "gzip" ? gunzipSync(body) : body;
  expect(text.equals(plain.body)).toBe(true);
  if (encoding !== undefined) expect(body.length).toBeLessThan(plain.body.length / 4);
  const head = await call(edge, "/v1/publishers/p1/books:list", { "accept-encoding": accepted }, "HEAD");
  expect([head.headers["content-encoding"], head.headers["content-length"], head.body.length]).toEqual([
    encoding,
    headers["content-length"],
    0,
  ]);
});

test("what is small, a stream, or compressed by nature is left alone", async () => {
  const accept = { "accept-encoding": "br, gzip" };
  expect((await call(edge, PATH, accept)).headers["content-encoding"]).toBeUndefined();
  const stream = await call(edge, "/v1/stream?count=100", accept);
  expect([stream.headers["content-encoding"], stream.body.toString("utf8", 0, 6)]).toEqual([undefined, ": open"]);
  service.answers.set("Download", { content_type: "image/png", data: Buffer.alloc(5_000) });
  expect((await call(edge, "/v1/files/a.png", accept)).headers["content-encoding"]).toBeUndefined();
  service.answers.set("Download", { content_type: "image/svg+xml", data: Buffer.alloc(5_000, "<svg>") });
  expect((await call(edge, "/v1/files/a.svg", accept)).headers["content-encoding"]).toBe("br");
});

test("who asks too often with one token is told when to come again", async () => {
  const limited = await run({ RATE_LIMIT_PER_TOKEN: "3" });
  const ada = { authorization: "Bearer ada" };
  for (let index = 0; index < 3; index++) expect((await call(limited, PATH, ada)).status).toBe(200);
  const refused = await call(limited, PATH, ada);
  expect([refused.status, reasonOf(refused)]).toEqual([429, "RATE_LIMITED"]);
  const seconds = Number(refused.headers["retry-after"]);
  expect(seconds).toBeGreaterThan(15);
  expect(seconds).toBeLessThanOrEqual(20);
  expect((await call(limited, PATH, { authorization: "Bearer eve" })).status).toBe(200);
  expect((await call(limited, PATH)).status).toBe(200);
});

test("what is left fills up again", async () => {
  const limited = await run({ RATE_LIMIT_PER_ADDRESS: "600" });
  const statuses: number[] = [];
  while (!statuses.includes(429))
    statuses.push(...(await Promise.all(Array.from({ length: 100 }, async () => (await call(limited, "/nowhere")).status))));
  expect(statuses.filter((status) => status === 404).length).toBeGreaterThanOrEqual(600);
  let status = 429;
  while (status === 429) ({ status } = await call(limited, PATH));
  expect(status).toBe(200);
});

test("an address has one count, whoever it says that it speaks for, unless it is a proxy that is trusted", async () => {
  const settings = { RATE_LIMIT_PER_ADDRESS: "2" };
  const from = (address: string) => ({ "x-forwarded-for": address, authorization: `Bearer ${address}` });
  const open = await run(settings);
  const statuses = [];
  for (const address of ["192.0.2.1", "192.0.2.2", "192.0.2.3"]) statuses.push((await call(open, PATH, from(address))).status);
  expect(statuses).toEqual([200, 200, 429]);

  const behind = await run({ ...settings, TRUSTED_PROXIES: "127.0.0.0/8, ::1" });
  const seen = [];
  for (const address of ["192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2", "2001:db8:0:1::1", "2001:db8:0:1:2::", "2001:db8::1:0:0:0:1"])
    seen.push((await call(behind, PATH, from(address))).status);
  // The last three are one network.
  expect(seen).toEqual([200, 200, 429, 200, 200, 200, 429]);
});

test("only a proxy that is trusted may say that the caller came by TLS", async () => {
  const headers = { "x-forwarded-proto": "https" };
  expect((await call(edge, PATH, headers)).headers).not.toHaveProperty("strict-transport-security");
  const behind = await run({ TRUSTED_PROXIES: "127.0.0.1" });
  expect((await call(behind, PATH, headers)).headers["strict-transport-security"]).toBe("max-age=31536000");
});

test.each([
  ["NONSENSE\r\n\r\n", 400, "MALFORMED_REQUEST"],
  ["GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "MALFORMED_REQUEST"],
  [`GET / HTTP/1.1\r\nHost: x\r\nX-Large: ${"x".repeat(20_000)}\r\n\r\n`, 431, "HEADERS_TOO_LARGE"],
])("what is no request is answered in the one shape: %#", async (text, status, reason) => {
  const [host = "", port = ""] = edge.split(":");
  const socket = connect(Number(port), host);
  socket.write(text);
  let answer = "";
  for await (const chunk of socket.setEncoding("utf8")) answer += chunk;
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(JSON.parse(answer.slice(answer.indexOf("\r\n\r\n")))).toMatchObject({ error: { code: status, details: [{ reason }] } });
});

test.each([
  [{ CORS_ORIGINS: "example.org" }, "CORS_ORIGINS must be origins such as https://example.org, or *, separated by commas"],
  [{ CORS_ORIGINS: "https://example.org/" }, "CORS_ORIGINS must be"],
  [{ TRUSTED_PROXIES: "10.0.0.0/33" }, "TRUSTED_PROXIES must be addresses or networks, separated by commas"],
  [{ TRUSTED_PROXIES: "everybody" }, "TRUSTED_PROXIES must be"],
  [{ FORWARD_HEADERS: "a b" }, "FORWARD_HEADERS must be names of headers"],
  [{ RATE_LIMIT_PER_TOKEN: "-1" }, "RATE_LIMIT_PER_TOKEN must be an integer in 0..1000000"],
  [{ RETURN_HEADERS: "content-length" }, "The header content-length cannot be passed on."],
])("%o stops the start", async (settings, reason) => {
  await expect(async () => run(settings)).rejects.toThrow(reason);
});
