import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type FileDesk, openFileDesk, send } from "../file-desk.ts";
import { openSetupDesk, type SetupDesk } from "../setup-desk.ts";
import { openSite, type Site } from "../site.ts";
import type { Reaction } from "../station.ts";
import { type ChargePoint, openChargePoint } from "./charge-point.ts";

// The test cases of the Open Charge Alliance for central systems: resets, locks, configuration, local lists, firmware, diagnostics, triggers.

let site: Site;
let setup: SetupDesk;
let files: FileDesk;
let folder: string;
let point: ChargePoint;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "chargemesh-conformance-"));
  site = await openSite({ OCPP_FILES_DIR: folder });
  setup = openSetupDesk(site);
  files = openFileDesk(site);
  await site.addIdToken("CARD");
  await site.addIdToken("BLOCKED", { status: "BLOCKED" });
});
afterEach(() => point.station.leave());
afterAll(async () => {
  setup?.close();
  files?.close();
  await site?.leave();
  await rm(folder, { recursive: true });
});

const open = async (id: string, says: Record<string, Reaction> = {}): Promise<ChargePoint> => {
  point = await openChargePoint(site, id);
  Object.assign(point.says, says);
  return point;
};
/** The number of the case, which is the charge point's identity too. */
const caseOf = (title: string): string => title.split(":")[0] ?? "";
const command = (action: string, payload: object) =>
  site.command({ chargerId: point.id, action, payload: payload as Record<string, unknown> });
const says = async (action: string, statuses: readonly string[]): Promise<void> => {
  for (const status of statuses) expect(await point.station.result(action, { status })).toEqual({});
};

test.each([
  ["TC_013: a hard reset", "Hard"],
  ["TC_014: a soft reset", "Soft"],
])("%s, and the boot that follows", async (title, type) => {
  const { id, asked, reboot } = await open(caseOf(title));
  const booted = (await site.charger(id)).bootTime;
  expect(await command("Reset", { type })).toMatchObject({ state: "ACCEPTED" });
  expect(asked("Reset")).toEqual({ type });
  await reboot();
  expect(Number((await site.charger(id)).bootTime)).toBeGreaterThan(Number(booted));
});

test.each([
  ["TC_017_1: the cable is let go", 1, "Unlocked", "ACCEPTED"],
  ["TC_017_2: a cable that is fixed is not", 1, "NotSupported", "REJECTED"],
  ["TC_030: the lock fails", 1, "UnlockFailed", "REJECTED"],
  ["TC_031: there is no such connector", 9, "NotSupported", "REJECTED"],
])("unlocking while nothing charges. %s", async (title, connectorId, status, state) => {
  const { asked } = await open(caseOf(title), { UnlockConnector: { status } });
  expect(await command("UnlockConnector", { connectorId })).toMatchObject({ state, status });
  expect(asked("UnlockConnector")).toEqual({ connectorId });
});

const profiles = { key: "SupportedFeatureProfiles", readonly: true, value: "Core,RemoteTrigger" };
const interval = { key: "MeterValueSampleInterval", readonly: false, value: "60" };

test("TC_019_1: every key of the configuration is read", async () => {
  const { id, station } = await open("TC_019_1", { GetConfiguration: { configurationKey: [profiles, interval] } });
  expect(await setup.refresh(id)).toMatchObject({ action: "GetConfiguration", state: "ACCEPTED" });
  expect(station.asked[0]?.payload).toEqual({});
  expect(await setup.key(id, "SupportedFeatureProfiles")).toMatchObject({ value: "Core,RemoteTrigger", readOnly: true });
  expect(await setup.key(id, "MeterValueSampleInterval")).toMatchObject({ value: "60", readOnly: false });
});

