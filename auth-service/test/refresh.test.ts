import { randomBytes } from "node:crypto";
import { connect, type NatsConnection } from "nats";
import type pg from "pg";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type MovableClock, movableClock } from "./clock.ts";
import { call, freshPlace, logIn, type Place, refusal, type Service, signedIn, signUp, startService } from "./service.ts";
import { openTables } from "./tables.ts";

const DAY_MS = 86_400_000;
const PATIENCE = { timeout: 10_000, interval: 20 };
let place: Place;
let clock: MovableClock;
let service: Service;
let tables: pg.Client;
let nats: NatsConnection;

beforeAll(async () => {
  place = await freshPlace();
  clock = movableClock();
  service = await startService(place, { REFRESH_GRACE_SECONDS: "30" }, clock);
  tables = await openTables(place);
  const { host, username, password } = new URL(place.nats.url);
  nats = await connect({ servers: host, user: username, pass: password });
});
afterAll(async () => {
  await nats?.close();
  await tables?.end();
  await service?.stop();
  await place?.leave();
});

const refresh = async (refreshToken: string) => signedIn(await call(service.users, service.users.refreshTokens, { refreshToken }));
const logInAs = (username: string) => logIn(service, { username, password: "correct horse battery staple" });
const logOut = (refreshToken: string) => call(service.users, service.users.logOut, { refreshToken });
interface EventData {
  username?: string;
  auditEntry?: { result?: string; actor?: { name?: string } };
}

/** The data of the next event of this type, or of the next one that fits. */
async function subscribed(type: string, fits: (data: EventData) => boolean = () => true): Promise<unknown> {
  for await (const message of nats.subscribe(`${type}.>`)) {
    const { data } = message.json<{ data: EventData }>();
    if (fits(data)) return data;
  }
  return undefined;
}
const refused = (reason: string) => ({ code: "UNAUTHENTICATED", reason, fields: [] });

test("a refresh token is exchanged for new tokens, again and again", async () => {
  const first = await signUp(service, "ada");
  const second = await refresh(first.refreshToken);
  expect(second).toMatchObject({ id: first.id, username: "ada", role: "DRIVER" });
  expect(second.refreshToken).not.toBe(first.refreshToken);
  const third = await refresh(second.refreshToken);
  const { user } = await call(service.users, service.users.getMe, {}, third.accessToken);
  expect(user?.id).toBe(first.id);
});

test("a spent refresh token that is shown again ends all that came of it, and nothing else", async () => {
  const first = await signUp(service, "bob@example.org");
  const elsewhere = await logInAs("bob@example.org");
  const second = await refresh(first.refreshToken);
  const third = await refresh(second.refreshToken);
  expect(await refusal(refresh(first.refreshToken))).toEqual(refused("REFRESH_TOKEN_REUSED"));
  expect(await refusal(refresh(third.refreshToken))).toEqual(refused("REFRESH_TOKEN_INVALID"));
  expect(await refresh(elsewhere.refreshToken)).toMatchObject({ username: "bob@example.org" });
});

test("the user is told by mail that a refresh token was used twice, if there is an address, and the audit log says so", async () => {
  const reuse = async (username: string): Promise<string> => {
    const { id, refreshToken } = await signUp(service, username);
    await refresh((await refresh(refreshToken)).refreshToken);
    expect(await refusal(refresh(refreshToken))).toEqual(refused("REFRESH_TOKEN_REUSED"));
    return id;
  };
  const told = subscribed("chargemesh.auth.v1.SecurityNoticeRaised", ({ username }) => username === "mail@example.org");
  const audited = subscribed(
    "chargemesh.audit.v1.AuditEntryRecorded",
    ({ auditEntry }) => auditEntry?.result === "REFRESH_TOKEN_REUSED" && auditEntry.actor?.name === "nomail",
  );
  const nobodyWithMail = await reuse("nomail");
  const id = await reuse("mail@example.org");
  expect(await told).toMatchObject({ userId: id, email: "mail@example.org", kind: "REFRESH_TOKEN_REUSED", remoteAddress: "127.0.0.1" });
  expect(await audited).toMatchObject({
    auditEntry: {
      action: "chargemesh.auth.v1.UserService/RefreshTokens",
      resource: `users/${nobodyWithMail}`,
      details: { session: expect.stringMatching(/^[0-9a-f-]{36}$/) },
      result: "REFRESH_TOKEN_REUSED",
      actor: { kind: "USER", name: "nomail" },
    },
  });
});

test("as it starts, a spent refresh token that is shown again at once ends its session", async () => {
  const strict = await startService(place);
  try {
    const { refreshToken } = await signUp(strict, "erin");
    const next = signedIn(await call(strict.users, strict.users.refreshTokens, { refreshToken }));
    const show = (token: string) => refusal(call(strict.users, strict.users.refreshTokens, { refreshToken: token }));
    expect(await show(refreshToken)).toEqual(refused("REFRESH_TOKEN_REUSED"));
    expect(await show(next.refreshToken)).toEqual(refused("REFRESH_TOKEN_INVALID"));
  } finally {
    await strict.stop();
  }
});

