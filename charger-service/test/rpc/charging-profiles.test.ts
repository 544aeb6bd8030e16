import { ListChargingProfilesRequest } from "@chargemesh/contracts/charger/v1/charging_profile_service";
import type { Metadata } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../../../test/rest.ts";
import { openSite, type Site } from "../ocpp/site.ts";
import type { Payload, Reaction, Station } from "../ocpp/station.ts";
import { call, given, refusal, type Service } from "../service.ts";
import { byDefault, forOne, makeProfileDesk, most, type Partially } from "./profile-desk.ts";

// Charging profiles from the book to the charger and back.

let site: Site;
let service: Service;
let operator: Metadata;
let desk: ReturnType<typeof makeProfileDesk>;
let charger: Station;
/** What the charger says to what it is asked. */
let says: (action: string, payload: Payload) => Reaction = () => ({ status: "Accepted" });

beforeAll(async () => {
  site = await openSite();
  service = site.service;
  operator = site.place.as("OPERATOR");
  desk = makeProfileDesk(service, operator, "P-1");
  charger = await site.join("P-1", { react: (action, payload) => says(action, payload) });
  await site.register("P-offline");
  await site.addIdToken("Card");
});
afterAll(async () => {
  await charger?.leave();
  await site?.leave();
});

let connectors = 0;
const begin = async (connectorId = ++connectors, idTag = "nobody"): Promise<{ connectorId: number; transactionId: number }> => {
  const request = { connectorId, idTag, meterStart: 0, timestamp: new Date().toISOString() };
  return { connectorId, transactionId: (await charger.result("StartTransaction", request)).transactionId };
};
const end = (transactionId: number) =>
  charger.result("StopTransaction", { transactionId, meterStop: 1, timestamp: new Date().toISOString() });

const invalid = (...fields: string[]) => ({ code: "INVALID_ARGUMENT", reason: "INVALID_FIELD", fields });
const failed = (reason: string) => ({ code: "FAILED_PRECONDITION", reason, fields: [] });
const notFound = (reason: string) => ({ code: "NOT_FOUND", reason, fields: [] });
const NOWHERE = "00000000-0000-4000-8000-000000000000";

describe("a profile that is kept here", () => {
  test("is made, read, changed and listed, and told of", async () => {
    const { id, etag } = await desk.create({ ...byDefault, displayName: "Night" });
    expect(await desk.get(id)).toMatchObject({ ...byDefault, displayName: "Night", stackLevel: 0 });
    const changed = await desk.update({ id, etag, stackLevel: 3, displayName: "Day" }, ["stack_level", "display_name"]);
    expect(changed).toMatchObject({ displayName: "Day", stackLevel: 3, kind: "RECURRING", etag: "2" });
    expect(await refusal(desk.update({ id, etag, stackLevel: 4 }, ["stack_level"]))).toMatchObject({ reason: "ETAG_STALE" });
    expect(await refusal(desk.update({ id, kind: "ABSOLUTE" }, ["kind"]))).toEqual(invalid("charging_profile.recurrency"));
    expect(await desk.update({ id, kind: "ABSOLUTE" }, ["kind", "recurrency"])).toMatchObject({ recurrency: "RECURRENCY_UNSPECIFIED" });
    const list = ListChargingProfilesRequest.fromPartial({ purpose: "TRANSACTION_DEFAULT" });
    const { chargingProfiles } = await call(service.chargingProfiles, service.chargingProfiles.listChargingProfiles, list, operator);
    expect(chargingProfiles[0]?.id).toBe(id);
    await desk.remove(id);
    expect(await refusal(desk.get(id))).toEqual(notFound("CHARGING_PROFILE_NOT_FOUND"));
    const told = (await site.told()).filter(({ subject }) => subject === id).map(({ type }) => type);
    expect(told).toEqual(["ChargingProfileCreated", "ChargingProfileUpdated", "ChargingProfileUpdated", "ChargingProfileDeleted"]);
  });

  const schedule = byDefault.schedule ?? {};
  const periods = (...starts: number[]) => ({ ...schedule, periods: starts.map((startSeconds) => ({ startSeconds, limit: 6 })) });
  test.each<[string, Partially, string]>([
    ["no purpose", { ...byDefault, purpose: "PURPOSE_UNSPECIFIED" }, "purpose"],
    ["no schedule", { ...byDefault, schedule: undefined }, "schedule"],
    ["no period", { ...byDefault, schedule: { ...schedule, periods: [] } }, "schedule.periods"],
    ["no unit", { ...byDefault, schedule: { ...schedule, rateUnit: "RATE_UNIT_UNSPECIFIED" } }, "schedule.rate_unit"],
    ["a recurrency where nothing recurs", { ...forOne, recurrency: "DAILY" }, "recurrency"],
    ["no recurrency where something does", { ...byDefault, recurrency: "RECURRENCY_UNSPECIFIED" }, "recurrency"],
    ["no start", { ...byDefault, schedule: { ...schedule, startTime: undefined } }, "schedule.start_time"],
    ["a start beside that of the transaction", { ...forOne, schedule }, "schedule.start_time"],
    ["the charger's most from the start of a transaction", { ...forOne, purpose: "CHARGER_MAX" }, "kind"],
    ["an end before its beginning", { ...most, validFromTime: new Date(2), validToTime: new Date(1) }, "valid_to_time"],
    ["a first period that comes later", { ...byDefault, schedule: periods(1) }, "schedule.periods[0].start_seconds"],
    ["periods out of order", { ...byDefault, schedule: periods(0, 9, 9) }, "schedule.periods[2].start_seconds"],
    ["a period after its end", { ...byDefault, schedule: periods(0, 86_400) }, "schedule.periods[1].start_seconds"],
    ["a day of 25 hours", { ...byDefault, schedule: { ...schedule, durationSeconds: 90_000 } }, "schedule.duration_seconds"],
    ["a limit of two decimals", { ...most, schedule: { ...most.schedule, periods: [{ limit: 6.05 }] } }, "schedule.periods[0].limit"],
    [
      "four phases",
      { ...most, schedule: { ...most.schedule, periods: [{ limit: 6, numberPhases: 4 }] } },
      "schedule.periods[0].number_phases",
    ],
  ])("with %s is refused", async (_what, profile, field) => {
    expect(await refusal(desk.create(profile))).toEqual(invalid(`charging_profile.${field}`));
  });
});

