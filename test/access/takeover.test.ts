import pg from "pg";
import PostalMime from "postal-mime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Env, startEnv } from "../env.ts";
import { type Answer, eventually, type Rest, restOf } from "../rest.ts";

// Somebody has got into an account. What its owner does about it leaves them nothing.

const PASSWORD = "seven purple herons";
let env: Env;
let anybody: Rest;

beforeAll(async () => {
  env = await startEnv();
  anybody = restOf(env.rest);
});
afterAll(() => env.stop());

const reasonOf = ({ status, body }: Answer) => [status, body?.error?.details[0].reason];
const newKey = () => ({
  displayName: "a way back",
  role: "DRIVER",
  scopes: ["*:*"],
  expireTime: new Date(Date.now() + 3_600_000).toISOString(),
});

async function signUp(username: string): Promise<Rest> {
  const { status, body } = await anybody("POST", "/auth/signup", { username, password: PASSWORD });
  expect(status).toBe(200);
  return restOf(env.rest, body.accessToken);
}

test("a reset of the password ends API keys as it ends sessions", async () => {
  const username = "rose@example.com";
  const thief = await signUp(username);
  const key = await thief("POST", "/auth/apiKeys", newKey());
  expect(key.status).toBe(200);
  await anybody("POST", "/auth/password:requestReset", { email: username });
  const token = await eventually(async () => {
    const mails = await Promise.all((await env.mails()).map((raw) => PostalMime.parse(raw)));
    return mails.map(({ text }) => /#reset=([\w-]{43})/.exec(text ?? "")?.[1]).find((found) => found !== undefined);
  });
  expect((await anybody("POST", "/auth/password:reset", { token, newPassword: "eight yellow otters" })).status).toBe(200);
  const byKey = restOf(env.rest, key.body.secret);
  expect(reasonOf(await byKey("GET", "/auth/me"))).toEqual([401, "API_KEY_INVALID"]);
  expect(reasonOf(await byKey("GET", "/ocpp/transactions"))).toEqual([401, "API_KEY_INVALID"]);
});

test("an access token whose session has ended makes no API key, though it is good for minutes", async () => {
  const thief = await signUp("sam");
  expect((await thief("POST", "/auth/me/sessions:revokeAll", {})).status).toBe(200);
  expect((await thief("GET", "/auth/me")).status).toBe(200);
  expect(reasonOf(await thief("POST", "/auth/apiKeys", newKey()))).toEqual([401, "TOKEN_INVALID"]);
  expect((await thief("GET", "/auth/apiKeys")).body.apiKeys).toEqual([]);
});

test("who signs in by a password while it is changed is not signed in after", async () => {
  await signUp("tess");
  const owner = new pg.Client(env.database.ownerUrl);
  await owner.connect();
  await owner.query("begin");
  await owner.query(`update authentication."user" set password_hash = 'another' where username = 'tess'`);
  // The password that is shown is still the right one to whoever reads it now.
  const signingIn = anybody("POST", "/auth/login", { username: "tess", password: PASSWORD });
  const watcher = new pg.Client(env.database.ownerUrl);
  await watcher.connect();
  await eventually(async () => (await watcher.query("select from pg_locks where not granted")).rowCount !== 0);
  await watcher.end();
  await owner.query(`delete from authentication.session where user_id = (select id from authentication."user" where username = 'tess')`);
  await owner.query("commit");
  expect(reasonOf(await signingIn)).toEqual([401, "INVALID_CREDENTIALS"]);
  const { rows } = await owner.query(
    `select from authentication.session join authentication."user" on user_id = "user".id where username = 'tess'`,
  );
  expect(rows).toEqual([]);
  await owner.end();
});