test("with a grace, a client that lost the answer asks again within it, and gets the same", async () => {
  const first = await signUp(service, "lou");
  const lost = await refresh(first.refreshToken);
  clock.aheadMs = 29_000;
  const again = await refresh(first.refreshToken);
  expect(again.refreshToken).toBe(lost.refreshToken);
  expect(again.refreshTokenExpireTime).toEqual(lost.refreshTokenExpireTime);
  expect((await call(service.users, service.users.getMe, {}, again.accessToken)).user?.id).toBe(first.id);
  expect(await refresh(again.refreshToken)).toMatchObject({ id: first.id });
  clock.aheadMs = 0;
});

test("after that, or once the answer has been used, a repeated token ends the session", async () => {
  const late = await signUp(service, "late");
  const lost = await refresh(late.refreshToken);
  clock.aheadMs = 31_000;
  expect(await refusal(refresh(late.refreshToken))).toEqual(refused("REFRESH_TOKEN_REUSED"));
  expect(await refusal(refresh(lost.refreshToken))).toEqual(refused("REFRESH_TOKEN_INVALID"));
  clock.aheadMs = 0;
  const thief = await signUp(service, "victim");
  const second = await refresh(thief.refreshToken);
  await refresh(second.refreshToken);
  expect(await refusal(refresh(thief.refreshToken))).toEqual(refused("REFRESH_TOKEN_REUSED"));
});

test("several who show a refresh token at once get the same one, and their session goes on", async () => {
  const { id, refreshToken } = await signUp(service, "carol");
  // All of them have come before any of them can spend it.
  await tables.query("begin");
  await tables.query("select from session where user_id = $1 for update", [id]);
  const calls = Promise.all(Array.from({ length: 4 }, () => refresh(refreshToken)));
  await vi.waitFor(async () => {
    // Within a transaction Postgres shows the same connections again and again, unless it is told to forget them.
    await tables.query("select pg_stat_clear_snapshot()");
    const { rowCount } = await tables.query(
      "select from pg_locks where not granted and pid in (select pid from pg_stat_activity where datname = current_database())",
    );
    expect(rowCount).toBe(4);
  }, PATIENCE);
  await tables.query("commit");
  const served = await calls;
  expect(new Set(served.map((one) => one.refreshToken)).size).toBe(1);
  expect(await refresh(served[0]?.refreshToken ?? "")).toMatchObject({ id });
});

test("a refresh token is good for 30 days, and each refresh gives 30 more", async () => {
  const first = await signUp(service, "dora");
  clock.aheadMs = 29 * DAY_MS;
  const second = await refresh(first.refreshToken);
  clock.aheadMs = 58 * DAY_MS;
  const third = await refresh(second.refreshToken);
  clock.aheadMs = 88 * DAY_MS + 60_000;
  expect(await refusal(refresh(third.refreshToken))).toEqual(refused("REFRESH_TOKEN_EXPIRED"));
  clock.aheadMs = 0;
});

test("after logging out the session is over, with a spent token too, and only that session", async () => {
  const first = await signUp(service, "eve");
  const elsewhere = signedIn(await call(service.users, service.users.logIn, { username: "eve", password: "correct horse battery staple" }));
  const second = await refresh(first.refreshToken);
  expect(await logOut(first.refreshToken)).toEqual({});
  expect(await refusal(refresh(second.refreshToken))).toEqual(refused("REFRESH_TOKEN_INVALID"));
  expect(await logOut(second.refreshToken)).toEqual({});
  expect(await refresh(elsewhere.refreshToken)).toMatchObject({ username: "eve" });
});

test.each([
  ["is garbage", "garbage"],
  ["nobody was given", randomBytes(48).toString("base64url")],
  ["is not written as we write it", `${randomBytes(48).toString("base64url")}=`],
])("a refresh token that %s is refused, and can be logged out", async (_what, token) => {
  expect(await refusal(refresh(token))).toEqual(refused("REFRESH_TOKEN_INVALID"));
  expect(await logOut(token)).toEqual({});
});

test("without a refresh token the field is named", async () => {
  const refusedField = { code: "INVALID_ARGUMENT", reason: "INVALID_FIELD", fields: ["refresh_token"] };
  expect(await refusal(refresh(""))).toEqual(refusedField);
  expect(await refusal(logOut(""))).toEqual(refusedField);
});

test("no token can be read out of the tables", async () => {
  const { refreshToken } = await signUp(service, "frank");
  const { rows } = await tables.query("select * from session");
  const stored = rows
    .flatMap((row: object) => Object.values(row))
    .map((value: unknown) => (Buffer.isBuffer(value) ? value : Buffer.from(String(value))));
  const shown = Buffer.from(refreshToken, "base64url");
  expect(stored.some((bytes) => bytes.includes(shown) || bytes.includes(shown.subarray(0, 16)) || bytes.includes(refreshToken))).toBe(
    false,
  );
});

test("a user has at most 100 sessions; the oldest gives way", async () => {
  const first = await signUp(service, "grace");
  const second = signedIn(await call(service.users, service.users.logIn, { username: "grace", password: "correct horse battery staple" }));
  for (let i = 0; i < 99; i++) {
    await call(service.users, service.users.logIn, { username: "grace", password: "correct horse battery staple" });
  }
  const { rows } = await tables.query("select count(*)::int as count from session where user_id = $1", [first.id]);
  expect(rows).toEqual([{ count: 100 }]);
  expect(await refusal(refresh(first.refreshToken))).toEqual(refused("REFRESH_TOKEN_INVALID"));
  expect(await refresh(second.refreshToken)).toMatchObject({ id: first.id });
});
