import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { protoDirs } from "@chargemesh/contracts/proto-dirs";
import { routesOf } from "@chargemesh/transcoder";
import type { OpenApiDocument } from "@chargemesh/transcoder/openapi";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkerOf, faultsOf, routesIn, withoutNames } from "../../packages/transcoder/test/openapi-check.ts";
import { ADMIN, type Env, startEnv } from "../../test/env.ts";
import { type Answer, type Rest, restOf, signIn } from "../../test/rest.ts";
import { openApiDocument } from "../src/plugins/docs/document.ts";

const root = join(import.meta.dirname, "../..");
const pageDir = join(root, "gateway/src/plugins/docs/page");
let env: Env;
let admin: Rest;
let document: OpenApiDocument;
beforeAll(async () => {
  env = await startEnv();
  admin = await signIn(env.rest, ADMIN);
  document = JSON.parse(await (await fetch(`${env.rest}/openapi.json`)).text());
});
afterAll(() => env?.stop());

test("what is served is what is committed, and a standard validator accepts it", async () => {
  expect(document).toEqual(JSON.parse(readFileSync(join(root, "docs/openapi.json"), "utf8")));
  expect(await faultsOf(document)).toBeUndefined();
});

test("every route of the protos is in it once, and beside them only health", () => {
  const own = ["GET /health -> undefined", "GET /{}/health -> undefined"];
  expect(routesIn(document).sort()).toEqual([...routesOf(protoDirs.slice(0, 1)).map(withoutNames), ...own].sort());
});

test("protos of somebody else are described without what is ours", async () => {
  const theirs = openApiDocument([join(root, "packages/transcoder/test/protos")], false);
  expect(await faultsOf(theirs)).toBeUndefined();
  expect([Object.keys(theirs.paths).includes("/health"), theirs.components.securitySchemes]).toEqual([false, undefined]);
  expect(JSON.stringify(theirs)).not.toMatch(/chargemesh/i);
});

test("every operation says who may call", () => {
  const operations = Object.values(document.paths).flatMap((item) =>
    [item.get, item.post, item.patch, item.delete].filter((one) => one !== undefined),
  );
  const anybody = operations.filter(({ security }) => security?.length === 0).map(({ operationId }) => operationId);
  expect(anybody.sort()).toEqual(
    "AccountService_RequestPasswordReset AccountService_ResetPassword AccountService_VerifyEmail Health_GetService Health_GetSystem PreferenceService_GetUnsubscribePage PreferenceService_Unsubscribe SigningKeyService_ListSigningKeys UserService_LogIn UserService_LogOut UserService_RefreshTokens UserService_SignUp".split(
      " ",
    ),
  );
  expect(operations.filter(({ security }) => security === undefined)).toEqual([]);
  expect(document.paths["/auth/users"]?.get).toMatchObject({
    description: "Administrators may call. An API key needs the scope `auth.users:read`.",
    security: [{ bearer: [] }],
    responses: { "401": {}, "403": {} },
  });
});

test("what is for people alone says so", () => {
  expect(document.paths["/auth/apiKeys"]?.post?.description).toMatch(/ No API key may\.$/);
});

test("field rules are JSON Schema, as exact as the services are", () => {
  const check = checkerOf(document);
  const signUp = (value: unknown) => check(value, "components", "schemas", "chargemesh.auth.v1.SignUpRequest");
  const password = "correct horse battery staple";
  expect(signUp({ username: "ada", password, email: "" })).toEqual([]);
  expect(signUp({ username: "ada" })).toEqual([" must have required property 'password'"]);
  expect(signUp({ username: "a b", password: "short" })).toEqual([
    '/username must match pattern "^[^\\s\\p{C}]+$"',
    "/password must NOT have fewer than 15 characters",
  ]);
  const charger = (value: object) =>
    check(value, "paths", "/ocpp/chargers", "post", "requestBody", "content", "application/json", "schema");
  expect(charger({ id: "CP-1", password: "" })).toEqual([]);
  expect(charger({ id: "CP 1", displayName: "x".repeat(101), password: "short" }).slice(0, 2)).toEqual([
    '/id must match pattern "^[A-Za-z0-9*_=+|@.\\-]{1,48}$"',
    "/displayName must NOT have more than 100 characters",
  ]);
  const command = document.paths["/ocpp/chargers/{chargerId}/commands"]?.post?.requestBody;
  expect(command).toMatchObject({
    required: true,
    content: { "application/json": { schema: { required: ["action"], properties: { ttlSeconds: { minimum: 0, maximum: 86_400 } } } } },
  });
});

