import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../../test/rest.ts";
import { given, refusal, startService } from "../service.ts";
import { type CredentialDesk, openDesk } from "./credential-desk.ts";
import { openSite, type Site } from "./site.ts";
import { type Reaction, Refusal } from "./station.ts";

// A new password and the old one, until the charger shows the new one.

let site: Site;
let desk: CredentialDesk;

beforeAll(async () => {
  site = await openSite({ OCPP_CALL_SECONDS: "1" });
  desk = openDesk(site);
});
afterAll(async () => {
  await site?.leave();
});

const WRONG = "WRONG_PASSWORD";
const keyOf = (password = "") => Buffer.from(password).toString("hex").toUpperCase();
const sealedSecrets = async (chargerId: string) =>
  (await site.rows("select sealed_secret from command where charger_id = $1 order by number", [chargerId])).map((row) => row.sealed_secret);
/** A charger that is connected, with its password. */
async function join(id: string, reaction: Reaction) {
  const password = await site.register(id);
  const station = await site.connect(id, { react: () => reaction });
  await station.boot();
  return { password, station };
}
/** A charger comes in with this password and leaves. */
async function visit(id: string, password: string | undefined): Promise<void> {
  const station = await site.connect(id, { password: given(password) });
  await station.leave();
  await site.gone(id);
}

test("a charger that takes its new password comes back with it, and then the old one is worth nothing", async () => {
  const { password: old, station } = await join("R-1", { status: "Accepted" });
  const { password, credential } = await desk.rotate("R-1");
  expect(password).toMatch(/^[\w-]{20}$/);
  expect(station.asked).toMatchObject([{ action: "ChangeConfiguration", payload: { key: "AuthorizationKey", value: keyOf(password) } }]);
  expect(credential).toMatchObject({ state: "ROTATING", rotateTime: expect.any(Date), rotationState: "ACCEPTED" });
  expect(await site.charger("R-1")).toMatchObject({ password: undefined, connected: true, credential });
  expect([await desk.knock("R-1", old), await desk.knock("R-1", given(password))]).toEqual(["", ""]);
  const again = await site.connect("R-1", { password: given(password) });
  expect(await station.closed).toMatchObject({ code: 1001 });
  const after = given((await site.charger("R-1")).credential);
  expect(after).toMatchObject({ state: "CURRENT", rotateTime: credential?.rotateTime, rotationState: "ACCEPTED" });
  expect(given(after.setTime)).toEqual(after.lastUsedTime);
  expect([await desk.knock("R-1", old), await desk.knock("R-1", given(password))]).toEqual([WRONG, ""]);
  await expect(site.connect("R-1", { password: old })).rejects.toThrow(Refusal);
  await again.leave();
});

test("the password is nowhere but in the answer and at the charger", async () => {
  const { station } = await join("R-2", { status: "Accepted" });
  const { password, credential } = await desk.rotate("R-2", { password: "a-given-password-20x" });
  expect(password).toBe("a-given-password-20x");
  const command = await site.commandById("R-2", given(credential).rotationCommandId);
  expect(command).toMatchObject({
    action: "ChangeConfiguration",
    payload: { key: "AuthorizationKey", value: "(secret)" },
    state: "ACCEPTED",
  });
  const kept = JSON.stringify([await site.told(), await site.rows("select * from command"), await site.rows("select * from outbox")]);
  expect(kept).toContain("(secret)");
  expect(kept.toUpperCase()).not.toContain(keyOf(password));
  expect(kept).not.toContain(password);
  await station.leave();
});

test.each<[string, Reaction]>([
  ["in a status of its own", { status: "a-given-password-20y" }],
  ["in an error", { errorCode: "InternalError", errorDescription: `what is ${keyOf("a-given-password-20y").toLowerCase()}?` }],
])("a charger that repeats its password %s is not quoted", async (what, reaction) => {
  const id = `R-echo-${what.length}`;
  const { station } = await join(id, reaction);
  const { credential } = await desk.rotate(id, { password: "a-given-password-20y" });
  const command = await site.commandById(id, given(credential).rotationCommandId);
  expect(command).toMatchObject({ state: "FAILED" });
  expect(JSON.stringify(command).toUpperCase()).not.toMatch(new RegExp(`${keyOf("a-given-password-20y")}|A-GIVEN-PASSWORD`));
  await station.leave();
});

