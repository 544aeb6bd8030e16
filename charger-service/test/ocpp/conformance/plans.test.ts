import type { Reservation } from "@chargemesh/contracts/charger/v1/reservation";
import { CreateReservationRequest } from "@chargemesh/contracts/charger/v1/reservation_service";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { eventually } from "../../../../test/rest.ts";
import { makeProfileDesk, type Partially } from "../../rpc/profile-desk.ts";
import { call, given } from "../../service.ts";
import { openSite, type Site } from "../site.ts";
import { type ChargePoint, openChargePoint } from "./charge-point.ts";

// The test cases of the Open Charge Alliance for central systems: reservations and smart charging (docs/ocpp-conformance.md has the list).

const HOUR_MS = 3_600_000;
let site: Site;
let point: ChargePoint;

beforeAll(async () => {
  site = await openSite();
  await site.addIdToken("FAMILY");
  await site.addIdToken("CARD", { parentIdToken: "FAMILY" });
  await site.addIdToken("SIBLING", { parentIdToken: "FAMILY" });
});
afterEach(() => point.station.leave());
afterAll(() => site?.leave());

const open = async (id: string): Promise<ChargePoint> => {
  point = await openChargePoint(site, id);
  return point;
};
const operator = () => site.place.as("OPERATOR");
const caseOf = (title: string): string => title.split(":")[0] ?? "";

const reserve = async (connectorId = 1): Promise<Reservation> => {
  const { reservations } = site.service;
  const expireTime = new Date(Date.now() + HOUR_MS);
  const request = CreateReservationRequest.fromPartial({ chargerId: point.id, connectorId, idToken: "CARD", expireTime });
  return given((await call(reservations, reservations.createReservation, request, operator())).reservation);
};
const cancel = async (id: string): Promise<Reservation> => {
  const { reservations } = site.service;
  return given((await call(reservations, reservations.cancelReservation, { id, waitSeconds: 0 }, operator())).reservation);
};
const reservation = async (id: string): Promise<Reservation> => {
  const { reservations } = site.service;
  return given((await call(reservations, reservations.getReservation, { id }, operator())).reservation);
};
const asReserved = ({ connectorId, number, expireTime }: Reservation) => ({
  connectorId,
  idTag: "CARD",
  parentIdTag: "FAMILY",
  reservationId: number,
  expiryDate: expireTime?.toISOString(),
});

test("TC_046: a connector is reserved, and used by whom it was reserved for", async () => {
  const { asked, goes, authorize, start, stop } = await open("TC_046");
  const reserved = await reserve();
  expect([asked("ReserveNow"), reserved.state]).toEqual([asReserved(reserved), "ACTIVE"]);
  await goes("Reserved");
  expect(await authorize("CARD")).toBe("Accepted");
  await goes("Preparing");
  const { transactionId, idTagInfo } = await start("CARD", { reservationId: reserved.number });
  expect(idTagInfo.status).toBe("Accepted");
  await goes("Charging");
  expect(await reservation(reserved.id)).toMatchObject({ state: "USED", transactionId: String(transactionId) });
  await stop(transactionId, "Local");
});

test("TC_047: a reservation that nobody uses ends with its time", async () => {
  const { asked, goes } = await open("TC_047");
  const reserved = await reserve();
  expect(asked("ReserveNow").expiryDate).toBe(reserved.expireTime?.toISOString());
  await goes("Reserved");
  await site.rows("update reservation set expire_time = now() - interval '1 s' where id = $1", [reserved.id]);
  await goes("Available");
  expect((await site.charger(point.id)).evses[0]?.connectors[0]?.status).toBe("AVAILABLE");
  await eventually(async () => (await reservation(reserved.id)).state === "EXPIRED");
});

test.each([
  ["TC_048_1: a connector that is faulty is not reserved", "Faulted", "Faulted"],
  ["TC_048_2: a connector that is in use is not reserved", "Occupied", "Preparing"],
  ["TC_048_3: a connector that is unavailable is not reserved", "Unavailable", "Unavailable"],
  ["TC_048_4: a charge point that reserves nothing says so", "Rejected", "Available"],
])("%s", async (title, answer, status) => {
  const { id, says, asked, goes } = await open(caseOf(title));
  if (status === "Unavailable") {
    const type = "Inoperative";
    expect(await site.command({ chargerId: id, action: "ChangeAvailability", payload: { connectorId: 1, type } })).toMatchObject({
      state: "ACCEPTED",
    });
    expect(asked("ChangeAvailability")).toEqual({ connectorId: 1, type });
  }
  await goes(status);
  says.ReserveNow = { status: answer };
  const reserved = await reserve();
  expect([asked("ReserveNow"), reserved.state, reserved.status]).toEqual([asReserved(reserved), "REFUSED", answer]);
});

