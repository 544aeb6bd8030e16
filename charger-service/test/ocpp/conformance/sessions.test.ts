import { StartTransactionRequest, StopTransactionRequest } from "@chargemesh/contracts/charger/v1/transaction_service";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { call, given } from "../../service.ts";
import { openSite, type Site } from "../site.ts";
import { type ChargePoint, openChargePoint } from "./charge-point.ts";

// The test cases of the Open Charge Alliance for central systems: booting and charging (docs/ocpp-conformance.md has the list).

let site: Site;
let point: ChargePoint;

beforeAll(async () => {
  site = await openSite({ OCPP_HEARTBEAT_SECONDS: "77" });
  await site.addIdToken("CARD");
  await site.addIdToken("EXPIRED", { expiryTime: new Date(Date.now() - 60_000) });
  await site.addIdToken("BLOCKED", { status: "BLOCKED" });
});
afterEach(() => point.station.leave());
afterAll(() => site?.leave());

const open = async (id: string): Promise<ChargePoint> => {
  point = await openChargePoint(site, id);
  return point;
};
const connectorOf = async ({ id }: ChargePoint) => given((await site.charger(id)).evses[0]?.connectors[0]);
const transaction = async (id: number) => {
  const { state, idToken, energyWh, stopReason, flags } = await site.transaction(id);
  return { state, idToken, energyWh, stopReason, flags };
};
const charged = (stopReason: string, flags: string[] = []) => ({ state: "STOPPED", idToken: "CARD", energyWh: 500, stopReason, flags });
const ago = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString();

const operator = () => site.place.as("OPERATOR");
const remoteStart = async ({ id }: ChargePoint, idToken = "CARD") => {
  const { transactions } = site.service;
  const request = StartTransactionRequest.fromPartial({ chargerId: id, connectorId: 1, idToken });
  return given((await call(transactions, transactions.startTransaction, request, operator())).command);
};
const remoteStop = async (transactionId: number) => {
  const { transactions } = site.service;
  const request = StopTransactionRequest.fromPartial({ id: String(transactionId) });
  return given((await call(transactions, transactions.stopTransaction, request, operator())).command);
};

test("TC_001: a charge point that boots cold is accepted, and so is what it says then", async () => {
  const { id, station, status } = await open("TC_001");
  expect(await station.boot()).toEqual({ status: "Accepted", interval: 77, currentTime: expect.any(String) });
  for (const connectorId of [0, 1, 2]) await status(connectorId, "Available");
  const { currentTime } = await station.result("Heartbeat", {});
  expect(Math.abs(Date.parse(currentTime) - Date.now())).toBeLessThan(20_000);
  const charger = await site.charger(id);
  expect([charger.status, ...charger.evses.map(({ connectors }) => connectors[0]?.status)]).toEqual(Array(3).fill("AVAILABLE"));
});

test("TC_003: plugged in first, then identified", async () => {
  const { goes, authorize, start } = await open("TC_003");
  await goes("Preparing");
  expect(await authorize("CARD")).toBe("Accepted");
  const { transactionId, idTagInfo } = await start("CARD");
  expect(idTagInfo.status).toBe("Accepted");
  await goes("Charging");
  expect((await connectorOf(point)).status).toBe("CHARGING");
  await point.stop(transactionId, "Local", { idTag: "CARD" });
  await goes("Finishing", "Available");
  expect(await transaction(transactionId)).toEqual(charged("Local"));
});

test("TC_004_1: identified first, then plugged in", async () => {
  const { charge, stop, goes } = await open("TC_004_1");
  const transactionId = await charge("CARD");
  expect((await connectorOf(point)).status).toBe("CHARGING");
  await stop(transactionId, "Local");
  await goes("Finishing", "Available");
  expect(await transaction(transactionId)).toEqual(charged("Local"));
});

test("TC_004_2: identified, and nobody plugs in", async () => {
  const { id, authorize, goes } = await open("TC_004_2");
  expect(await authorize("CARD")).toBe("Accepted");
  await goes("Preparing", "Available");
  expect((await connectorOf(point)).status).toBe("AVAILABLE");
  expect(await site.transactions(id)).toEqual([]);
});

