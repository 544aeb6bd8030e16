import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { connectCharger, type SimulatedCharger } from "../src/charger.ts";
import { chargerModels } from "../src/models.ts";
import { type ManualTime, manualTime } from "./manual-time.ts";
import { actionsOf, type ScriptedCsms, startCsms } from "./scripted-csms.ts";

let csms: ScriptedCsms;
let time: ManualTime;
let charger: SimulatedCharger;

beforeEach(async () => {
  csms = await startCsms();
  time = manualTime();
  charger = await connectCharger({ url: csms.url, id: "CP-1", time, model: chargerModels.hub });
  await charger.boot();
  await charger.idle();
  csms.forget();
});
afterEach(async () => {
  await charger.close();
  await csms.close();
});

const statuses = () =>
  csms.calls.filter(({ action }) => action === "StatusNotification").map(({ payload }) => `${payload.connectorId} ${payload.status}`);

describe("frames", () => {
  test.each([
    ['[2,"1","Nonsense",{}]', [4, "1", "NotImplemented", "Nonsense is not known", {}]],
    ['[2,"1","Heartbeat",{}]', [4, "1", "NotSupported", "Heartbeat is for the CSMS to answer", {}]],
    ['[2,"1","UpdateFirmware",{}]', [4, "1", "OccurenceConstraintViolation", ".location is required", {}]],
    ['[2,"1","Reset",{}]', [4, "1", "OccurenceConstraintViolation", ".type is required", {}]],
    ['[2,"1","Reset",{"type":1}]', [4, "1", "TypeConstraintViolation", ".type must be a string", {}]],
    ['[2,"1","Reset",[]]', [4, "1", "TypeConstraintViolation", "the payload must be an object", {}]],
    ['[2,"1","DataTransfer",{"vendorId":"x"}]', [3, "1", { status: "UnknownVendorId" }]],
    ['[2,"1","ClearCache",{}]', [3, "1", { status: "Rejected" }]],
    ['[2,"1","RemoteStartTransaction",{"connectorId":3,"idTag":"A"}]', [3, "1", { status: "Rejected" }]],
    ['[2,"1","RemoteStopTransaction",{"transactionId":7}]', [3, "1", { status: "Rejected" }]],
    ['[2,"1","ChangeAvailability",{"connectorId":3,"type":"Operative"}]', [3, "1", { status: "Rejected" }]],
    ['[2,"1","UnlockConnector",{"connectorId":3}]', [3, "1", { status: "NotSupported" }]],
    ['[2,"1","UnlockConnector",{"connectorId":1}]', [3, "1", { status: "Unlocked" }]],
    ['[2,"1","TriggerMessage",{"requestedMessage":"MeterValues","connectorId":3}]', [3, "1", { status: "Rejected" }]],
    ['[2,"1","ChangeConfiguration",{"key":"Nonsense","value":"1"}]', [3, "1", { status: "NotSupported" }]],
    ['[2,"1","ChangeConfiguration",{"key":"NumberOfConnectors","value":"1"}]', [3, "1", { status: "Rejected" }]],
    ['[2,"1","ChangeConfiguration",{"key":"HeartbeatInterval","value":"-1"}]', [3, "1", { status: "Rejected" }]],
    ['[2,"1","ChangeConfiguration",{"key":"MeterValuesSampledData","value":"SoC,Voltage"}]', [3, "1", { status: "Accepted" }]],
    ['[2,"1","ChangeConfiguration",{"key":"MeterValuesSampledData","value":"SoC,RPM"}]', [3, "1", { status: "Rejected" }]],
    ['[2,"1","ChangeConfiguration",{"key":"LightIntensity","value":"20"}]', [3, "1", { status: "RebootRequired" }]],
  ])("%s", async (call, answer) => {
    expect(await csms.say(call)).toEqual(answer);
  });

  test("what is no frame is told and costs nothing", async () => {
    const told = charger.next("protocolError");
    const answer = csms.say("{");
    expect((await told).description).toBe("not a JSON array");
    void csms.say('[2,"1","DataTransfer",{"vendorId":"x"}]');
    expect(await answer).toEqual([3, "1", { status: "UnknownVendorId" }]);
  });
});

