import { randomUUID } from "node:crypto";
import { UserDeleted } from "@chargemesh/contracts/auth/v1/events";
import { IdToken } from "@chargemesh/contracts/charger/v1/id_token";
import type { Reservation } from "@chargemesh/contracts/charger/v1/reservation";
import { subjectOf } from "@chargemesh/kit/outbox";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../../test/rest.ts";
import { makeReservationDesk } from "../rpc/reservation-desk.ts";
import { call, startService } from "../service.ts";
import { openNats, openSite, type Site } from "./site.ts";
import type { Payload, Reaction, Station } from "./station.ts";

// What is told of chargers, id tokens, reservations and commands: each change once, and nothing of what changes nothing.

let site: Site;
let station: Station;
/** What the charger says to the next CALL; "gone" is that its connection is lost. */
let reaction: Reaction | "gone" = { status: "Accepted" };

beforeAll(async () => {
  site = await openSite({ OCPP_CALL_SECONDS: "1" });
  station = await site.join("E-1", { react: () => (reaction === "gone" ? void station.socket.terminate() : reaction) });
});
afterAll(async () => {
  await station?.leave();
  await site?.leave();
});

const told = async (subject: string, ...types: string[]) =>
  (await site.told()).filter((one) => one.subject === subject && types.includes(one.type)).map(({ type, data }) => ({ type, data }));

const say = (connectorId: number, status: string, errorCode = "NoError", more: object = {}) =>
  station.result("StatusNotification", { connectorId, status, errorCode, ...more });

test("a fault is told when it begins, when it is another one, and when it ends", async () => {
  const from = (await told("E-1", "ChargerFaulted", "ChargerRecovered")).length;
  await say(1, "Available");
  const ground = { timestamp: "2026-11-20T10:00:00.000Z", info: "relay", vendorErrorCode: "E12", vendorId: "Acme" };
  await say(1, "Faulted", "GroundFailure", ground);
  await say(1, "Faulted", "GroundFailure", { ...ground, timestamp: "2026-11-20T10:00:30.000Z" });
  await say(1, "Faulted", "GroundFailure", { ...ground, info: "still" });
  await say(1, "Faulted", "OverVoltage", { timestamp: "2026-11-20T10:05:00.000Z" });
  await say(1, "Charging", "HighTemperature", { timestamp: "2026-11-20T10:06:00.000Z" });
  await say(1, "Available");
  const place = { chargerId: "E-1", evseId: 1, connectorId: 1 };
  expect((await told("E-1", "ChargerFaulted", "ChargerRecovered")).slice(from)).toEqual([
    {
      type: "ChargerFaulted",
      data: { ...place, errorCode: "GroundFailure", info: "relay", vendorErrorCode: "E12", time: ground.timestamp },
    },
    { type: "ChargerFaulted", data: { ...place, errorCode: "OverVoltage", time: "2026-11-20T10:05:00.000Z" } },
    {
      type: "ChargerRecovered",
      data: {
        ...place,
        errorCode: "OverVoltage",
        time: "2026-11-20T10:06:00.000Z",
        faultTime: "2026-11-20T10:05:00.000Z",
        status: "CHARGING",
      },
    },
  ]);
});

test("the charger as a whole, and a connector that was never heard of, may be faulty too", async () => {
  const from = (await told("E-1", "ChargerFaulted", "ChargerRecovered")).length;
  await say(0, "Faulted", "InternalError");
  await say(0, "Available");
  await say(2, "Faulted", "ReaderFailure");
  await say(3, "Unavailable", "OtherError");
  expect((await told("E-1", "ChargerFaulted", "ChargerRecovered")).slice(from).map(({ type, data }) => [type, data.connectorId])).toEqual([
    ["ChargerFaulted", undefined],
    ["ChargerRecovered", undefined],
    ["ChargerFaulted", 2],
  ]);
});

