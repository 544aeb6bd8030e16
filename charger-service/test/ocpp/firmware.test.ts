import { constants, randomBytes, verify, X509Certificate } from "node:crypto";
import type { FirmwareUpdate } from "@chargemesh/contracts/charger/v1/firmware_update";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeFolder } from "../../../tools/test/folder.ts";
import { makeFirmwareSigner } from "../../src/domain/firmware-signature.ts";
import { refusal, startService } from "../service.ts";
import { type FileDesk, openFileDesk, send, toldUrl } from "./file-desk.ts";
import { keepFirmwareKey, makeFirmwareKey } from "./firmware-key.ts";
import { openSite, type Site } from "./site.ts";
import type { Reaction, Station } from "./station.ts";

// New firmware, plain (OCPP 1.6 §4.5, §5.19) and signed (whitepaper, SignedUpdateFirmware), from the image to the boot that confirms it.

const FIRMWARE = randomBytes(50_000);
const folder = makeFolder();
let site: Site;
let desk: FileDesk;
let certificate: string;
let imageId: string;
let reaction: Reaction = {};
const stations: Station[] = [];

beforeAll(async () => {
  const key = await makeFirmwareKey("rsa");
  certificate = key.certificate;
  site = await openSite({ OCPP_FILES_DIR: folder, ...(await keepFirmwareKey(folder, key)) });
  desk = openFileDesk(site);
  const image = await desk.createImage({ firmwareVersion: "2.0", description: "for all of Acme's" });
  imageId = image.id;
  expect(image).toMatchObject({ state: "REQUESTED", firmwareVersion: "2.0", description: "for all of Acme's" });
  expect((await send(`${image.uploadUrl}acme 2.0.bin`, new Uint8Array(FIRMWARE))).status).toBe(201);
  expect(await desk.image(imageId)).toMatchObject({ state: "UPLOADED", fileName: "acme 2.0.bin", sizeBytes: 50_000, uploadUrl: "" });
});
afterAll(async () => {
  for (const station of stations) await station.leave();
  desk?.close();
  await site?.leave();
});

/** A charger that runs 1.0. */
const join1 = async (id: string): Promise<Station> => {
  const station = await site.join(id, { react: () => reaction });
  stations.push(station);
  await boot(station, "1.0");
  return station;
};
const boot = (station: Station, firmwareVersion: string) =>
  station.result("BootNotification", { chargePointVendor: "Acme", chargePointModel: "One", firmwareVersion });
const says = (station: Station, ...statuses: string[]) => sayAll(station, "FirmwareStatusNotification", {}, statuses);
async function sayAll(station: Station, action: string, fields: object, statuses: readonly string[]): Promise<void> {
  for (const status of statuses) await station.result(action, { status, ...fields });
}
const stepsOf = ({ steps }: FirmwareUpdate): string[] => steps.map(({ status }) => status);

test("an image is fetched in parts, installed, and confirmed by the next boot", async () => {
  reaction = {};
  const station = await join1("F-1");
  const asked = await desk.createUpdate({ chargerId: "F-1", firmwareImageId: imageId, retries: 2, retryIntervalSeconds: 30 });
  expect(asked).toMatchObject({ state: "REQUESTED", firmwareVersion: "2.0", previousFirmwareVersion: "1.0", signed: false, location: "" });
  const { payload } = await station.isAsked("UpdateFirmware");
  const location = expect.stringMatching(/\/firmware\/[\w-]{43}\/acme%202\.0\.bin$/);
  expect(payload).toEqual({ location, retrieveDate: asked.retrieveTime?.toISOString(), retries: 2, retryInterval: 30 });

  const url = payload.location;
  const head = await fetch(url, { method: "HEAD" });
  const facts = ["content-length", "accept-ranges", "content-type"].map((name) => head.headers.get(name));
  expect([head.status, ...facts]).toEqual([200, "50000", "bytes", "application/octet-stream"]);
  const etag = head.headers.get("etag") ?? "";
  const part = async (headers: Record<string, string>) => {
    const response = await fetch(url, { headers });
    return { status: response.status, range: response.headers.get("content-range"), bytes: Buffer.from(await response.arrayBuffer()) };
  };
  const first = await part({ range: "bytes=0-19999" });
  const rest = await part({ range: "bytes=20000-", "if-range": etag });
  expect([first.status, first.range, rest.range]).toEqual([206, "bytes 0-19999/50000", "bytes 20000-49999/50000"]);
  expect(Buffer.concat([first.bytes, rest.bytes]).equals(FIRMWARE)).toBe(true);
  expect((await part({ range: "bytes=-5" })).bytes.equals(FIRMWARE.subarray(-5))).toBe(true);
  expect(await part({ range: "bytes=50000-" })).toMatchObject({ status: 416, range: "bytes */50000" });
  // It is another file now, or nobody knows what is asked for: the whole of it.
  for (const headers of [{ range: "bytes=1-2", "if-range": '"other"' }, { range: "bytes=9-1" }, { range: "lines=1-2" }, {}]) {
    const whole = await part(headers);
    expect([whole.status, whole.bytes.equals(FIRMWARE)]).toEqual([200, true]);
  }

  await says(station, "Downloading", "Downloading", "Downloaded", "Idle", "Installing", "Downloading");
  const installing = await desk.update("F-1", asked.id);
  expect([installing.state, installing.status]).toEqual(["INSTALLING", "Installing"]);
  expect(stepsOf(installing)).toEqual(["Downloading", "Downloaded", "Installing", "Downloading"]);
  expect(await refusal(desk.update("F-2", asked.id))).toMatchObject({ reason: "FIRMWARE_UPDATE_NOT_FOUND" });
  await boot(station, "2.0");
  await says(station, "Installed");
  const done = await desk.update("F-1", asked.id);
  expect(done).toMatchObject({ state: "INSTALLED", status: "Installed", bootedFirmwareVersion: "2.0", confirmTime: expect.any(Date) });
  expect(stepsOf(done).at(-1)).toBe("Installed");
  const told = (await site.told()).filter(({ type, subject }) => type === "FirmwareUpdateUpdated" && subject === asked.id);
  const states = told.map(({ data }) => data.firmwareUpdate.state);
  expect(states.filter((state, i) => state !== states[i - 1])).toEqual([
    "REQUESTED",
    "DOWNLOADING",
    "DOWNLOADED",
    "INSTALLING",
    "INSTALLED",
  ]);
});

