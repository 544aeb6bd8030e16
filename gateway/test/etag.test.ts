import { afterAll, beforeAll, expect, test } from "vitest";
import { ADMIN, type Env, startEnv } from "../../test/env.ts";

// Two who change one charger, over the whole way: If-Match at the edge, the version in the database.

let env: Env;
let authorization: string;
beforeAll(async () => {
  env = await startEnv();
  const answer = await fetch(`${env.rest}/auth/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(ADMIN),
  });
  authorization = `Bearer ${((await answer.json()) as { accessToken: string }).accessToken}`;
});
afterAll(() => env.stop());

const call = (method: string, path: string, headers: Record<string, string>, body?: object) =>
  fetch(env.rest + path, {
    method,
    headers: { authorization, "content-type": "application/json", ...headers },
    ...(body && { body: JSON.stringify(body) }),
  });

test("the second of two changes of the same version is 412, and what is known already is 304", async () => {
  const made = await call("POST", "/ocpp/chargers", {}, { id: "CP-1" });
  const etag = made.headers.get("etag") ?? "";
  expect([made.status, etag, made.headers.get("cache-control")]).toEqual([200, '"1"', "private, no-cache"]);
  expect((await call("GET", "/ocpp/chargers/CP-1", { "if-none-match": etag })).status).toBe(304);

  const first = await call("PATCH", "/ocpp/chargers/CP-1", { "if-match": etag }, { displayName: "first" });
  expect([first.status, first.headers.get("etag")]).toEqual([200, '"2"']);
  const second = await call("PATCH", "/ocpp/chargers/CP-1", { "if-match": etag }, { displayName: "second" });
  expect([second.status, await second.json()]).toMatchObject([
    412,
    { error: { code: 412, status: "ABORTED", details: [{ reason: "ETAG_STALE", domain: "chargemesh" }] } },
  ]);
  const now = await call("GET", "/ocpp/chargers/CP-1", { "if-none-match": etag });
  expect([now.status, ((await now.json()) as { displayName: string }).displayName]).toEqual([200, "first"]);
  // In the body it is a conflict, as it was.
  expect((await call("PATCH", "/ocpp/chargers/CP-1", {}, { displayName: "third", etag: "1" })).status).toBe(409);
  expect((await call("PATCH", "/ocpp/chargers/CP-1", {}, { displayName: "third", etag: "2" })).status).toBe(200);
});