test("two sockets that say the first word of a connector at once tell of it once", async () => {
  const from = (await told("E-1", "ChargerFaulted", "ConnectorStatusChanged")).length;
  const held = await site.hold("lock table connector in exclusive mode");
  const first = Promise.allSettled([say(9, "Faulted", "WeakSignal")]);
  await site.blocked(1);
  const other = await site.connect("E-1");
  const second = other.result("StatusNotification", { connectorId: 9, status: "Faulted", errorCode: "WeakSignal" });
  await site.blocked(2);
  await held.release();
  await first;
  expect(await second).toEqual({});
  await other.leave();
  station = await site.connect("E-1", { react: () => (reaction === "gone" ? void station.socket.terminate() : reaction) });
  expect((await told("E-1", "ChargerFaulted", "ConnectorStatusChanged")).slice(from).map(({ type }) => type)).toEqual([
    "ConnectorStatusChanged",
    "ChargerFaulted",
  ]);
});

test.each([
  ["DiagnosticsStatusNotification", "DiagnosticsStatusReported", ["Uploading", "UploadFailed", "Uploading"]],
  ["FirmwareStatusNotification", "FirmwareStatusReported", ["Downloading", "Downloaded", "Installing", "Installed"]],
])("%s of what was not asked for by way of ours is told, repeats in a row once", async (action, type, statuses) => {
  const before = Date.now();
  for (const status of statuses) for (const again of [status, status]) await station.result(action, { status: again });
  await station.result(action, { status: "Idle" });
  const events = await told("E-1", type);
  expect(events.map(({ data }) => [data.chargerId, data.status])).toEqual(statuses.map((status) => ["E-1", status]));
  expect(Date.parse(events[0]?.data.time)).toBeGreaterThanOrEqual(before - 1_000);
});

test("an id token is told of when it is registered, changed, deleted, or its user is no more; what was refused is not", async () => {
  const { idTokens } = site.service;
  const operator = site.place.as("OPERATOR");
  const userId = randomUUID();
  const fields = (more: Partial<IdToken>) => ({ idToken: IdToken.fromPartial({ idToken: "Card-A", ...more }) });
  await site.addIdToken("Card-A", { userId });
  await expect(site.addIdToken("CARD-a")).rejects.toThrow();
  await call(idTokens, idTokens.updateIdToken, { ...fields({ status: "BLOCKED" }), updateMask: ["status"] }, operator);
  const stale = { ...fields({ status: "ACCEPTED", etag: "1" }), updateMask: ["status"] };
  await expect(call(idTokens, idTokens.updateIdToken, stale, operator)).rejects.toThrow();
  await tellOfDeletion(userId);
  await eventually(async () => (await told("card-a", "IdTokenUpdated")).length === 2);
  await call(idTokens, idTokens.deleteIdToken, { idToken: "CARD-A" }, operator);
  await expect(call(idTokens, idTokens.deleteIdToken, { idToken: "CARD-A" }, operator)).rejects.toThrow();
  const events = await told("card-a", "IdTokenCreated", "IdTokenUpdated", "IdTokenDeleted");
  expect(events.map(({ type, data: { idToken } }) => [type, idToken.idToken, idToken.status, idToken.userId])).toEqual([
    ["IdTokenCreated", "Card-A", "ACCEPTED", userId],
    ["IdTokenUpdated", "Card-A", "BLOCKED", userId],
    ["IdTokenUpdated", "Card-A", "BLOCKED", undefined],
    ["IdTokenDeleted", "Card-A", "BLOCKED", undefined],
  ]);
});

async function tellOfDeletion(userId: string): Promise<void> {
  const nats = await openNats(site.place);
  const event = { specversion: "1.0", id: randomUUID(), source: "auth-service", type: UserDeleted.$type, subject: userId };
  const data = { time: new Date().toISOString(), datacontenttype: "application/json", data: { userId } };
  await nats.jetstream().publish(subjectOf(UserDeleted.$type, userId), JSON.stringify({ ...event, ...data }));
  await nats.close();
}

