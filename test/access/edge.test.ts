import { afterAll, beforeAll, expect, test } from "vitest";
import { ADMIN, type Env, startEnv } from "../env.ts";
import { restOf } from "../rest.ts";
import { sendRaw } from "./raw-http.ts";

// What somebody sends who would like the edge and the services behind it to understand different things.

let env: Env;
const tokens = { admin: "", driver: "" };

beforeAll(async () => {
  env = await startEnv();
  const anybody = restOf(env.rest);
  tokens.admin = (await anybody("POST", "/auth/login", ADMIN)).body.accessToken;
  const credentials = { username: "a-driver", password: "correct horse battery staple" };
  tokens.driver = (await anybody("POST", "/auth/signup", credentials)).body.accessToken;
});
afterAll(() => env.stop());

const HOST = "Host: edge";
const bearer = (who: keyof typeof tokens): string => `Authorization: Bearer ${tokens[who]}`;

function request(line: string, headers: readonly string[], body = ""): string {
  return `${[`${line} HTTP/1.1`, HOST, ...headers].join("\r\n")}\r\n\r\n${body}`;
}

const reasonIn = (text: string): string | undefined => /"reason":"([A-Z_]+)"/.exec(text)?.[1];

// The list of users is for administrators, whatever it is called.
const names: [path: string, status: number][] = [
  ["/auth/users", 403],
  ["/auth/users?", 403],
  ["/auth/users:", 403],
  ["/auth/%75sers", 403],
  ["/%61uth/users", 403],
  ["http://elsewhere.example.org/auth/users", 403],
  ["//auth/users", 404],
  ["/auth//users", 404],
  ["/auth/users/", 404],
  ["/auth/users;x=y", 404],
  ["/AUTH/users", 404],
  ["/auth/Users", 404],
  ["/auth/users.", 404],
  ["/auth/users%20", 404],
  ["/auth/users%00", 404],
  ["/auth/users%2F", 404],
  ["/auth%2Fusers", 404],
  ["/auth\\users", 404],
  ["/auth/./users", 404],
  ["/ocpp/../auth/users", 404],
  ["/ocpp/%2e%2e/auth/users", 404],
  ["/docs/../auth/users", 404],
  ["/auth/users%", 400],
  ["/auth/users%c0%80", 400],
  ["/auth/users#x", 400],
  ["/chargemesh.auth.v1.UserService/ListUsers", 404],
];

test.concurrent.each(names)("no other name for an administrator's path leads a driver there: %s", async (path, status) => {
  const { statuses } = await sendRaw(env.rest, request(`GET ${path}`, [bearer("driver"), "Connection: close"]));
  expect(statuses).toEqual([status]);
  if (status !== 403) return;
  const { statuses: allowed } = await sendRaw(env.rest, request(`GET ${path}`, [bearer("admin"), "Connection: close"]));
  expect(allowed).toEqual([200]);
});

