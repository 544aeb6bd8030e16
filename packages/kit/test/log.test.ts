import { expect, test } from "vitest";
import { makeLogger } from "../src/log.ts";

/** The line that a logger writes of this. */
function lineOf(object: object, text = "text"): string {
  const lines: string[] = [];
  makeLogger("test", "trace", { write: (line) => lines.push(line) }).info(object, text);
  expect(lines).toHaveLength(1);
  JSON.parse(lines[0] ?? "");
  return lines[0] ?? "";
}

const JWT = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ1LTEifQ.c2lnbmF0dXJlLWhlcmU";

test.each([
  ["a password", { password: "hunter two" }],
  ["one with quotes in it", { password: 'hunter "two" \\' }],
  ["one that is deep", { request: { body: { user: [{ newPassword: "hunter two" }] } } }],
  ["a refresh token", { user: { refreshToken: "hunter two" } }],
  ["a header", { headers: { authorization: "hunter two", "x-other": "1" } }],
  ["a secret of a setting", { config: { MESH_SECRET: "hunter two" } }],
  ["a key", { api_key: "hunter two" }],
])("%s is not written, by its name", (_what, object) => {
  const line = lineOf(object);
  expect(line).not.toContain("hunter");
  expect(line).toContain('"[Redacted]"');
});

test.each([
  ["a JSON Web Token", `no good: ${JWT}!`, JWT],
  ["what a header shows", "Authorization: Basic Q1AtMTpodW50ZXI=", "Q1AtMTpodW50ZXI"],
  ["an API key", `cmk_${"k".repeat(43)}`, "kkkk"],
  ["a password in a URL", "connect to postgres://service:hunter2@127.0.0.1:5432/db failed", "hunter2"],
])("%s is not written, by its form", (_what, text, secret) => {
  for (const line of [lineOf({}, text), lineOf({ err: new Error(text) }), lineOf({ a: { b: [text] } })]) {
    expect(line).not.toContain(secret);
    expect(line).toContain("[Redacted]");
  }
});

test("what is no secret is written", () => {
  const object = {
    idToken: "ADA-CARD",
    apiKeyId: "k-1",
    tokens: 3,
    url: "http://127.0.0.1:3000/auth/login?x=a@b",
    reason: "TOKEN_MISSING",
  };
  const { idToken, apiKeyId, tokens, url, reason, msg } = JSON.parse(lineOf(object, "basic facts"));
  expect({ idToken, apiKeyId, tokens, url, reason }).toEqual(object);
  expect(msg).toBe("basic facts");
});