test("TC_049: a charge point is reserved, whichever connector it will be", async () => {
  const { asked, status, start, stop } = await open("TC_049");
  const reserved = await reserve(0);
  expect([asked("ReserveNow").connectorId, reserved.state]).toEqual([0, "ACTIVE"]);
  await status(0, "Reserved");
  const { transactionId, idTagInfo } = await start("CARD", { connectorId: 2, reservationId: reserved.number });
  expect(idTagInfo.status).toBe("Accepted");
  expect(await reservation(reserved.id)).toMatchObject({ state: "USED", transactionId: String(transactionId) });
  await stop(transactionId, "Local");
});

test("TC_051: a reservation is cancelled", async () => {
  const { asked, goes } = await open("TC_051");
  const { id, number } = await reserve();
  await goes("Reserved");
  const { state, cancelCommandId } = await cancel(id);
  expect([asked("CancelReservation"), state]).toEqual([{ reservationId: number }, "CANCELLED"]);
  expect(await site.commandById(point.id, cancelCommandId)).toMatchObject({ state: "ACCEPTED" });
  await goes("Available");
});

test("TC_052: a charge point knows nothing of the reservation that is cancelled", async () => {
  const { says, asked } = await open("TC_052");
  const { id, number } = await reserve();
  says.CancelReservation = { status: "Rejected" };
  // What it does not have is over.
  const { state, cancelCommandId } = await cancel(id);
  expect([asked("CancelReservation"), state]).toEqual([{ reservationId: number }, "CANCELLED"]);
  expect(await site.commandById(point.id, cancelCommandId)).toMatchObject({ state: "REJECTED", status: "Rejected" });
});

test("TC_053: what is reserved for a card may be used by another of the same parent", async () => {
  const { station, goes, start, stop } = await open("TC_053");
  const reserved = await reserve();
  expect(reserved.parentIdToken).toBe("FAMILY");
  await goes("Reserved");
  expect(await station.result("Authorize", { idTag: "SIBLING" })).toEqual({ idTagInfo: { status: "Accepted", parentIdTag: "FAMILY" } });
  await goes("Preparing");
  const { transactionId, idTagInfo } = await start("SIBLING", { reservationId: reserved.number });
  expect(idTagInfo.status).toBe("Accepted");
  expect(await reservation(reserved.id)).toMatchObject({ state: "USED", transactionId: String(transactionId) });
  await stop(transactionId, "Local");
});

const desk = () => makeProfileDesk(site.service, operator(), point.id);
const schedule: NonNullable<Partially["schedule"]> = { rateUnit: "A", periods: [{ startSeconds: 0, limit: 6, numberPhases: 3 }] };
const from = new Date();
const byDefault: Partially = {
  purpose: "TRANSACTION_DEFAULT",
  kind: "ABSOLUTE",
  validFromTime: from,
  validToTime: new Date(from.getTime() + HOUR_MS),
  schedule: { ...schedule, startTime: from, durationSeconds: 3_600 },
};
const forOne: Partially = { purpose: "TRANSACTION", kind: "RELATIVE", schedule };
const most: Partially = { purpose: "CHARGER_MAX", kind: "ABSOLUTE", schedule: { ...schedule, startTime: from } };
const chargingSchedule = { chargingRateUnit: "A", chargingSchedulePeriod: [{ startPeriod: 0, limit: 6, numberPhases: 3 }] };

test("TC_056: a default is set for the transactions to come", async () => {
  const { asked } = await open("TC_056");
  const { id } = await desk().create(byDefault);
  const assigned = await desk().assign({ id, connectorId: 1 });
  expect(assigned.state).toBe("INSTALLED");
  expect(asked("SetChargingProfile")).toEqual({
    connectorId: 1,
    csChargingProfiles: {
      chargingProfileId: assigned.number,
      stackLevel: 0,
      chargingProfilePurpose: "TxDefaultProfile",
      chargingProfileKind: "Absolute",
      validFrom: from.toISOString(),
      validTo: new Date(from.getTime() + HOUR_MS).toISOString(),
      chargingSchedule: { ...chargingSchedule, startSchedule: from.toISOString(), duration: 3_600 },
    },
  });
});