test("a download that failed begins anew; a boot with what was there before confirms nothing; a newer update takes the place of an older", async () => {
  reaction = {};
  const station = await join1("F-2");
  const elsewhere = { chargerId: "F-2", location: "ftp://firmware.example.org/acme.bin" };
  const older = await desk.createUpdate({ ...elsewhere, firmwareVersion: "1.5" });
  expect(toldUrl(station, "UpdateFirmware")).toBe(elsewhere.location);
  await says(station, "Downloading", "DownloadFailed");
  expect(await desk.update("F-2", older.id)).toMatchObject({ state: "FAILED", status: "DownloadFailed", location: elsewhere.location });
  await says(station, "Downloading");
  expect((await desk.update("F-2", older.id)).state).toBe("DOWNLOADING");
  const newer = await desk.createUpdate({ ...elsewhere, firmwareVersion: "1.0" });
  expect((await desk.updates("F-2")).map(({ id, state }) => [id, state])).toEqual([
    [newer.id, "REQUESTED"],
    [older.id, "CANCELLED"],
  ]);
  await boot(station, "1.0");
  expect(await desk.update("F-2", newer.id)).toMatchObject({ state: "REQUESTED", bootedFirmwareVersion: "1.0", confirmTime: undefined });
  await says(station, "Downloaded", "Installing", "InstallationFailed");
  expect(await desk.update("F-2", newer.id)).toMatchObject({ state: "FAILED", status: "InstallationFailed" });
  // What it has not been asked yet, it cannot speak of.
  await station.leave();
  stations.pop();
  await site.gone("F-2");
  const waiting = await desk.createUpdate({ ...elsewhere, ttlSeconds: 600, waitSeconds: 1 });
  const back = await site.connect("F-2");
  stations.push(back);
  await says(back, "Downloading");
  expect((await desk.update("F-2", waiting.id)).steps).toEqual([]);
});