describe("configuration", () => {
  test("all of it, or what is asked for", async () => {
    const all = await csms.ask("GetConfiguration", {});
    expect(all[2]).toMatchObject({ configurationKey: expect.arrayContaining([{ key: "NumberOfConnectors", readonly: true, value: "2" }]) });
    expect(await csms.ask("GetConfiguration", { key: ["heartbeatinterval", "Nonsense"] })).toEqual([
      3,
      "c2",
      { configurationKey: [{ key: "HeartbeatInterval", readonly: false, value: "300" }], unknownKey: ["Nonsense"] },
    ]);
  });

  test("HeartbeatInterval counts from now", async () => {
    await csms.ask("ChangeConfiguration", { key: "HeartbeatInterval", value: "7" });
    await time.advance(14_000, () => charger.idle());
    expect(actionsOf(csms.calls)).toEqual(["Heartbeat", "Heartbeat"]);
  });

  test("AuthorizationKey is the password of the next connection, which is opened at once, and cannot be read", async () => {
    csms.credentials.length = 0;
    const connected = charger.next("connected");
    const change = (value: string) => csms.ask("ChangeConfiguration", { key: "authorizationkey", value });
    for (const value of ["", "secret", "00112233", "00".repeat(21), "0".repeat(33)]) {
      expect((await change(value))[2]).toEqual({ status: "Rejected" });
    }
    expect((await change("00ff112233445566778899AABBCCDDEE"))[2]).toEqual({ status: "Accepted" });
    await connected;
    const basic = Buffer.concat([Buffer.from("CP-1:"), Buffer.from("00ff112233445566778899aabbccddee", "hex")]).toString("base64");
    expect(csms.credentials).toEqual([`Basic ${basic}`]);
    expect((await csms.ask("GetConfiguration", { key: ["AuthorizationKey"] }))[2]).toEqual({
      configurationKey: [{ key: "AuthorizationKey", readonly: false }],
    });
  });

  test("what needs a restart is true after it, and what was changed stays", async () => {
    const ask = async () => (await csms.ask("GetConfiguration", { key: ["LightIntensity", "ConnectionTimeOut"] }))[2];
    await csms.ask("ChangeConfiguration", { key: "LightIntensity", value: "20" });
    await csms.ask("ChangeConfiguration", { key: "ConnectionTimeOut", value: "30" });
    expect(await ask()).toMatchObject({ configurationKey: [{ value: "80" }, { value: "30" }] });
    const booted = charger.next("booted");
    const gone = charger.next("disconnected");
    await csms.ask("Reset", { type: "Soft" });
    await gone;
    await time.advance(500);
    await booted;
    expect(await ask()).toMatchObject({ configurationKey: [{ value: "20" }, { value: "30" }] });
  });
});

describe("remote start and stop", () => {
  test("without a connector: where a vehicle waits", async () => {
    await charger.plugIn(2);
    const started = charger.next("started");
    expect((await csms.ask("RemoteStartTransaction", { idTag: "A" }))[2]).toEqual({ status: "Accepted" });
    expect((await started).transaction).toMatchObject({ connectorId: 2, idTag: "A" });
    await charger.idle();
    expect(actionsOf(csms.calls)).not.toContain("Authorize");
    const stopped = charger.next("stopped");
    expect((await csms.ask("RemoteStopTransaction", { transactionId: 101 }))[2]).toEqual({ status: "Accepted" });
    expect((await stopped).transaction).toMatchObject({ id: 101, stop: { reason: "Remote" } });
    await charger.idle();
    expect(statuses()).toEqual(["2 Preparing", "2 Charging", "2 Finishing"]);
  });

  test("on a busy connector it is rejected, and without one the other is taken", async () => {
    await charger.plugIn(1, { idTag: "A" });
    expect((await csms.ask("RemoteStartTransaction", { idTag: "B", connectorId: 1 }))[2]).toEqual({ status: "Rejected" });
    expect((await csms.ask("RemoteStartTransaction", { idTag: "B" }))[2]).toEqual({ status: "Accepted" });
    await charger.idle();
    expect(charger.state.connectors[1]?.transaction).toMatchObject({ idTag: "B" });
  });

  test("AuthorizeRemoteTxRequests: it asks first", async () => {
    csms.script.Authorize = () => ({ idTagInfo: { status: "Blocked" } });
    await csms.ask("ChangeConfiguration", { key: "AuthorizeRemoteTxRequests", value: "true" });
    const refused = charger.next("authorized");
    await csms.ask("RemoteStartTransaction", { idTag: "B" });
    expect(await refused).toMatchObject({ idTag: "B", status: "Blocked" });
    await charger.idle();
    expect(actionsOf(csms.calls)).not.toContain("StartTransaction");
  });
});