const smuggled = request("GET /health", []);
const login = "POST /auth/login";
const smuggling: [how: string, text: string][] = [
  ["content-length before transfer-encoding", request(login, ["Content-Length: 4", "Transfer-Encoding: chunked"], `0\r\n\r\n${smuggled}`)],
  ["transfer-encoding before content-length", request(login, ["Transfer-Encoding: chunked", "Content-Length: 4"], `0\r\n\r\n${smuggled}`)],
  ["two lengths", request(login, ["Content-Length: 0", `Content-Length: ${smuggled.length}`], smuggled)],
  ["a list of lengths", request(login, [`Content-Length: 0, ${smuggled.length}`], smuggled)],
  ["a length with a sign", request(login, ["Content-Length: +0"], smuggled)],
  ["a length in hex", request(login, ["Content-Length: 0x0"], smuggled)],
  ["an encoding after chunked", request(login, ["Transfer-Encoding: chunked, identity"], `0\r\n\r\n${smuggled}`)],
  ["an encoding that is nearly chunked", request(login, ["Transfer-Encoding: xchunked"], `0\r\n\r\n${smuggled}`)],
  ["two encodings", request(login, ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"], `0\r\n\r\n${smuggled}`)],
  ["a space before the colon", request(login, ["Transfer-Encoding : chunked"], `0\r\n\r\n${smuggled}`)],
  ["a vertical tab in the encoding", request(login, ["Transfer-Encoding: \x0bchunked"], `0\r\n\r\n${smuggled}`)],
  ["a folded header", request(login, ["X-One: 1\r\n Transfer-Encoding: chunked"], `0\r\n\r\n${smuggled}`)],
  ["lines that end in LF alone", request(login, ["Content-Length: 0"], smuggled).replaceAll("\r\n", "\n")],
  ["a chunk with a length that is none", request(login, ["Transfer-Encoding: chunked"], `0x0\r\n\r\n${smuggled}`)],
  ["a chunk that ends in LF alone", request(login, ["Transfer-Encoding: chunked"], `0\n\n${smuggled}`)],
];

test.concurrent.each(smuggling)("a request does not hide in another: %s", async (_how, text) => {
  const { statuses, text: answer } = await sendRaw(env.rest, text);
  expect([statuses, reasonIn(answer)]).toEqual([[400], "MALFORMED_REQUEST"]);
});

test("the body of a GET is no request", async () => {
  const headers = [bearer("driver"), `Content-Length: ${smuggled.length}`];
  const { statuses, text } = await sendRaw(env.rest, request("GET /auth/me", headers, smuggled));
  expect([statuses, text.includes('"username":"a-driver"')]).toEqual([[200], true]);
});

test.concurrent.each([
  ["a driver's and an administrator's token", [() => bearer("driver"), () => bearer("admin")]],
  ["an administrator's and a driver's token", [() => bearer("admin"), () => bearer("driver")]],
  ["the same token twice", [() => bearer("driver"), () => bearer("driver").replace("Authorization", "authorization")]],
  ["another host", [() => "Host: elsewhere.example.org"]],
])("who says twice who calls, or whom, is refused: %s", async (_what, headers) => {
  const { statuses, text } = await sendRaw(env.rest, request("GET /auth/me", [...headers.map((header) => header()), "Connection: close"]));
  expect([statuses, reasonIn(text)]).toEqual([[400], "INVALID_HEADER"]);
});

test.concurrent.each([
  [
    "a method in a header",
    "POST /auth/logout",
    ["X-HTTP-Method-Override: GET", "X-Original-URL: /auth/users", "X-Rewrite-URL: /auth/users"],
    400,
  ],
  ["a token in a cookie", "GET /auth/me", ["Cookie: authorization=Bearer%20TOKEN; access_token=TOKEN"], 401],
  ["a token in the query", "GET /auth/me?access_token=TOKEN", [], 400],
  ["a token for the proxy", "GET /auth/me", ["Proxy-Authorization: Bearer TOKEN", "X-Authorization: Bearer TOKEN"], 401],
  [
    "names of services",
    "GET /auth/users",
    ["X-Chargemesh-Service: gateway", "X-Chargemesh-Caller: gateway", "X-Forwarded-User: admin"],
    401,
  ],
  ["metadata of gRPC", "GET /auth/users", ["grpc-timeout: 10S", "grpc-internal-encoding-request: gzip", "grpc-encoding: gzip"], 401],
  ["a certificate in a header", "GET /auth/users", ["X-Forwarded-Client-Cert: By=spiffe://gateway", "X-SSL-Client-S-DN: CN=gateway"], 401],
  [
    "an upgrade to HTTP/2",
    "GET /auth/users",
    ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"],
    401,
  ],
  [
    "an upgrade to WebSocket",
    "GET /auth/users",
    ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="],
    401,
  ],
  ["a request of gRPC", "POST /auth/logout", ["Content-Type: application/grpc", "Content-Length: 5"], 415],
])("nothing but the token says who calls: %s", async (_what, line, headers, status) => {
  const text = request(line, headers, headers.includes("Content-Length: 5") ? "\0\0\0\0\0" : "");
  const { statuses } = await sendRaw(env.rest, text.replaceAll("TOKEN", tokens.admin));
  expect(statuses).toEqual([status]);
});

test.concurrent.each(["a\x01b", "a\0b", "a\x7fb", "a\tb", "a b", "a\x1b[31m", "x".repeat(129), 'a"b'])(
  "what is not fit for a log is not the id of a request: %j",
  async (id) => {
    const { statuses, text } = await sendRaw(env.rest, request("GET /health", [`X-Request-Id: ${id}`, "Connection: close"]));
    if (statuses[0] === 400) expect(reasonIn(text)).toBe("MALFORMED_REQUEST");
    else expect(/x-request-id: ([0-9a-f-]{36})\r/.exec(text)).not.toBeNull();
  },
);
