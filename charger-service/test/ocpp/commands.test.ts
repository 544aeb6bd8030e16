import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../../test/rest.ts";
import { given, refusal } from "../service.ts";
import { openSite, type Site } from "./site.ts";
import type { Reaction, Station } from "./station.ts";

// What becomes of a command: every end it can have, by what the charger says or does not say (decision 7).

let site: Site;
let station: Station;
/** What the charger says to the next CALL. */
let reaction: Reaction;

beforeAll(async () => {
  site = await openSite({ OCPP_CALL_SECONDS: "1" });
  station = await site.join("C-1", { react: () => reaction });
});
afterAll(async () => {
  await station?.leave();
  await site?.leave();
});

const send = (action: string, payload: object = {}, fields: object = {}) =>
  site.command({ chargerId: "C-1", action, payload: payload as Record<string, unknown>, ...fields });
const statesTold = async (id: string) =>
  (await site.told()).filter(({ type, subject }) => type === "CommandUpdated" && subject === id).map(({ data }) => data.command.state);

const profile = { chargingProfileId: 1, stackLevel: 0, chargingProfilePurpose: "TxProfile", chargingProfileKind: "Relative" };
const schedule = { chargingRateUnit: "A", chargingSchedulePeriod: [{ startPeriod: 0, limit: 16.1 }] };
const keys = { configurationKey: [{ key: "HeartbeatInterval", readonly: false, value: "300" }], unknownKey: ["Nope"] };

test.each<[string, object, object, string]>([
  ["RemoteStartTransaction", { idTag: "A" }, { status: "Accepted" }, "ACCEPTED"],
  [
    "RemoteStartTransaction",
    { idTag: "A", connectorId: 1, chargingProfile: { ...profile, chargingSchedule: schedule } },
    { status: "Rejected" },
    "REJECTED",
  ],
  ["RemoteStopTransaction", { transactionId: 7 }, { status: "Accepted" }, "ACCEPTED"],
  ["RemoteStopTransaction", { transactionId: 7 }, { status: "Rejected" }, "REJECTED"],
  ["Reset", { type: "Hard" }, { status: "Accepted" }, "ACCEPTED"],
  ["Reset", { type: "Soft" }, { status: "Rejected" }, "REJECTED"],
  ["ChangeAvailability", { connectorId: 0, type: "Inoperative" }, { status: "Accepted" }, "ACCEPTED"],
  ["ChangeAvailability", { connectorId: 1, type: "Operative" }, { status: "Scheduled" }, "ACCEPTED"],
  ["TriggerMessage", { requestedMessage: "BootNotification" }, { status: "Accepted" }, "ACCEPTED"],
  ["TriggerMessage", { requestedMessage: "MeterValues", connectorId: 2 }, { status: "NotImplemented" }, "REJECTED"],
  ["UnlockConnector", { connectorId: 1 }, { status: "Unlocked" }, "ACCEPTED"],
  ["UnlockConnector", { connectorId: 1 }, { status: "UnlockFailed" }, "REJECTED"],
  ["UnlockConnector", { connectorId: 1 }, { status: "NotSupported" }, "REJECTED"],
  ["GetConfiguration", { key: ["HeartbeatInterval", "Nope"] }, keys, "ACCEPTED"],
  ["GetConfiguration", {}, {}, "ACCEPTED"],
  ["ChangeConfiguration", { key: "HeartbeatInterval", value: "60" }, { status: "Accepted" }, "ACCEPTED"],
  ["ChangeConfiguration", { key: "A", value: "b" }, { status: "RebootRequired" }, "ACCEPTED"],
  ["ChangeConfiguration", { key: "A", value: "" }, { status: "NotSupported" }, "REJECTED"],
  ["DataTransfer", { vendorId: "Acme", data: "half \ufffd" }, { status: "Accepted", data: "yes" }, "ACCEPTED"],
])("%s %j, answered %j, is %s", async (action, payload, response, state) => {
  reaction = response;
  const before = station.asked.length;
  const command = await send(action, payload);
  expect(station.asked.slice(before).map(({ action, payload }) => ({ action, payload }))).toEqual([{ action, payload }]);
  const status = (response as { status?: string }).status ?? "";
  expect(command).toMatchObject({ chargerId: "C-1", action, payload, state, status, response, errorCode: "", errorDescription: "" });
  expect(given(command.endTime).getTime()).toBeGreaterThanOrEqual(given(command.sendTime).getTime());
  expect(await site.commandById("C-1", command.id)).toEqual(command);
  expect(await statesTold(command.id)).toEqual(["QUEUED", "SENT", state]);
});

