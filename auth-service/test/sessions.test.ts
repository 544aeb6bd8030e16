import { SessionServiceClient } from "@chargemesh/contracts/auth/v1/session_service";
import { credentials } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type MovableClock, movableClock } from "./clock.ts";
import { ADMIN, call, freshPlace, logIn, type Place, refusal, type Service, signedIn, signUp, startService } from "./service.ts";
import { openTables } from "./tables.ts";

const PASSWORD = "correct horse battery staple";
const DAY_MS = 86_400_000;
let place: Place;
let clock: MovableClock;
let service: Service;
let sessions: SessionServiceClient;

beforeAll(async () => {
  place = await freshPlace();
  clock = movableClock();
  service = await startService(place, {}, clock);
  sessions = new SessionServiceClient(service.address, credentials.createInsecure());
});
afterAll(async () => {
  sessions?.close();
  await service?.stop();
  await place?.leave();
});

const listMine = async (token: string) => (await call(sessions, sessions.listMySessions, {}, token)).sessions;
const refresh = async (refreshToken: string) => signedIn(await call(service.users, service.users.refreshTokens, { refreshToken }));
const logInAs = (username: string) => logIn(service, { username, password: PASSWORD });
const ended = { code: "UNAUTHENTICATED", reason: "REFRESH_TOKEN_INVALID", fields: [] };
const notFound = { code: "NOT_FOUND", reason: "SESSION_NOT_FOUND", fields: [] };

test("users see where they are signed in, and which of it is where they ask", async () => {
  const first = await signUp(service, "ada");
  const second = await logInAs("ada");
  await signUp(service, "somebody");
  clock.aheadMs = 20_000;
  const refreshed = await refresh(first.refreshToken);
  const seen = await listMine(refreshed.accessToken);
  expect(seen).toEqual([
    {
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      createTime: expect.any(Date),
      refreshTime: expect.any(Date),
      expireTime: refreshed.refreshTokenExpireTime,
      remoteAddress: "127.0.0.1",
      userAgent: expect.stringMatching(/^grpc-node-js\//),
      current: true,
    },
    expect.objectContaining({ current: false, expireTime: second.refreshTokenExpireTime }),
  ]);
  expect(Number(seen[0]?.refreshTime) - Number(seen[0]?.createTime)).toBeGreaterThanOrEqual(20_000);
  expect((await listMine(second.accessToken)).map(({ current }) => current)).toEqual([false, true]);
  clock.aheadMs = 0;
});

test("users end one of their sessions, and nobody else's", async () => {
  const first = await signUp(service, "bob");
  const second = await logInAs("bob");
  const stranger = await signUp(service, "eve");
  const id = (await listMine(first.accessToken)).find(({ current }) => !current)?.id ?? "";
  expect(await refusal(call(sessions, sessions.deleteMySession, { id }, stranger.accessToken))).toEqual(notFound);
  expect(await call(sessions, sessions.deleteMySession, { id }, first.accessToken)).toEqual({});
  expect(await refusal(refresh(second.refreshToken))).toEqual(ended);
  expect(await refresh(first.refreshToken)).toMatchObject({ username: "bob" });
  expect(await refusal(call(sessions, sessions.deleteMySession, { id }, first.accessToken))).toEqual(notFound);
});

test("users log out everywhere, and others stay", async () => {
  const first = await signUp(service, "carol");
  const second = await logInAs("carol");
  const stranger = await signUp(service, "dan");
  expect(await call(sessions, sessions.revokeMySessions, {}, first.accessToken)).toEqual({ count: 2 });
  expect(await refusal(refresh(first.refreshToken))).toEqual(ended);
  expect(await refusal(refresh(second.refreshToken))).toEqual(ended);
  expect(await refresh(stranger.refreshToken)).toMatchObject({ username: "dan" });
});

test("administrators do the same for anybody, and nobody else does", async () => {
  const admin = await logIn(service, ADMIN);
  const user = await signUp(service, "frank");
  const other = await logInAs("frank");
  const list = (userId: string, token: string) => call(sessions, sessions.listSessions, { userId }, token);
  const { sessions: seen } = await list(user.id, admin.accessToken);
  expect(seen).toHaveLength(2);
  const oldest = seen.at(-1)?.id ?? "";
  expect(await refusal(call(sessions, sessions.deleteSession, { userId: admin.id, id: oldest }, admin.accessToken))).toEqual(notFound);
  await call(sessions, sessions.deleteSession, { userId: user.id, id: oldest }, admin.accessToken);
  expect(await refusal(refresh(user.refreshToken))).toEqual(ended);
  expect(await call(sessions, sessions.revokeSessions, { userId: user.id }, admin.accessToken)).toEqual({ count: 1 });
  expect(await refusal(refresh(other.refreshToken))).toEqual(ended);
  const nobody = "00000000-0000-4000-8000-000000000000";
  const noUser = { code: "NOT_FOUND", reason: "USER_NOT_FOUND", fields: [] };
  expect(await refusal(list(nobody, admin.accessToken))).toEqual(noUser);
  expect(await refusal(call(sessions, sessions.revokeSessions, { userId: nobody }, admin.accessToken))).toEqual(noUser);
  const denied = { code: "PERMISSION_DENIED", reason: "ACCESS_DENIED", fields: [] };
  expect(await refusal(list(user.id, user.accessToken))).toEqual(denied);
  expect(await refusal(call(sessions, sessions.revokeSessions, { userId: admin.id }, user.accessToken))).toEqual(denied);
});

test("sessions that have run out are not listed, and are swept from the table", async () => {
  const { id } = await signUp(service, "grace");
  clock.aheadMs = 31 * DAY_MS;
  const again = await logInAs("grace");
  clock.aheadMs = 0;
  const fresh = await logInAs("grace");
  clock.aheadMs = 31 * DAY_MS;
  expect((await listMine(fresh.accessToken)).map(({ expireTime }) => expireTime)).toEqual([again.refreshTokenExpireTime]);
  clock.aheadMs = 0;
  const tables = await openTables(place);
  await tables.query("update session set expire_time = now() - interval '1 second' where user_id = $1", [id]);
  const another = await startService(place);
  await expect
    .poll(async () => (await tables.query("select from session where user_id = $1", [id])).rowCount, { timeout: 10_000, interval: 50 })
    .toBe(0);
  await another.stop();
  await tables.end();
});