test("a reservation is told of once some minutes before its end, if it is active and was not made for a few minutes only", async () => {
  const { reserve } = makeReservationDesk(site.service, site.place.as("OPERATOR"), "E-1");
  const active = async (connectorId: number): Promise<string> => (await reserve({ connectorId, idToken: "R", waitSeconds: 5 })).id;
  const set = (id: string, made: string, state = "ACTIVE") =>
    site.rows(
      "update reservation set create_time = now() + $2::interval, expire_time = now() + interval '9 minutes', state = $3 where id = $1",
      [id, made, state],
    );
  await site.addIdToken("R");
  // Another replica looks for them, too.
  const replica = await startService(site.place);
  const [first, short, refused, far, second] = [await active(11), await active(12), await active(13), await active(14), await active(15)];
  await set(short, "-10 minutes");
  await set(refused, "-1 hour", "CANCELLED");
  await set(first, "-1 hour");
  const expiring = async (): Promise<Payload[]> => (await site.told()).filter(({ type }) => type === "ReservationExpiring");
  const isTold = (id: string) =>
    eventually(async () => (await site.rows("select from reservation where id = $1 and warn_time is not null", [id])).length === 1);
  await isTold(first);
  // The round that finds this one has found none of the others again.
  await set(second, "-1 hour");
  await isTold(second);
  expect((await expiring()).map(({ subject }) => subject)).toEqual([first, second]);
  const [{ data }] = await expiring();
  const reservation: Partial<Reservation> = { id: first, chargerId: "E-1", connectorId: 11, state: "ACTIVE", idToken: "R" };
  expect(data.reservation).toMatchObject(reservation);
  expect(await told(far, "ReservationCreated")).toHaveLength(1);
  await replica.stop();
});

const error = { errorCode: "InternalError", errorDescription: "no" };
test.each<[string, Reaction | "gone", object, string[]]>([
  ["is accepted", { status: "Accepted" }, {}, ["QUEUED", "SENT", "ACCEPTED"]],
  ["is rejected", { status: "Rejected" }, {}, ["QUEUED", "SENT", "REJECTED"]],
  ["is answered with an error", error, {}, ["QUEUED", "SENT", "FAILED"]],
  ["is not answered", undefined, {}, ["QUEUED", "SENT", "TIMED_OUT"]],
  ["loses its connection", "gone", {}, ["QUEUED", "SENT", "FAILED"]],
  ["finds nobody there", "gone", {}, ["QUEUED", "EXPIRED"]],
  ["has waited for too long", "gone", { ttlSeconds: 1 }, ["QUEUED", "EXPIRED"]],
])("every state of a command that %s is told once, in order", async (_what, said, fields, states) => {
  reaction = said;
  const { id } = await site.command({ chargerId: "E-1", action: "Reset", payload: { type: "Soft" }, waitSeconds: 5, ...fields });
  const ended = await eventually(async () => {
    const command = await site.commandById("E-1", id);
    return command.endTime === undefined ? undefined : command;
  });
  const events = await told(id, "CommandUpdated");
  expect(events.map(({ data }) => data.command.state)).toEqual(states);
  const { state, errorCode, status } = events.at(-1)?.data.command ?? {};
  expect([state, errorCode ?? "", status ?? ""]).toEqual([ended.state, ended.errorCode, ended.status]);
});

test("a remote start is told of again when its transaction has begun", async () => {
  reaction = { status: "Accepted" };
  station = await site.connect("E-1", { react: () => reaction as Reaction });
  const payload = { idTag: "GO", connectorId: 21 };
  const { id } = await site.command({ chargerId: "E-1", action: "RemoteStartTransaction", payload, waitSeconds: 5 });
  const start = { connectorId: 21, idTag: "GO", meterStart: 0, timestamp: new Date().toISOString() };
  const { transactionId } = await station.result("StartTransaction", start);
  await station.result("StartTransaction", start);
  expect((await told(id, "CommandUpdated")).map(({ data: { command } }) => [command.state, command.transactionId])).toEqual([
    ["QUEUED", undefined],
    ["SENT", undefined],
    ["ACCEPTED", undefined],
    ["ACCEPTED", String(transactionId)],
  ]);
});