test.each<[string, (id: string) => unknown, string, string]>([
  ["a CALLERROR", (id) => [4, id, "NotSupported", "no such thing", {}], "NotSupported", "no such thing"],
  ["a code as 1.6 spells it", (id) => [4, id, "OccurenceConstraintViolation", "", {}], "OccurrenceConstraintViolation", ""],
  ["a code of its own", (id) => [4, id, "OutOfCoffee", "sorry", "a string"], "OutOfCoffee", "sorry"],
  ["a CALLERROR with nothing in it", (id) => [4, id], "GenericError", ""],
  ["a CALLERROR of numbers", (id) => [4, id, 1, 2, 3, 4], "GenericError", ""],
  ["a CALLERROR that Postgres cannot hold", (id) => [4, id, "a\u0000b", "c\u0000\ud800", {}], "a\ufffdb", "c\ufffd\ufffd"],
  ["a status that there is not", (id) => [3, id, { status: "Maybe" }], "INVALID_RESPONSE", ".status must be one of Accepted, Rejected"],
  ["no status", (id) => [3, id, {}], "INVALID_RESPONSE", ".status is required"],
  [
    "a field too many",
    (id) => [3, id, { status: "Accepted", a: 1 }],
    "INVALID_RESPONSE",
    ".a is not a field of this message (would be taken with EXTRA_FIELDS)",
  ],
  [
    "a field that Postgres cannot hold",
    (id) => [3, id, { status: "Accepted", "a\u0000": 1 }],
    "INVALID_RESPONSE",
    ".a\ufffd is not a field of this message (would be taken with EXTRA_FIELDS)",
  ],
  ["no payload", (id) => [3, id], "INVALID_RESPONSE", "the payload must be an object"],
  ["a payload that is null", (id) => [3, id, null], "INVALID_RESPONSE", ".status is required"],
  ["a payload that is none", (id) => [3, id, "Accepted"], "INVALID_RESPONSE", "the payload must be an object"],
  ["a result with more", (id) => [3, id, { status: "Accepted" }, {}], "INVALID_RESPONSE", "the payload must be an object"],
])("a command that is answered by %s has failed", async (_what, answer, errorCode, errorDescription) => {
  reaction = undefined;
  const nth = station.asked.filter(({ action }) => action === "ClearCache").length;
  const sending = send("ClearCache");
  station.say(answer((await station.isAsked("ClearCache", nth)).id));
  expect(await sending).toMatchObject({ state: "FAILED", errorCode, errorDescription, status: "", response: undefined });
  expect(await station.result("Heartbeat", {})).toEqual({ currentTime: expect.any(String) });
});

test("what a CALLERROR says is kept as far as it is reasonable", async () => {
  reaction = { errorCode: "x".repeat(10_000), errorDescription: "y".repeat(100_000) };
  const { state, errorCode, errorDescription } = await send("ClearCache");
  expect([state, errorCode.length, errorDescription.length]).toEqual(["FAILED", 255, 255]);
});

test("a response with a text that is no Unicode is kept as far as it is", async () => {
  reaction = { unknownKey: ["a\u0000b", "half \ud83d"] };
  expect(await send("GetConfiguration")).toMatchObject({ state: "ACCEPTED", response: { unknownKey: ["a\ufffdb", "half \ufffd"] } });
});

