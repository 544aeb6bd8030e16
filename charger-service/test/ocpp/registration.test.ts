import { makeLogger } from "@chargemesh/kit/log";
import { Stack } from "@chargemesh/kit/main";
import { openPostgres } from "@chargemesh/kit/postgres";
import type { Req, V16 } from "@chargemesh/ocpp/version";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../../test/rest.ts";
import { type Database, SCHEMA } from "../../src/db/schema.ts";
import { dataTransferTo } from "../../src/ocpp/v16/data-transfer.ts";
import { refusal } from "../service.ts";
import { type CredentialDesk, openDesk } from "./credential-desk.ts";
import { openSetupDesk, type SetupDesk } from "./setup-desk.ts";
import { openSite, type Site } from "./site.ts";

// What may be said before a charger is accepted, what a reboot leaves behind, what vendors say by messages of their own, and all that a meter can.

const log = makeLogger("charger-service", "silent");
let site: Site;
let desk: SetupDesk;
let chargers: CredentialDesk;

beforeAll(async () => {
  site = await openSite({ OCPP_RETRY_SECONDS: "7", OCPP_HEARTBEAT_SECONDS: "77" });
  desk = openSetupDesk(site);
  chargers = openDesk(site);
});
afterAll(async () => {
  desk?.close();
  await site?.leave();
});

const ago = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString();
const trigger = { action: "TriggerMessage", payload: { requestedMessage: "Heartbeat" } };
const start = { action: "RemoteStartTransaction", payload: { idTag: "A" } };
const stop = { action: "RemoteStopTransaction", payload: { transactionId: 1 } };

test("a charger that is pending is configured and triggered, asked to start nothing, and boots again once it is accepted", async () => {
  await site.register("R-1", { registration: "PENDING" });
  const station = await site.connect("R-1");
  expect(await station.boot()).toMatchObject({ status: "Pending", interval: 7 });
  expect(await site.command({ chargerId: "R-1", ...trigger })).toMatchObject({ state: "ACCEPTED" });
  // What it was triggered to say, it may.
  expect(await station.result("Heartbeat", {})).toEqual({ currentTime: expect.any(String) });
  expect(await desk.want("R-1", "HeartbeatInterval", "60")).toMatchObject({ state: "IN_SYNC" });
  for (const not of [start, stop]) {
    const refused = await refusal(site.command({ chargerId: "R-1", ...not }));
    expect(refused).toMatchObject({ code: "FAILED_PRECONDITION", reason: "CHARGER_NOT_ACCEPTED" });
  }
  const { id } = await site.command({ chargerId: "R-1", ...start, ttlSeconds: 60 });
  expect(await site.commandById("R-1", id)).toMatchObject({ state: "QUEUED" });
  expect(station.asked.map(({ action }) => action)).toEqual(["TriggerMessage", "ChangeConfiguration"]);
  await chargers.change("R-1", { registration: "ACCEPTED" });
  expect((await station.isAsked("TriggerMessage", 1)).payload).toEqual({ requestedMessage: "BootNotification" });
  expect(await station.boot()).toMatchObject({ status: "Accepted", interval: 77 });
  expect(await station.isAsked("RemoteStartTransaction")).toMatchObject({ payload: { idTag: "A" } });
  await station.leave();
});

test("a charger that is rejected is asked nothing, and what it says of money is kept", async () => {
  await site.register("R-2", { registration: "REJECTED" });
  const station = await site.connect("R-2");
  expect(await station.boot()).toMatchObject({ status: "Rejected", interval: 7 });
  for (const any of [trigger, start, { action: "GetConfiguration", payload: {} }]) {
    expect(await refusal(site.command({ chargerId: "R-2", ...any }))).toMatchObject({ reason: "CHARGER_NOT_ACCEPTED" });
  }
  expect(await site.command({ chargerId: "R-2", ...trigger, ttlSeconds: 60, waitSeconds: 1 })).toMatchObject({ state: "QUEUED" });
  const { transactionId } = await station.result("StartTransaction", { connectorId: 1, idTag: "A", meterStart: 0, timestamp: ago(9) });
  await station.result("StopTransaction", { transactionId, meterStop: 10, timestamp: ago(1) });
  expect(await site.transaction(transactionId)).toMatchObject({ state: "STOPPED", energyWh: 10 });
  await chargers.change("R-2", { registration: "ACCEPTED" });
  expect(station.asked).toEqual([]);
  await station.boot();
  await station.isAsked("TriggerMessage");
  await station.leave();
});

