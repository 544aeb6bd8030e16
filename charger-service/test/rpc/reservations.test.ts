import { randomUUID } from "node:crypto";
import { CreateCommandRequest } from "@chargemesh/contracts/charger/v1/command_service";
import type { Reservation } from "@chargemesh/contracts/charger/v1/reservation";
import type { Metadata } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../../../test/rest.ts";
import { openSite, type Site } from "../ocpp/site.ts";
import type { Reaction, Station } from "../ocpp/station.ts";
import { call, given, type Place, refusal, type Service } from "../service.ts";
import { HOUR_MS, makeReservationDesk } from "./reservation-desk.ts";

// What chargers keep for whom, from the asking to its end.

let site: Site;
let place: Place;
let service: Service;
let operator: Metadata;
let desk: ReturnType<typeof makeReservationDesk>;
let charger: Station;
/** What the charger says to ReserveNow and to CancelReservation; undefined is nothing. */
let says: Reaction = { status: "Accepted" };
let saysToCancel: Reaction = { status: "Accepted" };

beforeAll(async () => {
  site = await openSite();
  ({ place, service } = site);
  operator = place.as("OPERATOR");
  desk = makeReservationDesk(service, operator, "R-1");
  charger = await site.join("R-1", { react: (action) => (action === "CancelReservation" ? saysToCancel : says) });
  await site.register("R-offline");
  await site.register("R-closed", { availability: "UNAVAILABLE" });
  await site.addIdToken("GROUP");
  await site.addIdToken("Card", { parentIdToken: "GROUP" });
  await site.addIdToken("Sibling", { parentIdToken: "GROUP" });
  await site.addIdToken("Stranger");
  await site.addIdToken("Outsider");
  await site.addIdToken("Blocked", { status: "BLOCKED" });
});
afterAll(async () => {
  await charger?.leave();
  await site?.leave();
});

const start = async (connectorId: number, idTag: string, fields: object = {}) => {
  const request = { connectorId, idTag, meterStart: 0, timestamp: new Date().toISOString(), ...fields };
  return Number((await charger.result("StartTransaction", request)).transactionId);
};
const status = (connectorId: number, word: string) =>
  charger.result("StatusNotification", { connectorId, status: word, errorCode: "NoError", timestamp: new Date().toISOString() });
const invalid = (...fields: string[]) => ({ code: "INVALID_ARGUMENT", reason: "INVALID_FIELD", fields });
const failed = (reason: string) => ({ code: "FAILED_PRECONDITION", reason, fields: [] });
const notFound = (what: string) => ({ code: "NOT_FOUND", reason: `${what}_NOT_FOUND`, fields: [] });

test("the charger is told the id token as it is registered, with its parent, and the number that its commands show", async () => {
  const reservation = await desk.reserve();
  expect(reservation).toMatchObject({ state: "ACTIVE", status: "Accepted", idToken: "Card", parentIdToken: "GROUP", chargerId: "R-1" });
  expect(charger.asked.at(-1)).toMatchObject({
    action: "ReserveNow",
    payload: {
      connectorId: reservation.connectorId,
      idTag: "Card",
      parentIdTag: "GROUP",
      reservationId: reservation.number,
      expiryDate: reservation.expireTime?.toISOString(),
    },
  });
  expect(await site.commandById("R-1", reservation.reserveCommandId)).toMatchObject({ action: "ReserveNow", state: "ACCEPTED" });
  const told = (await site.told()).filter(({ subject }) => subject === reservation.id);
  expect(told.map(({ type, data }) => [type, data.reservation.state])).toEqual([
    ["ReservationCreated", "PENDING"],
    ["ReservationUpdated", "ACTIVE"],
  ]);
});

test.each(["Faulted", "Occupied", "Rejected", "Unavailable"])("a charger that answers %s keeps nothing", async (word) => {
  says = { status: word };
  expect(await desk.reserve()).toMatchObject({ state: "REFUSED", status: word });
  says = { status: "Accepted" };
});

test("an error of the charger and one that is away are no reservation", async () => {
  says = { errorCode: "NotSupported" };
  expect(await desk.reserve()).toMatchObject({ state: "FAILED", errorCode: "NotSupported" });
  says = { status: "Accepted" };
  expect(await desk.reserve({ chargerId: "R-offline" })).toMatchObject({ state: "FAILED", errorCode: "CHARGER_OFFLINE" });
});