/** Fails unless an answer is as the document has it for that operation and status. */
function expectDescribed(path: string, method: "get" | "post" | "patch" | "delete", { status, body }: Answer): void {
  const described = document.paths[path]?.[method]?.responses[String(status)];
  const named = ["paths", path, method, "responses", String(status)];
  const place = described === undefined ? ["components", "responses", "Error"] : named;
  expect(checkerOf(document)(body, ...place, "content", "application/json", "schema")).toEqual([]);
}

test("real answers are as it says", async () => {
  const anybody = restOf(env.rest);
  const calls: [
    status: number,
    rest: Rest,
    method: "get" | "post" | "patch" | "delete",
    path: string,
    called?: string | undefined,
    body?: object,
  ][] = [
    [200, anybody, "post", "/auth/signup", undefined, { username: "ada@example.com", password: "correct horse battery staple" }],
    [409, anybody, "post", "/auth/signup", undefined, { username: "ada@example.com", password: "correct horse battery staple" }],
    [200, anybody, "post", "/auth/login", undefined, ADMIN],
    [401, anybody, "post", "/auth/login", undefined, { ...ADMIN, password: "not the right one" }],
    [400, anybody, "post", "/auth/login", undefined, { username: "", nope: 1 }],
    [200, anybody, "get", "/auth/jwks.json"],
    [401, anybody, "get", "/auth/me"],
    [200, admin, "get", "/auth/me"],
    [200, admin, "get", "/auth/users"],
    [200, admin, "post", "/ocpp/chargers", undefined, { id: "CP-1", displayName: "One" }],
    [409, admin, "post", "/ocpp/chargers", undefined, { id: "CP-1" }],
    [400, admin, "post", "/ocpp/chargers", undefined, { id: "C P" }],
    [200, admin, "get", "/ocpp/chargers/{id}", "/ocpp/chargers/CP-1"],
    [404, admin, "get", "/ocpp/chargers/{id}", "/ocpp/chargers/none"],
    [200, admin, "patch", "/ocpp/chargers/{id}", "/ocpp/chargers/CP-1", { displayName: "Two" }],
    [200, admin, "get", "/ocpp/chargers", "/ocpp/chargers?pageSize=1"],
    [
      200,
      admin,
      "post",
      "/ocpp/chargers/{chargerId}/commands",
      "/ocpp/chargers/CP-1/commands",
      { action: "Reset", payload: { type: "Soft" } },
    ],
    [200, admin, "post", "/ocpp/idTokens", undefined, { idToken: "CARD-1" }],
    [200, admin, "delete", "/ocpp/idTokens/{idToken}", "/ocpp/idTokens/CARD-1"],
    [200, admin, "get", "/ocpp/transactions"],
    [200, admin, "get", "/email/messages"],
    [200, anybody, "get", "/health"],
    [200, anybody, "get", "/{service}/health", "/ocpp/health"],
  ];
  for (const [status, rest, method, path, called, body] of calls) {
    const answer = await rest(method.toUpperCase(), called ?? path, body);
    expect([method, path, answer.status]).toEqual([method, path, status]);
    expectDescribed(path, method, answer);
  }
});