describe("assigning", () => {
  test("sends it in the words of 1.6, and the newest of its purpose, level and place replaces the one before", async () => {
    const { id } = await desk.create();
    const first = await desk.assign({ id, connectorId: 100 });
    expect(first).toMatchObject({ state: "INSTALLED", status: "Accepted", connectorId: 100, evseId: 100, chargingProfileEtag: "1" });
    expect(charger.asked.at(-1)?.payload).toEqual({
      connectorId: 100,
      csChargingProfiles: {
        chargingProfileId: first.number,
        stackLevel: 0,
        chargingProfilePurpose: "TxDefaultProfile",
        chargingProfileKind: "Recurring",
        recurrencyKind: "Daily",
        chargingSchedule: {
          startSchedule: "2027-01-01T00:00:00.000Z",
          chargingRateUnit: "A",
          chargingSchedulePeriod: [
            { startPeriod: 0, limit: 16.1 },
            { startPeriod: 3_600, limit: 8, numberPhases: 1 },
          ],
        },
      },
    });
    const elsewhere = await desk.assign({ id, connectorId: 101 });
    const above = await desk.assign({ id: (await desk.create({ ...byDefault, stackLevel: 1 })).id, connectorId: 100 });
    const second = await desk.assign({ id, connectorId: 100 });
    const states = await Promise.all([first, elsewhere, above, second].map(desk.stateOf));
    expect(states).toEqual(["REPLACED", "INSTALLED", "INSTALLED", "INSTALLED"]);
    expect(await refusal(desk.remove(id))).toEqual(failed("CHARGING_PROFILE_IN_USE"));
    const told = (await site.told()).filter(({ subject }) => subject === first.id).map(({ data }) => data.assignment.state);
    expect(told).toEqual(["PENDING", "INSTALLED", "REPLACED"]);
  });

  test.each<[string, Reaction, object]>([
    ["refused", { status: "NotSupported" }, { state: "REFUSED", status: "NotSupported" }],
    ["answered with an error", { errorCode: "NotImplemented" }, { state: "FAILED", errorCode: "NotImplemented" }],
    ["answered with nonsense", { status: "Perhaps" }, { state: "UNCERTAIN", errorCode: "INVALID_RESPONSE" }],
  ])("what is %s is not installed", async (_what, reaction, expected) => {
    const { id } = await desk.create();
    says = () => reaction;
    expect(await desk.assign({ id, connectorId: 110 })).toMatchObject(expected);
    says = () => ({ status: "Accepted" });
  });

  test("each purpose has its place, and the charger its limits", async () => {
    const [def, max, one] = [await desk.create(), await desk.create(most), await desk.create(forOne)];
    expect(await refusal(desk.assign({ id: NOWHERE }))).toEqual(notFound("CHARGING_PROFILE_NOT_FOUND"));
    expect(await refusal(desk.assign({ id: def.id, chargerId: "nowhere" }))).toEqual(notFound("CHARGER_NOT_FOUND"));
    expect(await refusal(desk.assign({ id: max.id, connectorId: 1 }))).toEqual(invalid("connector_id"));
    expect(await refusal(desk.assign({ id: def.id, transactionId: "1" }))).toEqual(invalid("transaction_id"));
    expect(await refusal(desk.assign({ id: one.id }))).toEqual(invalid("transaction_id"));
    expect(await refusal(desk.assign({ id: one.id, connectorId: 120 }))).toEqual(failed("NO_TRANSACTION"));
    expect(await refusal(desk.assign({ id: one.id, transactionId: "2147483647" }))).toEqual(notFound("TRANSACTION_NOT_FOUND"));
    await site.rows(`insert into configuration_key (charger_id, key, value, state) values
      ('P-offline', 'ChargeProfileMaxStackLevel', '0', 'UNMANAGED'), ('P-offline', 'chargingScheduleMaxPeriods', '1', 'UNMANAGED'),
      ('P-offline', 'ChargingScheduleAllowedChargingRateUnit', 'Current', 'UNMANAGED')`);
    const high = await desk.create({ ...most, stackLevel: 1 });
    const inWatts = await desk.create({ ...most, schedule: { ...most.schedule, rateUnit: "W" } });
    for (const { id } of [high, inWatts, def]) {
      expect(await refusal(desk.assign({ id, chargerId: "P-offline" }))).toEqual(failed("CHARGER_CANNOT"));
    }
    expect(await desk.assign({ id: max.id, chargerId: "P-offline" })).toMatchObject({ state: "FAILED", errorCode: "CHARGER_OFFLINE" });
  });

  test("one for a transaction ends with it", async () => {
    const { id } = await desk.create(forOne);
    const { connectorId, transactionId } = await begin();
    const assignment = await desk.assign({ id, connectorId, idempotencyKey: "the same" });
    expect(assignment).toMatchObject({ state: "INSTALLED", transactionId: String(transactionId) });
    expect(charger.asked.at(-1)?.payload).toMatchObject({ csChargingProfiles: { transactionId, chargingProfilePurpose: "TxProfile" } });
    await end(transactionId);
    expect(await desk.stateOf(assignment)).toBe("ENDED");
    expect(await refusal(desk.assign({ id, transactionId: String(transactionId) }))).toEqual(failed("TRANSACTION_STOPPED"));
    expect((await desk.assign({ id, connectorId, idempotencyKey: "the same" })).id).toBe(assignment.id);
  });
});