test("what is asked must be possible", async () => {
  expect(await refusal(desk.reserve({ idToken: "" }))).toEqual(invalid("id_token"));
  expect(await refusal(desk.reserve({ expireTime: undefined }))).toEqual(invalid("expire_time"));
  expect(await refusal(desk.reserve({ expireTime: new Date(Date.now() - 1) }))).toEqual(invalid("expire_time"));
  expect(await refusal(desk.reserve({ expireTime: new Date(Date.now() + 31 * 24 * HOUR_MS) }))).toEqual(invalid("expire_time"));
  expect(await refusal(desk.reserve({ idToken: "Blocked" }))).toEqual(failed("ID_TOKEN_BLOCKED"));
  expect(await refusal(desk.reserve({ idToken: "nobody's" }))).toEqual(notFound("ID_TOKEN"));
  expect(await refusal(desk.reserve({ chargerId: "nowhere" }))).toEqual(notFound("CHARGER"));
  expect(await refusal(desk.reserve({ chargerId: "R-closed" }))).toEqual(failed("CHARGER_UNAVAILABLE"));
  await site.rows(`insert into configuration_key (charger_id, key, value, state)
    values ('R-offline', 'ReserveConnectorZeroSupported', 'false', 'UNMANAGED')`);
  expect(await refusal(desk.reserve({ chargerId: "R-offline", connectorId: 0 }))).toEqual(failed("CHARGER_CANNOT"));
});

test("the same key gets the same reservation, and another command's key none", async () => {
  const first = await desk.reserve({ idempotencyKey: "once" });
  const count = charger.asked.length;
  expect((await desk.reserve({ idempotencyKey: "once" })).id).toBe(first.id);
  expect(charger.asked).toHaveLength(count);
  const other = CreateCommandRequest.fromPartial({ chargerId: "R-1", action: "ClearCache", payload: {}, idempotencyKey: "taken" });
  await call(service.commands, service.commands.createCommand, other, operator);
  expect(await refusal(desk.reserve({ idempotencyKey: "taken" }))).toEqual(invalid("idempotency_key"));
});

describe("a start ends", () => {
  test("the reservation that the charger names", async () => {
    const { id, number, connectorId } = await desk.reserve();
    const transactionId = await start(connectorId, "Card", { reservationId: number });
    expect(await desk.get(id)).toMatchObject({ state: "USED", transactionId: String(transactionId) });
    expect((await site.transaction(transactionId)).flags).toEqual([]);
    // A second that names it is no use of it.
    await start(connectorId, "Card", { reservationId: number, meterStart: 5 });
    expect(await desk.get(id)).toMatchObject({ transactionId: String(transactionId) });
  });

  test.each([["card"], ["SIBLING"]])("one that is kept there for %s, though the charger does not say so", async (idTag) => {
    const { id, connectorId } = await desk.reserve();
    const transactionId = await start(connectorId, idTag);
    expect(await desk.get(id)).toMatchObject({ state: "USED", transactionId: String(transactionId) });
  });

  test("one of the charger as a whole, at any connector", async () => {
    const { id } = await desk.reserve({ connectorId: 0 });
    await start(desk.freeConnector(), "Stranger");
    expect(await desk.get(id)).toMatchObject({ state: "ACTIVE" });
    await start(desk.freeConnector(), "Card");
    expect(await desk.get(id)).toMatchObject({ state: "USED" });
  });

  test("none that is somebody else's, and is flagged", async () => {
    const { id, connectorId } = await desk.reserve();
    const transactionId = await start(connectorId, "Outsider");
    expect((await site.transaction(transactionId)).flags).toEqual(["RESERVED_FOR_ANOTHER"]);
    expect(await desk.get(id)).toMatchObject({ state: "ACTIVE", transactionId: "" });
  });

  test("none that was made after it, though it is told late", async () => {
    const { id, connectorId } = await desk.reserve();
    const late = { timestamp: new Date(Date.now() - 120_000).toISOString() };
    expect((await site.transaction(await start(connectorId, "Outsider", late))).flags).not.toContain("RESERVED_FOR_ANOTHER");
    await start(connectorId, "Card", late);
    expect(await desk.get(id)).toMatchObject({ state: "ACTIVE" });
  });

  test("one that was over by our clock, if the charger says so", async () => {
    const { id, number, connectorId } = await desk.reserve();
    await site.rows("update reservation set state = 'EXPIRED' where id = $1", [id]);
    await start(connectorId, "Card");
    expect(await desk.get(id)).toMatchObject({ state: "EXPIRED" });
    await start(connectorId, "Card", { reservationId: number, meterStart: 7 });
    expect(await desk.get(id)).toMatchObject({ state: "USED" });
  });
});