test("TC_005_1: unplugged at the vehicle, which ends it", async () => {
  const { charge, stop, goes, station } = await open("TC_005_1");
  const transactionId = await charge("CARD");
  await goes("SuspendedEV");
  expect((await connectorOf(point)).status).toBe("SUSPENDED_EV");
  expect(await stop(transactionId, "EVDisconnected", { idTag: "CARD" })).toEqual({ idTagInfo: { status: "Accepted" } });
  await goes("Finishing", "Available");
  expect(await transaction(transactionId)).toEqual(charged("EVDisconnected"));
  expect(station.asked).toEqual([]);
});

test("TC_007: started by a card that the charge point knows already", async () => {
  const { goes, start, stop } = await open("TC_007");
  await goes("Preparing");
  const { transactionId, idTagInfo } = await start("CARD");
  expect(idTagInfo.status).toBe("Accepted");
  await goes("Charging");
  await stop(transactionId, "Local");
  expect(await transaction(transactionId)).toEqual(charged("Local"));
});

test("TC_010: started from afar, plugged in before", async () => {
  const { id, goes, authorize, start, asked, stop } = await open("TC_010");
  await goes("Preparing");
  const command = await remoteStart(point);
  expect([asked("RemoteStartTransaction"), command.state]).toEqual([{ connectorId: 1, idTag: "CARD" }, "ACCEPTED"]);
  expect(await authorize("CARD")).toBe("Accepted");
  const { transactionId, idTagInfo } = await start("CARD");
  expect(idTagInfo.status).toBe("Accepted");
  await goes("Charging");
  expect((await site.commandById(id, command.id)).transactionId).toBe(String(transactionId));
  await stop(transactionId, "Local");
});

test("TC_011_1: started from afar, plugged in after", async () => {
  const { id, charge, stop } = await open("TC_011_1");
  const command = await remoteStart(point);
  const transactionId = await charge("CARD");
  expect(await site.commandById(id, command.id)).toMatchObject({ state: "ACCEPTED", transactionId: String(transactionId) });
  await stop(transactionId, "Local");
});

test("TC_011_2: started from afar, and nobody plugs in", async () => {
  const { id, authorize, goes } = await open("TC_011_2");
  const command = await remoteStart(point);
  expect(await authorize("CARD")).toBe("Accepted");
  await goes("Preparing", "Available");
  expect((await connectorOf(point)).status).toBe("AVAILABLE");
  expect(await site.commandById(id, command.id)).toMatchObject({ state: "ACCEPTED", transactionId: "" });
  expect(await site.transactions(id)).toEqual([]);
});

test("TC_012: stopped from afar", async () => {
  const { charge, asked, stop, goes } = await open("TC_012");
  const transactionId = await charge("CARD");
  expect(await remoteStop(transactionId)).toMatchObject({ action: "RemoteStopTransaction", state: "ACCEPTED" });
  expect(asked("RemoteStopTransaction")).toEqual({ transactionId });
  await stop(transactionId, "Remote");
  await goes("Finishing", "Available");
  expect(await transaction(transactionId)).toEqual(charged("Remote"));
});

test("TC_018_1: unlocked while it charges, which ends it", async () => {
  const { id, charge, says, asked, stop, goes } = await open("TC_018_1");
  const transactionId = await charge("CARD");
  says.UnlockConnector = { status: "Unlocked" };
  const command = await site.command({ chargerId: id, action: "UnlockConnector", payload: { connectorId: 1 } });
  expect([asked("UnlockConnector"), command.state, command.status]).toEqual([{ connectorId: 1 }, "ACCEPTED", "Unlocked"]);
  await goes("Finishing");
  await stop(transactionId, "UnlockCommand");
  await goes("Available");
  expect(await transaction(transactionId)).toEqual(charged("UnlockCommand"));
});