test("the page and all that it needs is served from here", async () => {
  const page = await fetch(`${env.rest}/docs`);
  expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
  expect(page.headers.get("content-security-policy")).toBe(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
  const html = await page.text();
  expect(html).not.toMatch(/<script(?![^>]*src=)|<style|\son\w+=|\sstyle=/);
  const names = readdirSync(pageDir).filter((name) => name !== "index.html");
  const types: Record<string, string> = { css: "text/css; charset=utf-8", js: "text/javascript; charset=utf-8" };
  for (const name of names) {
    const asset = await fetch(`${env.rest}/docs/${name}`);
    const text = await asset.text();
    expect([name, asset.status, asset.headers.get("content-type")]).toEqual([name, 200, types[name.split(".")[1] ?? ""]]);
    expect(asset.headers.get("x-content-type-options")).toBe("nosniff");
    expect(text).toBe(readFileSync(join(pageDir, name), "utf8"));
    // Neither another origin nor HTML made of text, nor anything that outlives the page.
    expect(text).not.toMatch(
      /https?:|["'(]\/\/|@import|innerHTML|outerHTML|insertAdjacentHTML|eval\(|localStorage|sessionStorage|document\.cookie/,
    );
  }
  const imported = names.flatMap((name) =>
    [...readFileSync(join(pageDir, name), "utf8").matchAll(/from "\.\/([^"]+)"/g)].map(([, file]) => file),
  );
  const linked = [...html.matchAll(/(?:src|href)="docs\/([^"]+)"/g)].map(([, file]) => file);
  expect([...new Set([...imported, ...linked])].sort()).toEqual([...names].sort());
  expect((await fetch(`${env.rest}/docs/index.js`)).status).toBe(404);
});

test("a slash too much leads to the page", async () => {
  const answer = await fetch(`${env.rest}/docs/`, { redirect: "manual" });
  expect([answer.status, answer.headers.get("location")]).toEqual([308, "../docs"]);
});

test("who has it already is told so", async () => {
  for (const path of ["/openapi.json", "/docs", "/docs/main.js"]) {
    const first = await fetch(env.rest + path);
    const etag = first.headers.get("etag") ?? "";
    expect(etag).toMatch(/^W\/"[\w-]{43}"$/);
    expect(first.headers.get("cache-control")).toBe("public, no-cache");
    const askWith = (held: string) => fetch(env.rest + path, { headers: { "if-none-match": held }, cache: "no-store" });
    for (const held of [etag, `"other", ${etag.slice(2)}`, "*"]) {
      const again = await askWith(held);
      expect([again.status, await again.text()]).toEqual([304, ""]);
      // A browser takes the headers of a 304 for those of what it has kept.
      expect(again.headers.get("content-security-policy")).toBe(first.headers.get("content-security-policy"));
    }
    expect((await askWith('"other"')).status).toBe(200);
    const head = await fetch(env.rest + path, { method: "HEAD" });
    expect([head.status, head.headers.get("etag"), await head.text()]).toEqual([200, etag, ""]);
  }
});

test("a stream is of the messages that it says", async () => {
  const media = ["paths", "/ocpp/events", "get", "responses", "200", "content"];
  const { body } = await restOf(env.rest)("POST", "/auth/login", ADMIN);
  const ended = new AbortController();
  const headers = { authorization: `Bearer ${body.accessToken}`, accept: "text/event-stream" };
  const response = await fetch(`${env.rest}/ocpp/events`, { headers, signal: ended.signal });
  await admin("POST", "/ocpp/chargers", { id: "CP-2" });
  let text = "";
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    if (/^data: .*\n/m.test(text)) break;
  }
  ended.abort();
  const [, event = ""] = /^data: (.*)$/m.exec(text) ?? [];
  expect(checkerOf(document)(JSON.parse(event), ...media, "text/event-stream", "x-item-schema")).toEqual([]);
  expect(checkerOf(document)(JSON.parse(event), ...media, "application/x-ndjson", "x-item-schema")).toEqual([]);
});