describe("cancelling", () => {
  test.each([{ status: "Accepted" }, { status: "Rejected" }])("is over once the charger answers %o", async (answer) => {
    saysToCancel = answer;
    const { id, number } = await desk.reserve();
    const cancelled = await desk.cancel(id);
    expect(cancelled).toMatchObject({ state: "CANCELLED" });
    expect(charger.asked.at(-1)).toMatchObject({ action: "CancelReservation", payload: { reservationId: number } });
    expect(await site.commandById("R-1", cancelled.cancelCommandId)).toMatchObject({ action: "CancelReservation" });
    saysToCancel = { status: "Accepted" };
    expect(await refusal(desk.cancel(id))).toEqual(failed("RESERVATION_ENDED"));
  });

  test("leaves what the charger does not let go", async () => {
    saysToCancel = { errorCode: "InternalError" };
    const { id } = await desk.reserve();
    expect(await desk.cancel(id)).toMatchObject({ state: "ACTIVE" });
    saysToCancel = { status: "Accepted" };
    expect(await desk.cancel(id)).toMatchObject({ state: "CANCELLED" });
  });

  test("is over at once if the charger was never told, and by a command that was written by hand", async () => {
    const { id, reserveCommandId } = await desk.reserve({ chargerId: "R-offline", ttlSeconds: 600 });
    expect(await desk.cancel(id)).toMatchObject({ state: "CANCELLED", cancelCommandId: "" });
    expect(await site.commandById("R-offline", reserveCommandId)).toMatchObject({ state: "FAILED", errorCode: "CANCELLED" });
    const other = await desk.reserve();
    await site.command({ chargerId: "R-1", action: "CancelReservation", payload: { reservationId: other.number } });
    expect(await desk.get(other.id)).toMatchObject({ state: "CANCELLED" });
  });
});

describe("one whose answer is lost with its connection", () => {
  const lose = async (chargerId: string, before = async (_lost: Station) => {}): Promise<{ lost: Reservation; again: Station }> => {
    const silent = await site.join(chargerId, { react: () => undefined });
    const asking = desk.reserve({ chargerId, connectorId: 1 });
    await silent.isAsked("ReserveNow");
    await before(silent);
    silent.socket.terminate();
    return { lost: await asking, again: await site.connect(chargerId) };
  };
  const keeps = (of: Station) =>
    of.result("StatusNotification", { connectorId: 1, status: "Reserved", errorCode: "NoError", timestamp: new Date().toISOString() });

  test("is uncertain, until the connector says that it is kept", async () => {
    const { lost, again } = await lose("R-lost");
    expect([lost.state, lost.errorCode]).toEqual(["UNCERTAIN", "CONNECTION_LOST"]);
    await keeps(again);
    expect(await desk.get(lost.id)).toMatchObject({ state: "ACTIVE" });
    await again.leave();
  });

  test("is certain if the connector has said so before", async () => {
    const { lost, again } = await lose("R-said", keeps);
    expect(lost).toMatchObject({ state: "ACTIVE" });
    await again.leave();
  });

  test("is let go when the charger is back, and asked of it once", async () => {
    const { lost, again } = await lose("R-back");
    await again.leave();
    await site.gone("R-back");
    const first = await desk.cancel(lost.id);
    expect(first).toMatchObject({ state: "UNCERTAIN" });
    expect((await desk.cancel(lost.id)).cancelCommandId).toBe(first.cancelCommandId);
    const back = await site.connect("R-back");
    await back.boot();
    await eventually(async () => (await desk.get(lost.id)).state === "CANCELLED");
    expect(back.asked.filter(({ action }) => action === "CancelReservation")).toHaveLength(1);
    await back.leave();
  });

  test("is used by a start that names it", async () => {
    const { lost, again } = await lose("R-used");
    const request = { connectorId: 1, idTag: "Card", meterStart: 0, timestamp: new Date().toISOString(), reservationId: lost.number };
    const { transactionId } = await again.result("StartTransaction", request);
    expect(await desk.get(lost.id)).toMatchObject({ state: "USED", transactionId: String(transactionId) });
    await again.leave();
  });
});