test("TC_019_2: one key of the configuration is read", async () => {
  const { id, asked } = await open("TC_019_2", { GetConfiguration: { configurationKey: [profiles] } });
  expect(await command("GetConfiguration", { key: ["SupportedFeatureProfiles"] })).toMatchObject({ state: "ACCEPTED" });
  expect(asked("GetConfiguration")).toEqual({ key: ["SupportedFeatureProfiles"] });
  expect(await setup.key(id, "SupportedFeatureProfiles")).toMatchObject({ value: "Core,RemoteTrigger" });
});

test.each([
  ["TC_021: a value is taken", "MeterValueSampleInterval", "Accepted", "IN_SYNC"],
  ["TC_040_1: a key is not known", "Acme.NoSuchKey", "NotSupported", "UNKNOWN_TO_CHARGER"],
  ["TC_040_2: a value is not taken", "MeterValueSampleInterval", "Rejected", "DRIFTED"],
])("a configuration is changed. %s", async (title, key, status, state) => {
  const { id, asked } = await open(caseOf(title), { ChangeConfiguration: { status } });
  expect(await setup.want(id, key, "60")).toMatchObject({ key, wantedValue: "60", state });
  expect(asked("ChangeConfiguration")).toEqual({ key, value: "60" });
});

test("TC_061: a charge point forgets the cards that it knows", async () => {
  const { asked } = await open("TC_061");
  expect(await command("ClearCache", {})).toMatchObject({ state: "ACCEPTED", status: "Accepted" });
  expect(asked("ClearCache")).toEqual({});
});

test.each([
  ["TC_042_1: a charge point that has no local list says so", -1],
  ["TC_042_2: a charge point whose local list is empty says so", 0],
])("%s", async (title, listVersion) => {
  const { id, asked } = await open(caseOf(title), { GetLocalListVersion: { listVersion } });
  expect(await command("GetLocalListVersion", {})).toMatchObject({ state: "ACCEPTED", response: { listVersion } });
  expect(asked("GetLocalListVersion")).toEqual({});
  expect(await setup.list(id)).toMatchObject({ chargerVersion: listVersion });
});

const full = {
  listVersion: expect.any(Number),
  updateType: "Full",
  localAuthorizationList: [
    { idTag: "CARD", idTagInfo: { status: "Accepted" } },
    { idTag: "BLOCKED", idTagInfo: { status: "Blocked" } },
  ],
};

test.each([
  ["TC_043_1: a charge point that has no local list takes none", "NotSupported", "NOT_SUPPORTED"],
  ["TC_043_3: a charge point fails to take the local list", "Failed", "REFUSED"],
])("%s", async (title, status, state) => {
  const { id, asked } = await open(caseOf(title), { GetLocalListVersion: { listVersion: 0 }, SendLocalList: { status } });
  await setup.setMode(id, "ALL");
  expect(await setup.sync(id, { replace: true })).toMatchObject({ state, refusal: status });
  expect(asked("SendLocalList")).toEqual(full);
});

test("TC_043_4: a charge point takes the whole local list", async () => {
  const { id, asked } = await open("TC_043_4", { GetLocalListVersion: { listVersion: 0 } });
  await setup.setMode(id, "ALL");
  const { version, state } = await setup.sync(id);
  expect([asked("SendLocalList"), state]).toEqual([{ ...full, listVersion: version }, "IN_STEP"]);
});

test("TC_043_5: a charge point takes what is new in the local list", async () => {
  const { id, asked } = await open("TC_043_5", { GetLocalListVersion: { listVersion: 0 } });
  await setup.setMode(id, "ALL");
  const { version } = await setup.sync(id);
  point.says.GetLocalListVersion = { listVersion: version };
  await site.addIdToken("NEW");
  expect(await setup.sync(id)).toMatchObject({ state: "IN_STEP", version: version + 1, entryCount: 3 });
  const localAuthorizationList = [{ idTag: "NEW", idTagInfo: { status: "Accepted" } }];
  expect(asked("SendLocalList")).toEqual({ listVersion: version + 1, updateType: "Differential", localAuthorizationList });
});

const location = "https://example.com/firmware.bin";

