import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { connectCharger, type SimulatedCharger } from "../src/charger.ts";
import { registerWh } from "../src/meter.ts";
import { chargerModels } from "../src/models.ts";
import { type ManualTime, manualTime } from "./manual-time.ts";
import { actionsOf, type ScriptedCsms, startCsms } from "./scripted-csms.ts";

// Local lists, reservations and charging profiles: what they say is what the charger does.

let csms: ScriptedCsms;
let time: ManualTime;
let charger: SimulatedCharger;

beforeEach(async () => {
  csms = await startCsms();
  time = manualTime();
  charger = await connectCharger({ url: csms.url, id: "CP-1", time, model: chargerModels.post });
  await charger.boot();
  await charger.idle();
  csms.forget();
});
afterEach(async () => {
  await charger.close();
  await csms.close();
});

const result = async (action: string, payload: object) => (await csms.ask(action, payload))[2];
const statuses = () =>
  csms.calls.filter(({ action }) => action === "StatusNotification").map(({ payload }) => `${payload.connectorId} ${payload.status}`);
const set = (key: string, value: string) => result("ChangeConfiguration", { key, value });

describe("local list", () => {
  const entry = (idTag: string, status?: string) => ({ idTag, ...(status === undefined ? {} : { idTagInfo: { status } }) });
  const send = (listVersion: number, updateType: string, ...localAuthorizationList: object[]) =>
    result("SendLocalList", { listVersion, updateType, localAuthorizationList });

  test("it has versions, and an update that does not fit changes nothing", async () => {
    expect(await result("GetLocalListVersion", {})).toEqual({ listVersion: 0 });
    expect(await send(3, "Full", entry("A", "Accepted"), entry("B", "Blocked"))).toEqual({ status: "Accepted" });
    expect(await send(3, "Differential", entry("C", "Accepted"))).toEqual({ status: "VersionMismatch" });
    expect(await send(4, "Differential", entry("C", "Accepted"), entry("c", "Blocked"))).toEqual({ status: "Failed" });
    expect(await send(4, "Full", ...Array.from({ length: 251 }, (_, i) => entry(`${i}`, "Accepted")))).toEqual({ status: "Failed" });
    expect(await send(4, "Differential", entry("a"), entry("C", "Accepted"))).toEqual({ status: "Accepted" });
    expect([...charger.state.localList.entries.keys()]).toEqual(["b", "c"]);
    expect(await result("GetLocalListVersion", {})).toEqual({ listVersion: 4 });
    await set("LocalAuthListEnabled", "false");
    expect(await result("GetLocalListVersion", {})).toEqual({ listVersion: -1 });
    expect(await send(5, "Full")).toEqual({ status: "NotSupported" });
  });

  test("it counts offline, and online if the charger need not ask", async () => {
    const expired = { idTag: "OLD", idTagInfo: { status: "Accepted", expiryDate: "2026-01-01T00:00:00Z" } };
    await send(1, "Full", entry("GOOD", "Accepted"), entry("BAD", "Blocked"), expired);
    await set("LocalPreAuthorize", "true");
    expect(await charger.plugIn(1, { idTag: "good" })).toBeDefined();
    await charger.idle();
    expect(actionsOf(csms.calls)).not.toContain("Authorize");
    charger.unplug(1);
    charger.drop();
    for (const idTag of ["BAD", "OLD"]) {
      expect(await charger.plugIn(2, { idTag })).toBeUndefined();
      charger.unplug(2);
    }
    expect(await charger.plugIn(2, { idTag: "GOOD" })).toBeDefined();
  });
});

describe("reservations", () => {
  const reserve = (reservationId: number, fields: object = {}) =>
    result("ReserveNow", { connectorId: 1, expiryDate: "2026-03-01T09:00:00Z", idTag: "A", reservationId, ...fields });

  test("a connector is kept for one who may use it, or their kin, and the start says so", async () => {
    csms.script.Authorize = ({ idTag }) => ({ idTagInfo: { status: "Accepted", ...(idTag === "KIN" ? { parentIdTag: "FAMILY" } : {}) } });
    expect(await reserve(1, { parentIdTag: "FAMILY" })).toEqual({ status: "Accepted" });
    expect(await reserve(2, { idTag: "B" })).toEqual({ status: "Occupied" });
    expect(await charger.plugIn(1, { idTag: "B" })).toBeUndefined();
    charger.unplug(1);
    await charger.plugIn(1, { idTag: "KIN" });
    await charger.idle();
    expect(statuses()).toEqual(["1 Reserved", "1 Preparing", "1 Reserved", "1 Preparing", "1 Charging"]);
    expect((await csms.next("StartTransaction")).payload).toMatchObject({ idTag: "KIN", reservationId: 1 });
    expect(await result("CancelReservation", { reservationId: 1 })).toEqual({ status: "Rejected" });
  });

  test("it ends with its time, or when it is cancelled, and is not to be had where nothing can charge", async () => {
    await reserve(1);
    await time.advance(3_600_000, () => charger.idle());
    expect(statuses()).toEqual(["1 Reserved", "1 Available"]);
    expect(await reserve(1)).toEqual({ status: "Rejected" });
    await reserve(2, { expiryDate: "2026-03-01T12:00:00Z", connectorId: 2 });
    expect(await result("CancelReservation", { reservationId: 2 })).toEqual({ status: "Accepted" });
    await charger.idle();
    expect(statuses().slice(2)).toEqual(["2 Reserved", "2 Available"]);
    charger.fault(1, "GroundFailure");
    expect(await reserve(3, { expiryDate: "2026-03-01T12:00:00Z" })).toEqual({ status: "Faulted" });
    await result("ChangeAvailability", { connectorId: 2, type: "Inoperative" });
    expect(await reserve(3, { expiryDate: "2026-03-01T12:00:00Z", connectorId: 2 })).toEqual({ status: "Unavailable" });
  });
});

