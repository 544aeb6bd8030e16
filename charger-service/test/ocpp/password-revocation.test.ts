import { afterAll, beforeAll, expect, test } from "vitest";
import { given, refusal, type Service, startService } from "../service.ts";
import { type CredentialDesk, openDesk } from "./credential-desk.ts";
import { openSite, type Site } from "./site.ts";

// Passwords that are taken away, given up, set by hand, or attempted by another way.

let site: Site;
let desk: CredentialDesk;
let neighbour: Service;

beforeAll(async () => {
  site = await openSite();
  desk = openDesk(site);
  neighbour = await startService(site.place);
});
afterAll(async () => {
  await neighbour?.stop();
  await site?.leave();
});

const WRONG = "WRONG_PASSWORD";
const REVOKED = "PASSWORD_REVOKED";
const precondition = (reason: string) => ({ code: "FAILED_PRECONDITION", reason, fields: [] });

test.each([
  ["this replica", () => site.service],
  ["another replica", () => neighbour],
])("a revoked password closes the connection at %s, and lets nobody in until another is set", async (_where, at) => {
  const id = `V-${_where.split(" ")[0]}`;
  const old = await site.register(id);
  const station = await site.connect(id, { react: () => ({ errorCode: "InternalError" }) }, at());
  await station.boot();
  const { password: other } = await desk.rotate(id);
  expect(await desk.revoke(id)).toMatchObject({ connected: false, password: undefined, credential: { state: "REVOKED" } });
  expect(await station.closed).toEqual({ code: 1000, reason: REVOKED });
  expect([await desk.knock(id, old), await desk.knock(id, given(other))]).toEqual([REVOKED, REVOKED]);
  await expect(site.connect(id, {}, at())).rejects.toThrow(/401.*PASSWORD_REVOKED/);
  expect((await site.connections(id)).map(({ state, reason }) => [state, reason])).toContainEqual(["CLOSED", REVOKED]);
  const told = (await site.told()).filter(({ subject, type }) => subject === id && type === "ChargerDisconnected");
  expect(told.map(({ data }) => data.reason)).toEqual([REVOKED]);
  expect(await refusal(desk.rotate(id))).toEqual(precondition(REVOKED));
  expect(await desk.revoke(id)).toMatchObject({ credential: { state: "REVOKED" } });
  expect(await desk.change(id, { password: "the-password-of-afterwards" })).toMatchObject({ credential: { state: "CURRENT" } });
  expect([await desk.knock(id, old), await desk.knock(id, given(other))]).toEqual([WRONG, WRONG]);
  const back = await site.connect(id, { password: "the-password-of-afterwards" }, at());
  expect(await back.boot()).toMatchObject({ status: "Accepted" });
  await back.leave();
});

test("what waits for a charger is not sent once its password is revoked, or another is set", async () => {
  for (const end of [() => desk.revoke("V-2"), () => desk.change("V-2", { password: "a-password-set-by-hand" })]) {
    await site.remove("V-2").catch(() => undefined);
    await site.register("V-2");
    const { password, credential } = await desk.rotate("V-2");
    expect(await desk.knock("V-2", given(password))).toBe("");
    await end();
    expect(await site.commandById("V-2", given(credential).rotationCommandId)).toMatchObject({ state: "FAILED", errorCode: "CANCELLED" });
    expect(await desk.knock("V-2", given(password))).not.toBe("");
  }
});

test("a rotation that is given up leaves the old password, and none is no rotation to give up", async () => {
  const old = await site.register("V-3");
  expect(await refusal(desk.cancel("V-3"))).toEqual(precondition("NO_ROTATION"));
  const { password, credential } = await desk.rotate("V-3");
  expect(await desk.cancel("V-3")).toMatchObject({ credential: { state: "CURRENT", rotationState: "FAILED" } });
  expect(await site.commandById("V-3", given(credential).rotationCommandId)).toMatchObject({ errorCode: "CANCELLED", sendTime: undefined });
  expect([await desk.knock("V-3", old), await desk.knock("V-3", given(password))]).toEqual(["", WRONG]);
});

test("whoever was let in while the password changed is refused all the same", async () => {
  const old = await site.register("V-4");
  const held = await site.hold("update charger set password_hash = decode(repeat('00', 48), 'hex') where id = 'V-4'");
  const connecting = site.connect("V-4", { password: old });
  await site.blocked(1);
  await held.release();
  await expect(connecting).rejects.toThrow(/401.*WRONG_PASSWORD/);
  expect(await site.charger("V-4")).toMatchObject({ connected: false });
});

test.each(["AuthorizationKey", "authorizationkey"])("%s is not set by a command", async (key) => {
  await site.register(`V-5-${key}`);
  const asking = site.command({
    chargerId: `V-5-${key}`,
    action: "ChangeConfiguration",
    payload: { key, value: "00112233445566778899AABBCCDDEEFF" },
  });
  expect(await refusal(asking)).toMatchObject({ code: "INVALID_ARGUMENT", fields: ["payload.key"] });
  await expect(asking).rejects.toThrow(/rotatePassword/);
  expect(await site.rows("select from command where charger_id = $1", [`V-5-${key}`])).toEqual([]);
});

test("a charger that tells its password is not quoted", async () => {
  const configurationKey = [
    { key: "authorizationKey", readonly: false, value: "00112233" },
    { key: "AuthorizationKey", readonly: false },
    { key: "HeartbeatInterval", readonly: false, value: "60" },
  ];
  const station = await site.join("V-6", { react: () => ({ configurationKey }) });
  const { response } = await site.command({ chargerId: "V-6", action: "GetConfiguration" });
  const [first, ...others] = configurationKey;
  expect(response).toEqual({ configurationKey: [{ ...first, value: "(secret)" }, ...others] });
  await station.leave();
});

test.each([
  ["too long for OCPP 1.6", "a-password-of-21-bytes", "password"],
  ["too poor", "aaaaaaaaaaaaaaaa", "password"],
  ["too short", "short", "password"],
])("a password that is %s is not sent", async (what, password, field) => {
  const id = `V-7-${what.length}`;
  const old = await site.register(id);
  expect(await refusal(desk.rotate(id, { password }))).toEqual({ code: "INVALID_ARGUMENT", reason: "INVALID_FIELD", fields: [field] });
  expect(await desk.knock(id, old)).toBe("");
});

test("who is not there has no password to change", async () => {
  for (const change of [desk.rotate, desk.cancel, desk.revoke]) {
    expect(await refusal(change("nobody"))).toEqual({ code: "NOT_FOUND", reason: "CHARGER_NOT_FOUND", fields: [] });
  }
});