test("an image is signed with our key, and spoken of by the number of its update", async () => {
  reaction = { status: "Accepted" };
  const station = await join1("F-3");
  const signed = { chargerId: "F-3", firmwareImageId: imageId, signed: true };
  const update = await desk.createUpdate({ ...signed, installTime: new Date("2030-01-01T00:00:00.000Z") });
  const { payload } = await station.isAsked("SignedUpdateFirmware");
  expect(payload).toEqual({
    requestId: update.requestId,
    firmware: {
      location: expect.stringMatching(/\/firmware\/[\w-]{43}\/acme%202\.0\.bin$/),
      retrieveDateTime: update.retrieveTime?.toISOString(),
      installDateTime: "2030-01-01T00:00:00.000Z",
      signingCertificate: new X509Certificate(certificate).toString(),
      signature: expect.any(String),
    },
  });
  const { publicKey } = new X509Certificate(payload.firmware.signingCertificate);
  const signature = Buffer.from(payload.firmware.signature, "base64");
  const pss = { key: publicKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  expect(verify("sha256", FIRMWARE, pss, signature)).toBe(true);
  const { requestId } = update;
  const statuses = [
    "DownloadScheduled",
    "Downloading",
    "DownloadPaused",
    "Downloaded",
    "SignatureVerified",
    "InstallScheduled",
    "InvalidSignature",
  ];
  await sayAll(station, "SignedFirmwareStatusNotification", { requestId }, statuses);
  const failed = await desk.update("F-3", update.id);
  expect([failed.state, failed.status, stepsOf(failed)]).toEqual(["FAILED", "InvalidSignature", statuses]);
  expect(await station.result("SignedFirmwareStatusNotification", { status: "Installed", requestId: 1 })).toEqual({});
  expect(await desk.update("F-3", update.id)).toEqual(failed);

  reaction = { status: "InvalidCertificate" };
  const makers = { signature: "c2lnbmF0dXJl", signingCertificate: certificate };
  const refused = await desk.createUpdate({ ...signed, ...makers });
  expect(refused).toMatchObject({ state: "FAILED", status: "InvalidCertificate", signature: makers.signature });
  expect((await fetch(toldUrl(station, "SignedUpdateFirmware"))).status).toBe(410);
  reaction = { status: "Accepted" };
  const older = await desk.createUpdate(signed);
  reaction = { status: "AcceptedCanceled" };
  expect((await desk.createUpdate(signed)).state).toBe("REQUESTED");
  expect((await desk.update("F-3", older.id)).state).toBe("CANCELLED");
});

test("what cannot be asked is refused, and says why", async () => {
  await site.register("F-4");
  const of = (fields: Parameters<FileDesk["createUpdate"]>[0]) => refusal(desk.createUpdate({ chargerId: "F-4", ...fields }));
  const location = "https://example.org/a.bin";
  expect(await of({})).toMatchObject({ fields: ["firmware_image_id"] });
  expect(await of({ firmwareImageId: imageId, location })).toMatchObject({ fields: ["firmware_image_id"] });
  expect(await of({ location: "nowhere" })).toMatchObject({ fields: ["location"] });
  expect(await of({ location, signed: true })).toMatchObject({ fields: ["signature"] });
  expect(await of({ location, signed: true, signature: "eA==", signingCertificate: "none" })).toMatchObject({
    fields: ["signing_certificate"],
  });
  expect(await of({ location, signed: true, signature: "eA==" })).toMatchObject({ fields: ["signature"] });
  expect(await of({ location, signature: "eA==", signingCertificate: certificate })).toMatchObject({ fields: ["signed"] });
  expect(await of({ location, installTime: new Date() })).toMatchObject({ fields: ["install_time"] });
  expect(await of({ firmwareImageId: crypto.randomUUID() })).toMatchObject({ code: "NOT_FOUND", reason: "FIRMWARE_IMAGE_NOT_FOUND" });
  const { id, uploadUrl } = await desk.createImage({});
  expect(await of({ firmwareImageId: id })).toMatchObject({ code: "FAILED_PRECONDITION", reason: "FIRMWARE_IMAGE_EMPTY" });
  expect((await fetch(uploadUrl.replace("/uploads/", "/firmware/"))).status).toBe(404);
  await desk.deleteImage(id);
  expect(await refusal(desk.deleteImage(id))).toMatchObject({ code: "NOT_FOUND", reason: "FIRMWARE_IMAGE_NOT_FOUND" });
  expect((await send(uploadUrl, "x")).status).toBe(404);
  expect(await refusal(desk.createUpdate({ chargerId: "NOBODY", location }))).toMatchObject({ reason: "CHARGER_NOT_FOUND" });
  // F-3 may still fetch it.
  expect(await refusal(desk.deleteImage(imageId))).toMatchObject({ code: "FAILED_PRECONDITION", reason: "FIRMWARE_IMAGE_IN_USE" });
});

test("who may fetch firmware elsewhere is told to the charger and to nobody else", async () => {
  reaction = {};
  const station = await join1("F-6");
  const location = "ftp://acme:let-me-in@192.0.2.9/a.bin";
  expect((await desk.createUpdate({ chargerId: "F-6", location, waitSeconds: 5 })).location).toBe("ftp://(secret)@192.0.2.9/a.bin");
  expect(toldUrl(station, "UpdateFirmware")).toBe(location);
  const kept = [await desk.updates("F-6"), await site.rows("select * from command where charger_id = 'F-6'"), await site.told()];
  expect(JSON.stringify(kept)).not.toContain("let-me-in");
});

test("an update of which nothing is heard is over, and its URL with it", async () => {
  reaction = {};
  const station = await join1("F-5");
  const { id } = await desk.createUpdate({ chargerId: "F-5", firmwareImageId: imageId });
  await site.rows("update firmware_update set expire_time = now() where id = $1", [id]);
  expect((await fetch(toldUrl(station, "UpdateFirmware"))).status).toBe(410);
  // One that starts sweeps at once.
  const other = await startService(site.place, { OCPP_FILES_DIR: folder });
  await expect.poll(async () => (await desk.update("F-5", id)).state).toBe("EXPIRED");
  await other.stop();
  // It was only late.
  await says(station, "Installed");
  expect((await desk.update("F-5", id)).state).toBe("INSTALLED");
});

test("a key on a curve signs by ECDSA, and a certificate of another key is none", async () => {
  const [one, other] = await Promise.all([makeFirmwareKey("ec"), makeFirmwareKey("ec")]);
  const content = async function* () {
    yield FIRMWARE.subarray(0, 7);
    yield FIRMWARE.subarray(7);
  };
  const signature = await makeFirmwareSigner(one.key, one.certificate).sign(content());
  const { publicKey } = new X509Certificate(one.certificate);
  expect(verify("sha256", FIRMWARE, publicKey, Buffer.from(signature, "base64"))).toBe(true);
  expect(() => makeFirmwareSigner(one.key, other.certificate)).toThrow("the certificate is not that of the key");
});
