import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ADMIN, type Env, startEnv } from "../env.ts";
import { type Answer, type Rest, restOf, signIn } from "../rest.ts";

// Of what one may see or change, only the fields that are one's to see or change.

let env: Env;
let admin: Rest;
let anybody: Rest;
const PASSWORD = "correct horse battery staple";

beforeAll(async () => {
  env = await startEnv();
  anybody = restOf(env.rest);
  admin = await signIn(env.rest, ADMIN);
});
afterAll(() => env.stop());

const reasonOf = ({ body }: Answer): string => body.error.details[0].reason;
const fieldsOf = ({ body }: Answer): string[] =>
  (body.error.details[1]?.fieldViolations ?? []).map(({ field }: { field: string }) => field);

test.each(["role", "id", "emailVerified", "isAdmin", "__proto__", "constructor", "passwordHash", "user.role"])(
  "who signs up says nothing of %s",
  async (field) => {
    const body = `{"username":"mallory","password":"${PASSWORD}",${JSON.stringify(field)}:"ADMIN"}`;
    const answer = await anybody("POST", "/auth/signup", body);
    expect([answer.status, reasonOf(answer), fieldsOf(answer)]).toEqual([400, "UNKNOWN_FIELD", [field]]);
  },
);

test("a name stands once in a body", async () => {
  const answer = await anybody("POST", "/auth/signup", `{"username":"eve","password":"${PASSWORD}","username":"mallory"}`);
  expect(answer.status).toBe(400);
});

test("nobody changes what is not theirs to change, whether they name it in the body or in the mask", async () => {
  await admin("POST", "/ocpp/chargers", { id: "CP-PROPERTIES" });
  const patch = (query: string, body: object): Promise<Answer> => admin("PATCH", `/ocpp/chargers/CP-PROPERTIES${query}`, body);
  for (const body of [{ connected: true }, { epoch: 9 }, { createTime: "2020-01-01T00:00:00Z" }, { firmwareVersion: "9" }]) {
    expect((await patch("", body)).status, JSON.stringify(body)).toBe(400);
  }
  for (const mask of ["id", "connected", "*", "password_hash", "display_name,id"]) {
    expect((await patch(`?updateMask=${encodeURIComponent(mask)}`, { displayName: "x" })).status, mask).toBe(400);
  }
});

test("no answer shows a password, a hash or a token, but the one that was made for it", async () => {
  const { body: user } = await anybody("POST", "/auth/signup", { username: "zoe", password: PASSWORD });
  const { body: charger } = await admin("POST", "/ocpp/chargers", { id: "CP-SECRET" });
  expect(charger.password).toMatch(/^.{16,}$/);
  const driver = restOf(env.rest, user.accessToken);
  const answers = await Promise.all([
    ...["/auth/users", `/auth/users/${user.id}`, "/ocpp/chargers", "/ocpp/chargers/CP-SECRET", "/ocpp/connections", "/email/messages"].map(
      (path) => admin("GET", path),
    ),
    ...["/auth/me", "/ocpp/chargers", "/ocpp/chargers/CP-SECRET"].map((path) => driver("GET", path)),
  ]);
  for (const { status, body } of answers) {
    expect(status).toBe(200);
    const text = JSON.stringify(body);
    for (const secret of [charger.password, PASSWORD, user.accessToken, user.refreshToken, "argon2"]) expect(text).not.toContain(secret);
    expect(text).not.toMatch(/"(passwordHash|tokenHash|password)":"[^"]/);
  }
});

test("a list holds at most 200, however many are asked for", async () => {
  const client = new pg.Client(env.database.ownerUrl);
  await client.connect();
  await client.query("insert into ocpp.id_token (id_token) select 'MANY-' || n from generate_series(1, 201) n");
  await client.end();
  const { body } = await admin("GET", "/ocpp/idTokens?pageSize=2147483647");
  expect([body.idTokens.length, body.nextPageToken !== ""]).toEqual([200, true]);
});