describe("clearing", () => {
  test("forgets one, or all that match, whoever sent them", async () => {
    const { id } = await desk.create();
    const [one, other, most0] = [
      await desk.assign({ id, connectorId: 130 }),
      await desk.assign({ id, connectorId: 131 }),
      await desk.assign({ id: (await desk.create(most)).id }),
    ];
    const states = () => Promise.all([one, other, most0].map(desk.stateOf));
    expect(await refusal(desk.clear({ assignmentId: NOWHERE }))).toEqual(notFound("ASSIGNMENT_NOT_FOUND"));
    expect(await desk.clear({ assignmentId: one.id })).toMatchObject({
      action: "ClearChargingProfile",
      payload: { id: one.number },
      state: "ACCEPTED",
    });
    expect(await states()).toEqual(["CLEARED", "INSTALLED", "INSTALLED"]);
    // By hand; none matches at the charger, so there is none.
    says = () => ({ status: "Unknown" });
    await site.command({
      chargerId: "P-1",
      action: "ClearChargingProfile",
      payload: { connectorId: 131, chargingProfilePurpose: "TxDefaultProfile" },
    });
    expect(await states()).toEqual(["CLEARED", "CLEARED", "INSTALLED"]);
    says = () => ({ status: "Accepted" });
    expect((await desk.clear({ purpose: "CHARGER_MAX", connectorId: 0, stackLevel: 0 })).payload).toEqual({
      connectorId: 0,
      chargingProfilePurpose: "ChargePointMaxProfile",
      stackLevel: 0,
    });
    expect(await states()).toEqual(["CLEARED", "CLEARED", "CLEARED"]);
  });
});