test.each([
  ["TC_023_1: a card that nobody knows", "NOBODY", "Invalid"],
  ["TC_023_2: a card whose time is over", "EXPIRED", "Expired"],
  ["TC_023_3: a card that is blocked", "BLOCKED", "Blocked"],
])("%s may not charge", async (_title, idTag, status) => {
  const { id, goes, authorize } = await open(`TC_023-${idTag}`);
  await goes("Preparing");
  expect(await authorize(idTag)).toBe(status);
  expect(await site.transactions(id)).toEqual([]);
});

test("TC_024: the lock fails, which is told", async () => {
  const { authorize, goes, status } = await open("TC_024");
  expect(await authorize("CARD")).toBe("Accepted");
  await goes("Preparing");
  await status(1, "Faulted", "ConnectorLockFailure");
  expect(await connectorOf(point)).toMatchObject({ status: "FAULTED", errorCode: "ConnectorLockFailure" });
});

test("TC_026: a start from afar that the charge point rejects", async () => {
  const { id, says } = await open("TC_026");
  says.RemoteStartTransaction = { status: "Rejected" };
  expect(await remoteStart(point)).toMatchObject({ state: "REJECTED", status: "Rejected", transactionId: "" });
  expect(await site.transactions(id)).toEqual([]);
});

test("TC_028: a stop from afar that the charge point rejects", async () => {
  const { charge, says, stop } = await open("TC_028");
  const transactionId = await charge("CARD");
  says.RemoteStopTransaction = { status: "Rejected" };
  expect(await remoteStop(transactionId)).toMatchObject({ state: "REJECTED", status: "Rejected" });
  expect((await transaction(transactionId)).state).toBe("ACTIVE");
  await stop(transactionId, "Local");
});

test("TC_032_1: the power fails while it charges, and what it charged is stopped after the boot", async () => {
  const { charge, reboot, status, stop } = await open("TC_032_1");
  const transactionId = await charge("CARD");
  await reboot();
  await status(1, "Finishing");
  expect(await stop(transactionId, "PowerLoss")).toEqual({});
  await status(1, "Available");
  expect(await transaction(transactionId)).toEqual(charged("PowerLoss"));
});

test("TC_037_1: started offline by a card that may charge", async () => {
  const { reboot, start, goes, stop } = await open("TC_037_1");
  await reboot();
  const { transactionId, idTagInfo } = await start("CARD", { timestamp: ago(900) });
  expect(idTagInfo.status).toBe("Accepted");
  await goes("Charging");
  expect(await transaction(transactionId)).toMatchObject({ state: "ACTIVE", flags: ["OFFLINE_START"] });
  await stop(transactionId, "Local");
});

test("TC_037_3: started offline by a card that may not, and unwound", async () => {
  const { reboot, start, goes, stop } = await open("TC_037_3");
  await reboot();
  const { transactionId, idTagInfo } = await start("NOBODY", { timestamp: ago(900) });
  expect(idTagInfo.status).toBe("Invalid");
  await goes("Charging");
  await stop(transactionId, "DeAuthorized");
  await goes("Finishing", "Available");
  const flags = ["ID_TOKEN_UNKNOWN", "OFFLINE_START"];
  expect(await transaction(transactionId)).toEqual({ ...charged("DeAuthorized", flags), idToken: "NOBODY" });
});

test("TC_039: started and stopped offline", async () => {
  const { reboot, start, stop } = await open("TC_039");
  await reboot();
  const { transactionId, idTagInfo } = await start("CARD", { timestamp: ago(900) });
  expect(idTagInfo.status).toBe("Accepted");
  expect(await stop(transactionId, "Local", { timestamp: ago(300), idTag: "CARD" })).toEqual({ idTagInfo: { status: "Accepted" } });
  expect(await transaction(transactionId)).toEqual(charged("Local", ["OFFLINE_START"]));
});

test("TC_064: a message of a vendor whom nobody knows is answered, and not taken", async () => {
  const { station } = await open("TC_064");
  const message = { vendorId: "Unrecognized.Vendor", messageId: "1", data: "x" };
  expect((await station.result("DataTransfer", message)).status).toBe("UnknownVendorId");
});