describe("charging profiles", () => {
  const profile = (
    chargingProfileId: number,
    chargingProfilePurpose: string,
    limit: number,
    fields: object = {},
    schedule: object = {},
  ) => ({
    chargingProfileId,
    stackLevel: 0,
    chargingProfilePurpose,
    chargingProfileKind: "Absolute",
    chargingSchedule: {
      startSchedule: "2026-03-01T07:00:00Z",
      chargingRateUnit: "A",
      chargingSchedulePeriod: [{ startPeriod: 0, limit }],
      ...schedule,
    },
    ...fields,
  });
  const install = (connectorId: number, csChargingProfiles: object) => result("SetChargingProfile", { connectorId, csChargingProfiles });
  const composite = async (chargingRateUnit: string, connectorId = 1) => {
    const answer = await result("GetCompositeSchedule", { connectorId, duration: 7_200, chargingRateUnit });
    return (answer as { chargingSchedule: { chargingSchedulePeriod: { startPeriod: number; limit: number }[] } }).chargingSchedule
      .chargingSchedulePeriod;
  };
  const limits = async (unit: string) => (await composite(unit)).map(({ startPeriod, limit }) => [startPeriod, limit]);

  test("the least of them counts, each for its time, and what is cleared does not", async () => {
    expect(await limits("A")).toEqual([[0, 32]]);
    expect(await install(0, profile(1, "ChargePointMaxProfile", 20))).toEqual({ status: "Accepted" });
    const periods = {
      duration: 7_200,
      chargingSchedulePeriod: [
        { startPeriod: 0, limit: 10 },
        { startPeriod: 5_400, limit: 30 },
      ],
    };
    await install(1, profile(2, "TxDefaultProfile", 0, {}, periods));
    // Until 8:30 its first, until 9:00 the most of the charger, which stays.
    expect(await limits("A")).toEqual([
      [0, 10],
      [1_800, 20],
    ]);
    expect(await limits("W")).toEqual([
      [0, 6_900],
      [1_800, 13_800],
    ]);
    const daily = { chargingProfileKind: "Recurring", recurrencyKind: "Daily", stackLevel: 1 };
    await install(1, profile(3, "TxDefaultProfile", 6, daily, { startSchedule: "2026-02-20T09:00:00Z", duration: 1_800 }));
    expect(await limits("A")).toEqual([
      [0, 10],
      [1_800, 20],
      [3_600, 6],
      [5_400, 20],
    ]);
    expect(await result("ClearChargingProfile", { id: 3 })).toEqual({ status: "Accepted" });
    expect(await result("ClearChargingProfile", { id: 3 })).toEqual({ status: "Unknown" });
    expect(await result("ClearChargingProfile", { chargingProfilePurpose: "ChargePointMaxProfile" })).toEqual({ status: "Accepted" });
    expect(await limits("A")).toEqual([
      [0, 10],
      [1_800, 30],
      [3_600, 32],
    ]);
    expect(await result("GetCompositeSchedule", { connectorId: 3, duration: 60 })).toEqual({ status: "Rejected" });
  });

  test("what charges obeys them, down to nothing", async () => {
    await charger.plugIn(1, { idTag: "A", vehicle: { model: chargerVehicle, charge: 0.1, limit: 1 } });
    await charger.idle();
    expect(await install(1, profile(1, "TxProfile", 6, { transactionId: 999 }))).toEqual({ status: "Rejected" });
    expect(await install(1, profile(1, "TxProfile", 6, { transactionId: 101 }))).toEqual({ status: "Accepted" });
    const [connector] = charger.state.connectors;
    const before = connector === undefined ? 0 : registerWh(connector);
    await time.advance(3_600_000, () => charger.idle());
    const gained = (connector === undefined ? 0 : registerWh(connector)) - before;
    expect(Math.abs(gained - 3 * 6 * 230)).toBeLessThan(30);
    await install(1, profile(1, "TxProfile", 0, { transactionId: 101 }));
    await charger.idle();
    expect(statuses().at(-1)).toBe("1 SuspendedEVSE");
    charger.stop(1);
    expect(charger.state.profiles).toEqual([]);
  });

  test("a remote start brings its own", async () => {
    const chargingProfile = profile(9, "TxProfile", 8, { chargingProfileKind: "Relative" }, { startSchedule: undefined });
    await result("RemoteStartTransaction", { connectorId: 1, idTag: "A", chargingProfile });
    await charger.idle();
    expect(charger.state.profiles).toMatchObject([{ connectorId: 1, profile: { chargingProfileId: 9 } }]);
    expect(await limits("A")).toEqual([[0, 8]]);
  });

  test("what this charger cannot keep is rejected", async () => {
    expect(await install(1, profile(1, "ChargePointMaxProfile", 6))).toEqual({ status: "Rejected" });
    expect(await install(1, profile(1, "TxProfile", 6))).toEqual({ status: "Rejected" });
    expect(await install(3, profile(1, "TxDefaultProfile", 6))).toEqual({ status: "Rejected" });
    expect(await install(1, profile(1, "TxDefaultProfile", 6, { stackLevel: 9 }))).toEqual({ status: "Rejected" });
    expect(await composite("A", 0)).toMatchObject([{ startPeriod: 0 }]);
  });
});

const chargerVehicle = { name: "lorry", batteryWh: 300_000, acMaxW: 22_000, acPhases: 3, dcMaxW: 150_000 } as const;