test("a command that is not answered times out; its late answer means nothing, and the next one is sent", async () => {
  reaction = undefined;
  const nth = station.asked.length;
  const command = await send("ClearCache");
  expect(command).toMatchObject({ state: "TIMED_OUT", errorCode: "TIMED_OUT", status: "", response: undefined });
  expect(await statesTold(command.id)).toEqual(["QUEUED", "SENT", "TIMED_OUT"]);
  station.say([3, station.asked[nth]?.id, { status: "Accepted" }]);
  reaction = { status: "Rejected" };
  expect(await send("ClearCache")).toMatchObject({ state: "REJECTED" });
  expect(await site.commandById("C-1", command.id)).toEqual(command);
});

test("more commands than can wait are refused and not remembered", async () => {
  const busy = await site.join("C-2", { react: () => undefined });
  const many = Array.from({ length: 20 }, (_, i) => ({
    chargerId: "C-2",
    action: "ClearCache",
    waitSeconds: 1,
    idempotencyKey: `many-${i}`,
  }));
  const states = (await Promise.all(many.map((fields) => site.command(fields)))).map(({ state, errorCode }) =>
    `${state} ${errorCode}`.trim(),
  );
  expect(states.filter((state) => state === "FAILED TOO_MANY_CALLS")).toHaveLength(4);
  // They stay in line no longer than their charger.
  busy.socket.terminate();
  await site.gone("C-2");
  const left = await eventually(async () => {
    const rows = await site.rows("select state from command where charger_id = 'C-2' and state in ('QUEUED', 'SENT')");
    return rows.length === 0 && (await site.rows("select state, count(*)::int from command where charger_id = 'C-2' group by state"));
  });
  expect(left.find(({ state }) => state === "EXPIRED").count).toBeGreaterThanOrEqual(13);
  expect(busy.asked.length).toBeLessThan(4);
});

test("a command whose charger is lost before it answers has failed", async () => {
  const lost = await site.join("C-3", { react: () => undefined });
  const sending = site.command({ chargerId: "C-3", action: "ClearCache" });
  await lost.isAsked("ClearCache");
  lost.socket.terminate();
  const command = await sending;
  expect(command).toMatchObject({ state: "FAILED", errorCode: "CONNECTION_LOST" });
  const again = await site.connect("C-3");
  await again.boot();
  expect(await again.result("Heartbeat", {})).toEqual({ currentTime: expect.any(String) });
  expect(again.asked).toEqual([]);
  await again.leave();
});

test.each<[string, object, string]>([
  ["Reset", {}, "payload.type"],
  ["Reset", { type: "Gently" }, "payload.type"],
  ["UnlockConnector", { connectorId: "1" }, "payload.connectorId"],
  ["RemoteStartTransaction", { idTag: "123456789012345678901" }, "payload.idTag"],
  [
    "RemoteStartTransaction",
    { idTag: "A", chargingProfile: { ...profile, chargingSchedule: {} } },
    "payload.chargingProfile.chargingSchedule.chargingRateUnit",
  ],
  ["StatusNotification", {}, "action"],
  ["MakeCoffee", {}, "action"],
])("%s %j is refused before anything is sent, for %s", async (action, payload, field) => {
  const before = [station.asked.length, (await site.rows("select from command")).length];
  const refused = await refusal(send(action, payload));
  expect(refused).toMatchObject({ code: "INVALID_ARGUMENT", fields: [expect.stringMatching(`^${field.replace(/\.\w+$/, "")}`)] });
  expect([station.asked.length, (await site.rows("select from command")).length]).toEqual(before);
});

test("commands that waited too long end, however many they are, and none waits for one that somebody has in hand", async () => {
  await site.register("C-9");
  const waits = "'C-9', 'Reset', '{}', now(), true";
  await site.rows(`insert into command (id, charger_id, action, payload, expire_time, waits)
    select gen_random_uuid(), ${waits} from generate_series(1, 120)`);
  const inHand = await site.hold("select from command where charger_id = 'C-9' order by number limit 1 for update");
  const states = () => site.rows("select state, count(*)::integer from command where charger_id = 'C-9' group by state order by state");
  await eventually(async () => (await states())[0]?.count === 119);
  expect(await states()).toEqual([
    { state: "EXPIRED", count: 119 },
    { state: "QUEUED", count: 1 },
  ]);
  await inHand.release();
  await eventually(async () => (await states())[0]?.count === 120);
});