test("what a reboot leaves behind ends at its last reading, once its connector is free and nothing more was said of it", async () => {
  const station = await site.join("R-3");
  const begin = async (connectorId: number): Promise<number> => {
    const { transactionId } = await station.result("StartTransaction", {
      connectorId,
      idTag: `R-${connectorId}`,
      meterStart: 1_000,
      timestamp: ago(900),
    });
    const meterValue = [{ timestamp: ago(800), sampledValue: [{ value: "1500" }] }];
    await station.result("MeterValues", { connectorId, transactionId, meterValue });
    return transactionId;
  };
  const [left, charging, goesOn, powerLoss] = [await begin(1), await begin(2), await begin(3), await begin(4)];
  for (const connectorId of [1, 2]) {
    const profile = { chargingProfileId: connectorId, stackLevel: 0, chargingProfilePurpose: "TxProfile", chargingProfileKind: "Relative" };
    const chargingSchedule = { chargingRateUnit: "A", chargingSchedulePeriod: [{ startPeriod: 0, limit: 8 }] };
    const payload = { connectorId, csChargingProfiles: { ...profile, chargingSchedule } };
    await site.command({ chargerId: "R-3", action: "SetChargingProfile", payload, waitSeconds: 30 });
  }
  await site.rows("update transaction set update_time = now() - interval '9 min' where charger_id = 'R-3'");
  await station.boot();
  for (const [i, status] of ["Available", "Charging", "Available", "Available"].entries()) {
    await station.result("StatusNotification", { connectorId: i + 1, errorCode: "NoError", status });
  }
  const goneOn = [{ timestamp: ago(1), sampledValue: [{ value: "1800" }] }];
  await station.result("MeterValues", { connectorId: 3, transactionId: goesOn, meterValue: goneOn });
  const lost = { transactionId: powerLoss, meterStop: 1_600, timestamp: ago(700), reason: "PowerLoss" };
  await station.result("StopTransaction", lost);
  expect((await site.transaction(left)).state).toBe("ACTIVE");
  // The charger has had its time to say more.
  await site.rows("update charger set boot_time = boot_time - interval '6 min' where id = 'R-3'");
  await eventually(async () => (await site.transaction(left)).state === "STOPPED");
  expect(await site.transaction(left)).toMatchObject({ energyWh: 500, flags: ["ID_TOKEN_UNKNOWN", "OFFLINE_START", "STOP_MISSING"] });
  expect(await site.transaction(charging)).toMatchObject({ state: "ACTIVE" });
  const profiles = await site.rows("select state from charging_profile_assignment where charger_id = 'R-3' order by number");
  expect(profiles).toEqual([{ state: "ENDED" }, { state: "INSTALLED" }]);
  expect(await site.transaction(goesOn)).toMatchObject({ state: "ACTIVE", energyWh: 800 });
  expect(await site.transaction(powerLoss)).toMatchObject({ state: "STOPPED", energyWh: 600, stopReason: "PowerLoss" });
  // If the stop comes after all, it counts.
  await station.result("StopTransaction", { transactionId: left, meterStop: 1_700, timestamp: ago(750), reason: "Reboot" });
  expect(await site.transaction(left)).toMatchObject({ energyWh: 700, stopReason: "Reboot", flags: ["ID_TOKEN_UNKNOWN", "OFFLINE_START"] });
  await station.leave();
});