test("a confirmation that is lost locks nobody out, whichever password the charger has", async () => {
  const { password: old, station } = await join("R-3", undefined);
  const rotating = desk.rotate("R-3");
  await station.isAsked("ChangeConfiguration");
  station.socket.terminate();
  const { password, credential } = await rotating;
  expect(credential).toMatchObject({ state: "ROTATING", rotationState: "FAILED" });
  await site.gone("R-3");
  await visit("R-3", old);
  expect((await site.charger("R-3")).credential).toMatchObject({ state: "ROTATING" });
  await visit("R-3", password);
  expect([await desk.knock("R-3", old), await desk.knock("R-3", given(password))]).toEqual([WRONG, ""]);
});

test.each<[string, Reaction, string]>([
  ["Rejected", { status: "Rejected" }, "REJECTED"],
  ["NotSupported", { status: "NotSupported" }, "REJECTED"],
  ["a CALLERROR that it knows no such thing", { errorCode: "NotImplemented" }, "FAILED"],
])("a charger that answers %s keeps its old password, and the new one is dropped", async (answer, reaction, rotationState) => {
  const id = `R-no-${answer.length}`;
  const { password: old, station } = await join(id, reaction);
  const { password, credential } = await desk.rotate(id);
  expect(credential).toMatchObject({ state: "CURRENT", rotationState, rotateTime: expect.any(Date) });
  expect([await desk.knock(id, old), await desk.knock(id, given(password))]).toEqual(["", WRONG]);
  await station.leave();
});

test.each<[string, Reaction, string]>([
  ["nothing in time", undefined, "TIMED_OUT"],
  ["an error of its own", { errorCode: "InternalError" }, "FAILED"],
  ["what no answer is", { status: "Perhaps" }, "FAILED"],
  ["that it will, after a restart", { status: "RebootRequired" }, "ACCEPTED"],
])("a charger that answers %s may have either password", async (answer, reaction, rotationState) => {
  const id = `R-perhaps-${answer.length}`;
  const { password: old, station } = await join(id, reaction);
  const { password, credential } = await desk.rotate(id);
  expect(credential).toMatchObject({ state: "ROTATING", rotationState });
  expect([await desk.knock(id, old), await desk.knock(id, given(password))]).toEqual(["", ""]);
  expect(await sealedSecrets(id)).toEqual([null]);
  await station.leave();
});

test("the new password waits for an offline charger, sealed, also over a restart", async () => {
  const old = await site.register("R-4");
  const before = Date.now();
  const { password, credential } = await desk.rotate("R-4");
  expect(credential).toMatchObject({ state: "ROTATING", rotationState: "QUEUED" });
  const command = await site.commandById("R-4", given(credential).rotationCommandId);
  expect((given(command.expireTime).getTime() - before) / 3_600_000).toBeCloseTo(24, 1);
  const [sealed] = await sealedSecrets("R-4");
  expect(Buffer.from(sealed, "base64url").toString("latin1")).not.toContain(keyOf(password));
  const restarted = await startService(site.place);
  const station = await site.connect("R-4", { password: old }, restarted);
  await station.boot();
  expect(await station.isAsked("ChangeConfiguration")).toMatchObject({ payload: { value: keyOf(password) } });
  await eventually(async () => (await site.commandById("R-4", command.id)).state === "ACCEPTED");
  expect(await sealedSecrets("R-4")).toEqual([null]);
  await station.leave();
  await visit("R-4", password);
  expect(await desk.knock("R-4", old)).toBe(WRONG);
  await restarted.stop();
});