describe("a remote start with a profile", () => {
  test("gives it to the transaction that it leads to", async () => {
    const { id } = await desk.create(forOne);
    const command = await desk.remoteStart({ connectorId: 140, chargingProfileId: id });
    const [waiting] = await desk.assignments({ chargingProfileId: id });
    expect(waiting).toMatchObject({ state: "PENDING", transactionId: "", commandId: command.id });
    expect(command.payload).toMatchObject({ chargingProfile: { chargingProfileId: waiting?.number, chargingProfilePurpose: "TxProfile" } });
    expect(command.payload?.chargingProfile).not.toHaveProperty("transactionId");
    const { transactionId } = await begin(140, "CARD");
    expect((await desk.assignments({ transactionId: String(transactionId) }))[0]).toMatchObject({
      id: waiting?.id,
      state: "INSTALLED",
      connectorId: 140,
    });
    await end(transactionId);
    expect(await desk.stateOf(given(waiting))).toBe("ENDED");
  });

  test("may say it itself, in the words of the contract or by hand", async () => {
    const command = await desk.remoteStart({ connectorId: 141, chargingProfile: forOne });
    const { transactionId } = await begin(141, "Card");
    expect((await desk.assignments({ transactionId: String(transactionId) }))[0]).toMatchObject({
      commandId: command.id,
      chargingProfileId: "",
    });
    await end(transactionId);
    const chargingProfile = { ...given(command.payload).chargingProfile, chargingProfileId: 77 };
    await site.command({
      chargerId: "P-1",
      action: "RemoteStartTransaction",
      payload: { idTag: "Card", connectorId: 142, chargingProfile },
    });
    const byHand = await begin(142, "Card");
    expect((await desk.assignments({ transactionId: String(byHand.transactionId) }))[0]).toMatchObject({ number: 77, state: "INSTALLED" });
    await end(byHand.transactionId);
  });

  test("that leads to nothing is given up", async () => {
    const { id: commandId } = await desk.remoteStart({ connectorId: 143, chargingProfile: forOne });
    await site.rows("update command set send_time = send_time - interval '125 s' where id = $1", [commandId]);
    await eventually(async () => (await desk.assignments({ chargerId: "P-1" }))[0]?.state === "FAILED");
  });

  test("must have one for a transaction, and is for operators", async () => {
    const { id } = await desk.create();
    expect(await refusal(desk.remoteStart({ chargingProfileId: id }))).toEqual(invalid("charging_profile_id"));
    expect(await refusal(desk.remoteStart({ chargingProfile: most }))).toEqual(invalid("charging_profile.purpose"));
    expect(await refusal(desk.remoteStart({ chargingProfileId: id, chargingProfile: forOne }))).toEqual(invalid("charging_profile"));
    expect(await refusal(desk.remoteStart({ chargingProfileId: NOWHERE }))).toEqual(notFound("CHARGING_PROFILE_NOT_FOUND"));
    const driver = site.place.as("DRIVER");
    expect(await refusal(desk.remoteStart({ idToken: "", chargingProfile: forOne }, driver))).toMatchObject({ reason: "ACCESS_DENIED" });
  });
});

test("the composite schedule is ours beside the charger's, also of a profile that was set by hand", async () => {
  await desk.clear({});
  const chargingProfilePurpose = "TxDefaultProfile";
  const chargingSchedule = { chargingRateUnit: "A", chargingSchedulePeriod: [{ startPeriod: 0, limit: 10, numberPhases: 1 }] };
  const lower = { chargingRateUnit: "A", chargingSchedulePeriod: [{ startPeriod: 0, limit: 8, numberPhases: 1 }] };
  const csChargingProfiles = {
    chargingProfileId: 5,
    stackLevel: 0,
    chargingProfilePurpose,
    chargingProfileKind: "Relative",
    chargingSchedule,
  };
  await site.command({ chargerId: "P-1", action: "SetChargingProfile", payload: { connectorId: 150, csChargingProfiles } });
  await desk.assign({
    id: (await desk.create({ ...most, schedule: { ...most.schedule, rateUnit: "W", periods: [{ limit: 3_000 }] } })).id,
  });
  says = (action, { connectorId }) =>
    action === "GetCompositeSchedule"
      ? { status: "Accepted", connectorId, scheduleStart: new Date().toISOString(), chargingSchedule: { ...lower, duration: 600 } }
      : { status: "Accepted" };
  const found = await desk.composite({ connectorId: 150, durationSeconds: 600, unit: "W" });
  expect(charger.asked.at(-1)).toMatchObject({
    action: "GetCompositeSchedule",
    payload: { connectorId: 150, duration: 600, chargingRateUnit: "W" },
  });
  expect(found.periods).toEqual([{ startSeconds: 0, limit: 2_300, numberPhases: 1 }]);
  expect(found.reported).toMatchObject({
    status: "Accepted",
    rateUnit: "A",
    durationSeconds: 600,
    periods: [{ startSeconds: 0, limit: 8, numberPhases: 1 }],
  });
  expect(found.differences).toMatchObject([{ limit: 2_300, reportedLimit: 1_840 }]);
  expect(await site.commandById("P-1", found.commandId)).toMatchObject({ state: "ACCEPTED" });
  const alone = await desk.composite({ connectorId: 150, unit: "A", withoutCharger: true });
  expect(alone).toMatchObject({ durationSeconds: 86_400, reported: undefined, differences: [], commandId: "" });
  expect(alone.periods).toMatchObject([{ startSeconds: 0, limit: 4.348 }]);
  expect(await refusal(desk.composite({ chargerId: "nowhere" }))).toEqual(notFound("CHARGER_NOT_FOUND"));
  expect(await desk.composite({ chargerId: "P-offline" })).toMatchObject({ periods: [{ startSeconds: 0 }], commandId: "" });
});