test("a remote start waits for the vehicle as long as ConnectionTimeOut says", async () => {
  await charger.close();
  charger = await connectCharger({ url: csms.url, id: "CP-2", time, plugsInOnRemoteStart: false });
  await charger.boot();
  await charger.idle();
  csms.forget();
  await csms.ask("RemoteStartTransaction", { idTag: "A" });
  await time.advance(60_000, () => charger.idle());
  expect(statuses()).toEqual(["1 Preparing", "1 Available"]);
  await csms.ask("RemoteStartTransaction", { idTag: "A" });
  await time.advance(59_000);
  const started = charger.next("started");
  await charger.plugIn(1);
  expect((await started).transaction.idTag).toBe("A");
  await time.advance(2_000);
  expect(charger.state.connectors[0]?.transaction).toBeDefined();
});

describe("Reset", () => {
  const transactional = () => actionsOf(csms.calls).filter((action) => /Boot|Start|Stop/.test(action) && action !== "StatusNotification");

  test.each([
    ["Soft", ["StartTransaction", "StopTransaction", "BootNotification"], "SoftReset"],
    ["Hard", ["StartTransaction", "BootNotification", "StopTransaction"], "HardReset"],
  ])("%s", async (type, order, reason) => {
    await charger.plugIn(1, { idTag: "A" });
    await charger.idle();
    const gone = charger.next("disconnected");
    const booted = charger.next("booted");
    expect((await csms.ask("Reset", { type }))[2]).toEqual({ status: "Accepted" });
    await gone;
    await time.advance(500);
    await booted;
    await charger.idle();
    expect(transactional()).toEqual(order);
    expect(csms.calls.find(({ action }) => action === "StopTransaction")?.payload).toMatchObject({ transactionId: 101, reason });
    expect(statuses().slice(-3)).toEqual(["0 Available", "1 Finishing", "2 Available"]);
  });
});

describe("ChangeAvailability", () => {
  test("of all, while one charges: the rest at once, that one when it has done", async () => {
    await charger.plugIn(1, { idTag: "A" });
    await charger.idle();
    csms.forget();
    expect((await csms.ask("ChangeAvailability", { connectorId: 0, type: "Inoperative" }))[2]).toEqual({ status: "Scheduled" });
    await charger.idle();
    expect(statuses()).toEqual(["0 Unavailable", "2 Unavailable"]);
    charger.unplug(1);
    await charger.idle();
    expect(statuses().slice(2)).toEqual(["1 Unavailable"]);
    expect((await csms.ask("RemoteStartTransaction", { idTag: "B" }))[2]).toEqual({ status: "Rejected" });
    expect((await csms.ask("ChangeAvailability", { connectorId: 0, type: "Operative" }))[2]).toEqual({ status: "Accepted" });
    await charger.idle();
    expect(statuses().slice(3)).toEqual(["0 Available", "1 Available", "2 Available"]);
  });

  test("a schedule is called off by Operative", async () => {
    await charger.plugIn(1, { idTag: "A" });
    await csms.ask("ChangeAvailability", { connectorId: 1, type: "Inoperative" });
    await csms.ask("ChangeAvailability", { connectorId: 1, type: "Operative" });
    charger.unplug(1);
    expect(charger.state.connectors[0]).toMatchObject({ status: "Available" });
  });
});

test.each([
  ["BootNotification", { requestedMessage: "BootNotification" }, ["BootNotification"]],
  ["Heartbeat", { requestedMessage: "Heartbeat" }, ["Heartbeat"]],
  [
    "StatusNotification of all",
    { requestedMessage: "StatusNotification" },
    ["StatusNotification", "StatusNotification", "StatusNotification"],
  ],
  ["StatusNotification of one", { requestedMessage: "StatusNotification", connectorId: 0 }, ["StatusNotification"]],
  ["MeterValues of all", { requestedMessage: "MeterValues" }, ["MeterValues", "MeterValues"]],
  ["MeterValues of one", { requestedMessage: "MeterValues", connectorId: 2 }, ["MeterValues"]],
  ["diagnostics", { requestedMessage: "DiagnosticsStatusNotification" }, ["DiagnosticsStatusNotification"]],
  ["firmware", { requestedMessage: "FirmwareStatusNotification" }, ["FirmwareStatusNotification"]],
])("TriggerMessage: %s", async (_name, request, expected) => {
  expect((await csms.ask("TriggerMessage", request))[2]).toEqual({ status: "Accepted" });
  await charger.idle();
  expect(actionsOf(csms.calls)).toEqual(expected);
});

test("UnlockConnector ends the transaction first", async () => {
  await charger.plugIn(1, { idTag: "A" });
  expect((await csms.ask("UnlockConnector", { connectorId: 1 }))[2]).toEqual({ status: "Unlocked" });
  expect((await csms.next("StopTransaction")).payload).toMatchObject({ reason: "UnlockCommand" });
});