test("a new password that never reached the charger is dropped when its time is over", async () => {
  const old = await site.register("R-5");
  const { password } = await desk.rotate("R-5", { ttlSeconds: 1 });
  expect(await desk.knock("R-5", given(password))).toBe("");
  const { credential } = await eventually(async () => {
    const charger = await site.charger("R-5");
    return charger.credential?.state === "CURRENT" && charger;
  });
  expect(credential).toMatchObject({ rotationState: "EXPIRED" });
  expect([await desk.knock("R-5", old), await desk.knock("R-5", given(password))]).toEqual(["", WRONG]);
});

test("a secret that can no longer be read is not sent, and its password dropped", async () => {
  const old = await site.register("R-6");
  const { credential } = await desk.rotate("R-6");
  await site.rows("update command set sealed_secret = $1 where charger_id = 'R-6'", [Buffer.alloc(60).toString("base64url")]);
  const station = await site.connect("R-6", { password: old });
  await station.boot();
  const { id } = await eventually(async () => {
    const command = await site.commandById("R-6", given(credential).rotationCommandId);
    return command.state === "FAILED" && command;
  });
  expect(await site.commandById("R-6", id)).toMatchObject({ errorCode: "SECRET_LOST" });
  expect((await site.charger("R-6")).credential).toMatchObject({ state: "CURRENT" });
  expect(station.asked).toEqual([]);
  await station.leave();
});

test("of two rotations that wait only the second is sent", async () => {
  const old = await site.register("R-7");
  const first = await desk.rotate("R-7");
  const second = await desk.rotate("R-7");
  expect(await site.commandById("R-7", given(first.credential).rotationCommandId)).toMatchObject({
    state: "FAILED",
    errorCode: "CANCELLED",
  });
  expect([await desk.knock("R-7", given(first.password)), await desk.knock("R-7", given(second.password))]).toEqual([WRONG, ""]);
  const station = await site.connect("R-7", { password: old });
  await station.boot();
  expect(await station.isAsked("ChangeConfiguration")).toMatchObject({ payload: { value: keyOf(second.password) } });
  expect(station.asked).toHaveLength(1);
  await station.leave();
});

test("whatever of several new passwords a charger shows, only the older ones are worth nothing", async () => {
  const { password: old, station } = await join("R-8", { errorCode: "InternalError" });
  const made = [];
  for (let i = 0; i < 4; i++) made.push(given((await desk.rotate("R-8")).password));
  const [first = "", second = "", third = "", fourth = ""] = made;
  expect(await refusal(desk.rotate("R-8"))).toEqual({ code: "FAILED_PRECONDITION", reason: "ROTATIONS_UNSETTLED", fields: [] });
  await station.leave();
  await visit("R-8", second);
  const knocks = async () => Promise.all([old, first, second, third, fourth].map((one) => desk.knock("R-8", one)));
  expect(await knocks()).toEqual([WRONG, WRONG, "", "", ""]);
  expect((await site.charger("R-8")).credential).toMatchObject({ state: "ROTATING" });
  await visit("R-8", fourth);
  expect(await knocks()).toEqual([WRONG, WRONG, WRONG, WRONG, ""]);
  expect((await site.charger("R-8")).credential).toMatchObject({ state: "CURRENT" });
});

test("a charger that needs no password needs the one that it is given, once it shows it", async () => {
  await site.register("R-9");
  await site.rows("update charger set password_hash = null where id = 'R-9'");
  expect((await site.charger("R-9")).credential).toMatchObject({ state: "NONE" });
  const { password } = await desk.rotate("R-9", { password: "00112233445566778899AABBCCDDEEFF00112233" });
  expect(await desk.knock("R-9", "whatever")).toBe("");
  await (await site.connect("R-9", { password: Buffer.from(given(password), "hex") })).leave();
  expect((await site.charger("R-9")).credential).toMatchObject({ state: "CURRENT" });
  expect(await desk.knock("R-9", "whatever")).toBe(WRONG);
});