test("a charger or connector that becomes faulty or unavailable keeps nothing any more", async () => {
  const [one, other] = [await desk.reserve(), await desk.reserve()];
  await status(one.connectorId, "Faulted");
  expect([(await desk.get(one.id)).state, (await desk.get(other.id)).state]).toEqual(["REMOVED", "ACTIVE"]);
  await status(0, "Unavailable");
  expect((await desk.get(other.id)).state).toBe("REMOVED");
  await status(0, "Available");
});

test("it ends with its time, once", async () => {
  const { id } = await desk.reserve();
  await site.rows("update reservation set expire_time = now() where id = $1", [id]);
  await eventually(async () => (await desk.get(id)).state === "EXPIRED");
  const told = (await site.told()).filter(({ subject, data }) => subject === id && data.reservation.state === "EXPIRED");
  expect(told).toHaveLength(1);
});

test("what was reserved by hand is known, and the same number again takes its place", async () => {
  const expiryDate = new Date(Date.now() + HOUR_MS).toISOString();
  const byHand = { connectorId: 300, idTag: "Card", expiryDate, reservationId: 2_000_000_000 };
  await site.command({ chargerId: "R-1", action: "ReserveNow", payload: byHand });
  const [known] = (await desk.list({ chargerId: "R-1" })).reservations;
  expect(known).toMatchObject({ number: 2_000_000_000, connectorId: 300, idToken: "Card", state: "ACTIVE" });
  await site.command({ chargerId: "R-1", action: "ReserveNow", payload: { ...byHand, connectorId: 301 } });
  expect(await desk.get(given(known).id)).toMatchObject({ connectorId: 301, state: "ACTIVE" });
});

test("a driver reserves for their own, and sees nobody else's", async () => {
  const ada = randomUUID();
  const [asAda, asBob] = [place.as("DRIVER", ada), place.as("DRIVER")];
  expect(await refusal(desk.reserve({ idToken: "Card" }, asAda))).toEqual(notFound("ID_TOKEN"));
  const { id, idToken, userId } = await desk.reserve({ idToken: "" }, asAda);
  expect(userId).toBe(ada);
  expect((await desk.list({}, asAda)).reservations.map((one) => one.id)).toEqual([id]);
  expect((await desk.list({ idToken }, asBob)).reservations).toEqual([]);
  expect(await refusal(desk.get(id, asBob))).toEqual(notFound("RESERVATION"));
  expect(await refusal(desk.cancel(id, asBob))).toEqual(notFound("RESERVATION"));
  expect(await desk.cancel(id, asAda)).toMatchObject({ state: "CANCELLED" });
});

test("a driver keeps no more than five at once", async () => {
  const asEve = place.as("DRIVER", randomUUID());
  const kept = [];
  for (let i = 0; i < 5; i++) kept.push(await desk.reserve({ idToken: "" }, asEve));
  expect(await refusal(desk.reserve({ idToken: "" }, asEve))).toEqual(failed("TOO_MANY_RESERVATIONS"));
  for (const { id } of kept) await desk.cancel(id, asEve);
  expect((await desk.reserve({ idToken: "" }, asEve)).state).toMatch(/^(PENDING|ACTIVE)$/);
});

test("lists page, newest first, and narrow by state", async () => {
  const all = (await desk.list({ pageSize: 200 })).reservations;
  const first = await desk.list({ pageSize: 3 });
  const second = await desk.list({ pageSize: 3, pageToken: first.nextPageToken });
  expect([...first.reservations, ...second.reservations].map(({ id }) => id)).toEqual(all.slice(0, 6).map(({ id }) => id));
  const refused = (await desk.list({ state: "REFUSED", chargerId: "R-1" })).reservations;
  expect(refused.map((one) => one.status)).toEqual(["Unavailable", "Rejected", "Occupied", "Faulted"]);
});