test("TC_057: a transaction under way is given a profile", async () => {
  const { charge, asked, stop } = await open("TC_057");
  const transactionId = await charge("CARD");
  const { id } = await desk().create(forOne);
  const assigned = await desk().assign({ id, transactionId: String(transactionId) });
  expect(assigned.state).toBe("INSTALLED");
  expect(asked("SetChargingProfile")).toEqual({
    connectorId: 1,
    csChargingProfiles: {
      chargingProfileId: assigned.number,
      transactionId,
      stackLevel: 0,
      chargingProfilePurpose: "TxProfile",
      chargingProfileKind: "Relative",
      chargingSchedule,
    },
  });
  await stop(transactionId, "Local");
});

test("TC_059: a start from afar brings its profile with it", async () => {
  const { asked, charge, stop } = await open("TC_059");
  const { id } = await desk().create(forOne);
  const command = await desk().remoteStart({ connectorId: 1, chargingProfileId: id });
  const { idTag, connectorId, chargingProfile } = asked("RemoteStartTransaction");
  expect([idTag, connectorId, command.state]).toEqual(["CARD", 1, "ACCEPTED"]);
  const { chargingProfileId, ...rest } = chargingProfile;
  expect(rest).toEqual({ stackLevel: 0, chargingProfilePurpose: "TxProfile", chargingProfileKind: "Relative", chargingSchedule });
  const transactionId = await charge("CARD");
  const [assigned] = await desk().assignments({ transactionId: String(transactionId) });
  expect(assigned).toMatchObject({ number: chargingProfileId, state: "INSTALLED", commandId: command.id });
  await stop(transactionId, "Local");
});

test("TC_066: a charge point is asked what it will allow", async () => {
  const { says, asked } = await open("TC_066");
  const { id } = await desk().create(byDefault);
  await desk().assign({ id, connectorId: 1 });
  const scheduleStart = new Date().toISOString();
  says.GetCompositeSchedule = {
    status: "Accepted",
    connectorId: 1,
    scheduleStart,
    chargingSchedule: { ...chargingSchedule, duration: 300 },
  };
  const { reported, differences } = await desk().composite({ connectorId: 1, durationSeconds: 300, unit: "A" });
  expect(asked("GetCompositeSchedule")).toEqual({ connectorId: 1, duration: 300, chargingRateUnit: "A" });
  expect(reported).toMatchObject({ status: "Accepted", periods: [{ startSeconds: 0, limit: 6, numberPhases: 3 }] });
  expect(differences).toEqual([]);
});

test("TC_067: profiles are cleared: one, those that match, and all", async () => {
  const { charge, asked, stop } = await open("TC_067");
  const transactionId = await charge("CARD");
  const ids = await Promise.all([most, byDefault, forOne].map(async (profile) => (await desk().create(profile)).id));
  const [max, preset, one] = ids.map((id) => given(id));
  const first = await desk().assign({ id: given(max) });
  const rest = [await desk().assign({ id: given(preset), connectorId: 1 }), await desk().assign({ id: given(one), connectorId: 1 })];
  const states = () => Promise.all([first, ...rest].map(desk().stateOf));
  expect(await states()).toEqual(Array(3).fill("INSTALLED"));
  await desk().clear({ assignmentId: first.id });
  expect([asked("ClearChargingProfile"), await states()]).toEqual([{ id: first.number }, ["CLEARED", "INSTALLED", "INSTALLED"]]);
  await desk().clear({ connectorId: 1, purpose: "TRANSACTION_DEFAULT", stackLevel: 0 });
  expect(asked("ClearChargingProfile")).toEqual({ connectorId: 1, chargingProfilePurpose: "TxDefaultProfile", stackLevel: 0 });
  expect(await states()).toEqual(["CLEARED", "CLEARED", "INSTALLED"]);
  await desk().clear({});
  expect([asked("ClearChargingProfile"), await states()]).toEqual([{}, Array(3).fill("CLEARED")]);
  await stop(transactionId, "Local");
});