test("messages of vendors are answered, kept and told of as operators have it", async () => {
  const station = await site.join("R-4");
  const say = (vendorId: string, messageId?: string, data?: string) =>
    station.result("DataTransfer", {
      vendorId,
      ...(messageId === undefined ? {} : { messageId }),
      ...(data === undefined ? {} : { data }),
    });
  expect(await say("com.acme", "hello", "1")).toEqual({ status: "UnknownVendorId" });
  const hello = await desk.makeKnown({ vendorId: "com.acme", messageId: "Hello", answerData: "there" });
  expect(hello).toMatchObject({ answer: "ACCEPTED", id: expect.any(String) });
  expect(await say("COM.ACME", "hello", '{"n":1}')).toEqual({ status: "Accepted", data: "there" });
  expect(await say("com.acme", "bye")).toEqual({ status: "UnknownMessageId" });
  expect(await say("com.acme")).toEqual({ status: "UnknownMessageId" });
  const others = await desk.makeKnown({ vendorId: "com.acme", answer: "REJECTED" });
  expect(await say("com.acme", "bye")).toEqual({ status: "Rejected" });
  expect(await say("com.acme")).toEqual({ status: "Rejected" });
  await desk.changeKnown({ id: hello.id, answerData: "" }, ["answer_data"]);
  expect(await say("com.acme", "hello")).toEqual({ status: "Accepted" });
  const twice = desk.makeKnown({ vendorId: "Com.Acme", messageId: "HELLO" });
  expect(await refusal(twice)).toMatchObject({ code: "ALREADY_EXISTS", reason: "VENDOR_MESSAGE_EXISTS" });
  expect((await desk.known()).map(({ messageId }) => messageId)).toEqual(["", "Hello"]);
  await desk.forgetKnown(others.id);
  expect(await refusal(desk.forgetKnown(others.id))).toMatchObject({ code: "NOT_FOUND", reason: "VENDOR_MESSAGE_NOT_FOUND" });
  expect(await say("com.acme", "bye")).toEqual({ status: "UnknownMessageId" });
  expect((await desk.transfers("R-4")).map(({ vendorId, messageId, data, status }) => [vendorId, messageId, data, status])).toEqual([
    ["com.acme", "hello", "", "Accepted"],
    ["com.acme", "", "", "Rejected"],
    ["com.acme", "bye", "", "Rejected"],
    ["COM.ACME", "hello", '{"n":1}', "Accepted"],
  ]);
  const told = (await site.told()).filter(({ type, subject }) => type === "DataTransferReceived" && subject === "R-4");
  expect(told[0]?.data.dataTransfer).toMatchObject({ vendorId: "COM.ACME", data: '{"n":1}', status: "Accepted", answerData: "there" });
  expect(told).toHaveLength(4);
  await station.leave();
});

test("messages to chargers of a vendor's own are commands, and kept with their answers, whoever sends them", async () => {
  const react = (_action: string, { vendorId }: { vendorId: string }) =>
    vendorId === "com.acme" ? { status: "Accepted", data: "pong" } : { status: "UnknownVendorId" };
  const station = await site.join("R-5", { react });
  const sent = await desk.transfer({ chargerId: "R-5", vendorId: "com.acme", messageId: "ping", data: "1" });
  expect(sent).toMatchObject({ action: "DataTransfer", state: "ACCEPTED", response: { status: "Accepted", data: "pong" } });
  expect(await desk.transfer({ chargerId: "R-5", vendorId: "org.else" })).toMatchObject({ state: "REJECTED", status: "UnknownVendorId" });
  await site.command({ chargerId: "R-5", action: "DataTransfer", payload: { vendorId: "com.acme" } });
  expect(station.asked.map(({ payload }) => payload)).toEqual([
    { vendorId: "com.acme", messageId: "ping", data: "1" },
    { vendorId: "org.else" },
    { vendorId: "com.acme" },
  ]);
  const kept = await desk.transfers("R-5");
  expect(kept.map(({ direction, status, answerData }) => [direction, status, answerData])).toEqual([
    ["TO_CHARGER", "Accepted", "pong"],
    ["TO_CHARGER", "UnknownVendorId", ""],
    ["TO_CHARGER", "Accepted", "pong"],
  ]);
  expect(kept[2]).toMatchObject({ commandId: sent.id, data: "1", messageId: "ping" });
  expect(await refusal(desk.transfer({ chargerId: "R-5", vendorId: "" }))).toMatchObject({ fields: ["vendor_id"] });
  expect(await refusal(desk.transfer({ chargerId: "NOBODY", vendorId: "a" }))).toMatchObject({ reason: "CHARGER_NOT_FOUND" });
  await station.leave();
});