test.each([
  ["TC_044_1: new firmware is installed", ["Downloading", "Downloaded", "Installing", "Installed"], "INSTALLED"],
  ["TC_044_2: new firmware is not downloaded", ["Downloading", "DownloadFailed"], "FAILED"],
  ["TC_044_3: new firmware is not installed", ["Downloading", "Downloaded", "Installing", "InstallationFailed"], "FAILED"],
])("%s", async (title, statuses, state) => {
  const { id, asked, status, reboot } = await open(caseOf(title), { UpdateFirmware: {} });
  const update = await files.createUpdate({ chargerId: id, location });
  expect(asked("UpdateFirmware")).toEqual({ location, retrieveDate: update.retrieveTime?.toISOString() });
  await status(1, "Unavailable");
  await says("FirmwareStatusNotification", statuses.slice(0, -1));
  if (statuses.includes("Installing")) await reboot();
  await says("FirmwareStatusNotification", statuses.slice(-1));
  const kept = await files.update(id, update.id);
  expect([kept.state, kept.steps.map((step) => step.status)]).toEqual([state, statuses]);
  await status(1, "Available");
});

test("TC_045_1: diagnostics are uploaded", async () => {
  const { id, asked } = await open("TC_045_1", { GetDiagnostics: { fileName: "diagnostics.txt" } });
  const upload = await files.getDiagnostics({ chargerId: id });
  await says("DiagnosticsStatusNotification", ["Uploading"]);
  expect((await send(`${asked("GetDiagnostics").location}diagnostics.txt`, "all is well")).status).toBe(201);
  await says("DiagnosticsStatusNotification", ["Uploaded"]);
  expect(await files.upload(upload.id)).toMatchObject({ state: "UPLOADED", fileName: "diagnostics.txt", status: "Uploaded" });
  expect((await files.download(upload.id)).toString()).toBe("all is well");
});

test("TC_045_2: diagnostics are not uploaded", async () => {
  const { id } = await open("TC_045_2", { GetDiagnostics: { fileName: "diagnostics.txt" } });
  const upload = await files.getDiagnostics({ chargerId: id });
  await says("DiagnosticsStatusNotification", ["Uploading", "UploadFailed"]);
  expect(await files.upload(upload.id)).toMatchObject({ state: "FAILED", status: "UploadFailed" });
});

test("TC_054: a charge point is triggered to say all that it may be", async () => {
  const { id, station, asked } = await open("TC_054");
  const meterValue = [{ timestamp: new Date().toISOString(), sampledValue: [{ value: "7" }] }];
  const triggered: [requestedMessage: string, request: object, connectorId?: number][] = [
    ["MeterValues", { connectorId: 1, meterValue }, 1],
    ["Heartbeat", {}],
    ["StatusNotification", { connectorId: 1, status: "Available", errorCode: "NoError" }, 1],
    ["DiagnosticsStatusNotification", { status: "Idle" }],
    ["FirmwareStatusNotification", { status: "Idle" }],
    ["BootNotification", { chargePointVendor: "Acme", chargePointModel: "Triggered" }],
  ];
  for (const [requestedMessage, request, connectorId] of triggered) {
    const payload = connectorId === undefined ? { requestedMessage } : { requestedMessage, connectorId };
    expect(await command("TriggerMessage", payload)).toMatchObject({ state: "ACCEPTED", status: "Accepted" });
    expect(asked("TriggerMessage")).toEqual(payload);
    await station.result(requestedMessage, request);
  }
  expect(await site.charger(id)).toMatchObject({ model: "Triggered", evses: [{ id: 1 }] });
});

test("TC_055: a charge point is not triggered", async () => {
  const { asked } = await open("TC_055", { TriggerMessage: { status: "Rejected" } });
  const payload = { requestedMessage: "MeterValues", connectorId: 1 };
  expect(await command("TriggerMessage", payload)).toMatchObject({ state: "REJECTED", status: "Rejected" });
  expect(asked("TriggerMessage")).toEqual(payload);
});
