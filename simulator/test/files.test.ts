import { sign } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeAuthority } from "../../tools/certs/authority.ts";
import { connectCharger, type SimulatedCharger } from "../src/charger.ts";
import { type ManualTime, manualTime } from "./manual-time.ts";
import { type ScriptedCsms, startCsms } from "./scripted-csms.ts";
import { type ScriptedFiles, startFiles } from "./scripted-files.ts";

// Diagnostics, logs and firmware go over real HTTP.

let csms: ScriptedCsms;
let files: ScriptedFiles;
let time: ManualTime;
let charger: SimulatedCharger;

beforeEach(async () => {
  [csms, files] = await Promise.all([startCsms(), startFiles()]);
  time = manualTime();
  charger = await connectCharger({ url: csms.url, id: "CP-1", time });
  await charger.boot();
  await charger.idle();
  csms.forget();
});
afterEach(async () => {
  await charger.close();
  await Promise.all([csms.close(), files.close()]);
});

const result = async (action: string, payload: object) => (await csms.ask(action, payload))[2];
/** The next payloads of this action. */
async function said(action: string, count: number): Promise<unknown[]> {
  const payloads: unknown[] = [];
  for (let i = 0; i < count; i++) payloads.push((await csms.next(action)).payload);
  return payloads;
}
const statuses = async (action: string, count: number) =>
  (await said(action, count)).map((payload) => (payload as { status: string }).status);

describe("uploads", () => {
  test("diagnostics are put into the folder that was named", async () => {
    const { fileName } = (await result("GetDiagnostics", { location: `${files.url}/secret/` })) as { fileName: string };
    expect(fileName).toBe("CP-1-diagnostics-20260301T080000Z.json");
    expect(await statuses("DiagnosticsStatusNotification", 2)).toEqual(["Uploading", "Uploaded"]);
    const file = JSON.parse(files.taken.get(`/secret/${fileName}`) ?? "");
    expect(file).toMatchObject({ id: "CP-1", firmwareVersion: "2.4.1", parts: [{ id: 0 }, { id: 1, status: "Available" }] });
    expect(file.configuration).toMatchObject({ HeartbeatInterval: "300" });
    await result("TriggerMessage", { requestedMessage: "DiagnosticsStatusNotification" });
    expect(await statuses("DiagnosticsStatusNotification", 1)).toEqual(["Idle"]);
  });

  test("what fails is tried again as often as was asked, and no more", async () => {
    files.refuse = 2;
    await result("GetDiagnostics", { location: `${files.url}/`, retries: 1, retryInterval: 30 });
    expect(await statuses("DiagnosticsStatusNotification", 2)).toEqual(["Uploading", "UploadFailed"]);
    await time.advance(30_000);
    expect(await statuses("DiagnosticsStatusNotification", 2)).toEqual(["Uploading", "UploadFailed"]);
    await time.advance(60_000);
    expect(files.taken.size).toBe(0);
  });

  test("the security log is put at the URL that was named, and spoken of by its number", async () => {
    const [gone, booted] = [charger.next("disconnected"), charger.next("booted")];
    await result("Reset", { type: "Soft" });
    await gone;
    await time.advance(500);
    await booted;
    const log = { remoteLocation: `${files.url}/one-file` };
    expect(await result("GetLog", { logType: "SecurityLog", requestId: 7, log })).toMatchObject({ status: "Accepted" });
    expect(await said("LogStatusNotification", 2)).toEqual([
      { status: "Uploading", requestId: 7 },
      { status: "Uploaded", requestId: 7 },
    ]);
    expect(files.taken.get("/one-file")).toBe("2026-03-01T08:00:00.000Z ResetOrReboot Soft\n");
  });
});

describe("firmware", () => {
  const retrieveDate = "2026-03-01T08:00:00Z";
  const location = () => `${files.url}/lindenwerk-2.5.0.bin`;
  const installed = async (): Promise<void> => {
    await charger.next("disconnected");
    await time.advance(500);
  };

  test("it is fetched, installed once nobody charges, and booted", async () => {
    files.given.set("/lindenwerk-2.5.0.bin", Buffer.from("new"));
    await charger.plugIn(1, { idTag: "A" });
    await result("UpdateFirmware", { location: location(), retrieveDate: "2026-03-01T08:01:00Z" });
    await time.advance(60_000, () => charger.idle());
    expect(await statuses("FirmwareStatusNotification", 2)).toEqual(["Downloading", "Downloaded"]);
    const gone = installed();
    charger.stop(1);
    expect(await statuses("FirmwareStatusNotification", 1)).toEqual(["Installing"]);
    await gone;
    expect((await csms.next("BootNotification")).payload).toMatchObject({ firmwareVersion: "2.5.0" });
    expect(await statuses("FirmwareStatusNotification", 1)).toEqual(["Installed"]);
    expect((await csms.next("SecurityEventNotification")).payload).toMatchObject({ type: "FirmwareUpdated", techInfo: "2.5.0" });
  });

  test("what is not there is tried again, and then given up", async () => {
    await result("UpdateFirmware", { location: location(), retrieveDate, retries: 1, retryInterval: 10 });
    await time.advance(0);
    expect(await statuses("FirmwareStatusNotification", 2)).toEqual(["Downloading", "DownloadFailed"]);
    await time.advance(10_000);
    expect(await statuses("FirmwareStatusNotification", 2)).toEqual(["Downloading", "DownloadFailed"]);
    expect(charger.state.firmwareVersion).toBe("2.4.1");
  });

  test("signed firmware is installed if its signature is good, and only then", async () => {
    const now = Date.now();
    const { certificate, key } = await makeAuthority({ notBefore: new Date(now - 1_000), notAfter: new Date(now + 60_000) }, "Lindenwerk");
    const file = Buffer.from("new and signed");
    files.given.set("/lindenwerk-2.5.0.bin", file);
    const ask = (requestId: number, signature: string, signingCertificate = certificate) =>
      result("SignedUpdateFirmware", {
        requestId,
        firmware: { location: location(), retrieveDateTime: retrieveDate, signingCertificate, signature },
      });
    expect(await ask(1, "AA==", "no certificate")).toEqual({ status: "InvalidCertificate" });
    expect((await csms.next("SecurityEventNotification")).payload).toMatchObject({ type: "InvalidFirmwareSigningCertificate" });

    expect(await ask(2, sign("sha256", Buffer.from("other"), key).toString("base64"))).toEqual({ status: "Accepted" });
    await time.advance(0);
    expect(await said("SignedFirmwareStatusNotification", 3)).toEqual(
      ["Downloading", "Downloaded", "InvalidSignature"].map((status) => ({ status, requestId: 2 })),
    );
    expect((await csms.next("SecurityEventNotification")).payload).toMatchObject({ type: "InvalidFirmwareSignature" });

    expect(await ask(3, sign("sha256", file, key).toString("base64"))).toEqual({ status: "Accepted" });
    const gone = installed();
    await time.advance(0);
    await gone;
    const steps = ["Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallRebooting", "Installed"];
    expect(await said("SignedFirmwareStatusNotification", 6)).toEqual(steps.map((status) => ({ status, requestId: 3 })));
    expect(charger.state.firmwareVersion).toBe("2.5.0");
  });
});