test("a vendor that is known in code answers its messages, before those that operators make known", async () => {
  await desk.makeKnown({ vendorId: "org.code", messageId: "also" });
  const answer = dataTransferTo([
    { vendorId: "org.code", messages: { greet: async (_, data) => ({ status: "Accepted", data: `hi ${data}` }) } },
  ]);
  const stack = new Stack();
  const db = openPostgres<Database>(site.place.vars.CHARGER_DATABASE_URL ?? "", SCHEMA, 1, stack, log);
  const charger = { id: (await site.join("R-6")).id, db, now: () => new Date() };
  const say = (messageId: string) => answer(charger as Parameters<typeof answer>[0], { vendorId: "ORG.CODE", messageId, data: "you" });
  expect([await say("Greet"), await say("also"), await say("none")]).toEqual([
    { status: "Accepted", data: "hi you" },
    { status: "Accepted" },
    { status: "UnknownMessageId" },
  ]);
  expect((await desk.transfers("R-6")).map(({ messageId }) => messageId)).toEqual(["also", "Greet"]);
  await stack.close(log);
});

type Sample = Req<V16, "MeterValues">["meterValue"][number]["sampledValue"][number];
const words = {
  context: [
    "Interruption.Begin",
    "Interruption.End",
    "Sample.Clock",
    "Sample.Periodic",
    "Transaction.Begin",
    "Transaction.End",
    "Trigger",
    "Other",
  ],
  measurand: [
    ...["Export", "Import"].flatMap((way) =>
      ["Active", "Reactive"].flatMap((kind) => ["Register", "Interval"].map((of) => `Energy.${kind}.${way}.${of}`)),
    ),
    ...["Active.Export", "Active.Import", "Offered", "Reactive.Export", "Reactive.Import", "Factor"].map((of) => `Power.${of}`),
    ...["Current.Import", "Current.Export", "Current.Offered", "Voltage", "Frequency", "Temperature", "SoC", "RPM"],
  ],
  phase: ["L1", "L2", "L3", "N", "L1-N", "L2-N", "L3-N", "L1-L2", "L2-L3", "L3-L1"],
  location: ["Cable", "EV", "Inlet", "Outlet", "Body"],
  unit: ["Wh", "kWh", "varh", "kvarh", "W", "kW", "VA", "kVA", "var", "kvar", "A", "V", "K", "Celcius", "Celsius", "Fahrenheit", "Percent"],
};

test("every measurand, phase, context, place and unit is kept as it came, and signed data whole, from readings and from stops", async () => {
  const station = await site.join("R-7");
  const { transactionId } = await station.result("StartTransaction", { connectorId: 1, idTag: "A", meterStart: 0, timestamp: ago(30) });
  const samples = Object.entries(words).flatMap(([field, all]) => all.map((word, i) => ({ value: `${i}.5`, [field]: word }) as Sample));
  const signed: Sample = {
    value: `OCMF|${"ab09+/=".repeat(2_000)}|{"SA":"ECDSA-secp256k1-SHA256"}`,
    format: "SignedData",
    context: "Transaction.End",
  };
  await station.result("MeterValues", {
    connectorId: 1,
    transactionId,
    meterValue: [{ timestamp: ago(20), sampledValue: [...samples, signed] }],
  });
  const transactionData = [{ timestamp: ago(1), sampledValue: [signed, { value: "700", context: "Transaction.End" }] }];
  await station.result("StopTransaction", { transactionId, meterStop: 700, timestamp: ago(1), transactionData });
  const rows = await site.rows("select sampled_values from meter_value where transaction_id = $1 order by time", [transactionId]);
  const [during, end] = rows.map(({ sampled_values }) => sampled_values);
  expect(during).toHaveLength(samples.length + 1);
  for (const [i, sample] of [...samples, signed].entries()) expect(during[i]).toMatchObject(sample);
  expect(end).toMatchObject([signed, { value: "700" }]);
  expect(await site.transaction(transactionId)).toMatchObject({ energyWh: 700, flags: ["ID_TOKEN_UNKNOWN"] });
  await station.leave();
});
