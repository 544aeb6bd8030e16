import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdir, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../../test/rest.ts";
import { makeFolder } from "../../../tools/test/folder.ts";
import { makeFileUrls } from "../../src/domain/file-url.ts";
import { given, refusal, startService } from "../service.ts";
import { type FileDesk, openFileDesk, reasonOf, send, streamOf, toldUrl } from "./file-desk.ts";
import { type Office, openOffice } from "./papers.ts";
import { openSite, type Site } from "./site.ts";
import type { Reaction, Station } from "./station.ts";

// Diagnostics and logs come in at a URL that is good for one file, and how they fare is told by the charger (OCPP 1.6 §4.4, §5.8; whitepaper, GetLog).

const BYTES_MAX = 100_000;
const folder = makeFolder();
const certificates = makeFolder();
let site: Site;
let desk: FileDesk;
let station: Station;
let office: Office;
let reactions: Record<string, Reaction> = {};
const chargerId = "U-1";

beforeAll(async () => {
  office = await openOffice("CN=Chargers");
  site = await openSite({ ...(await tlsSettings()), OCPP_FILES_DIR: folder, OCPP_UPLOAD_BYTES_MAX: String(BYTES_MAX) });
  desk = openFileDesk(site);
  const usual: Record<string, Reaction> = { GetDiagnostics: { fileName: "diag.zip" }, GetLog: { status: "Accepted", filename: "log.txt" } };
  station = await site.join(chargerId, { react: (action) => reactions[action] ?? usual[action] });
});
afterAll(async () => {
  await station?.leave();
  desk?.close();
  await site?.leave();
});

async function tlsSettings(): Promise<Record<string, string>> {
  const { cert, key } = await office.issue({ subject: "CN=csms", dnsNames: ["localhost"], usage: "server" });
  const settings = { CHARGER_OCPP_TLS_CERT: join(certificates, "tls.crt"), CHARGER_OCPP_TLS_KEY: join(certificates, "tls.key") };
  await Promise.all([writeFile(settings.CHARGER_OCPP_TLS_CERT, cert), writeFile(settings.CHARGER_OCPP_TLS_KEY, key)]);
  return { ...settings, CHARGER_OCPP_TLS_ADDRESS: "localhost:0" };
}

const keptFiles = async (): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true })).filter((one) => one.isFile()).map(({ name }) => name);
const requested = async (): Promise<{ id: string; url: string }> => {
  const { id } = await desk.getDiagnostics({ chargerId });
  return { id, url: toldUrl(station, "GetDiagnostics") };
};

test("diagnostics come in once, whole, and are downloaded as they came", async () => {
  const logStartTime = new Date("2026-01-02T03:04:05.678Z");
  const upload = await desk.getDiagnostics({ chargerId, logStartTime, retries: 3, retryIntervalSeconds: 60 });
  expect(upload).toMatchObject({ chargerId, kind: "DIAGNOSTICS", state: "REQUESTED", fileName: "diag.zip", sizeBytes: 0, sha256: "" });
  const { payload } = await station.isAsked("GetDiagnostics");
  expect(payload).toEqual({
    location: expect.stringMatching(new RegExp(`^http://${site.service.ocppAddress}/uploads/[\\w-]{43}/$`)),
    startTime: "2026-01-02T03:04:05.678Z",
    retries: 3,
    retryInterval: 60,
  });
  const command = await site.commandById(chargerId, upload.commandId);
  expect(command.state).toBe("ACCEPTED");
  expect(command.payload?.location).toBe(`http://${site.service.ocppAddress}/uploads/(secret)/`);

  await station.result("DiagnosticsStatusNotification", { status: "Uploading" });
  expect(await desk.upload(upload.id)).toMatchObject({ state: "UPLOADING", status: "Uploading" });
  const file = randomBytes(90_000);
  const response = await send(`${payload.location}diag-7.zip`, streamOf(file), { duplex: "half" });
  expect([response.status, await response.text()]).toEqual([201, ""]);
  await station.result("DiagnosticsStatusNotification", { status: "Uploaded" });
  // Too late to mean anything.
  await station.result("DiagnosticsStatusNotification", { status: "Idle" });

  const sha256 = createHash("sha256").update(file).digest("hex");
  const known = { id: upload.id, state: "UPLOADED", status: "Uploaded", fileName: "diag-7.zip", sizeBytes: 90_000, sha256 };
  expect(await desk.upload(upload.id)).toMatchObject(known);
  expect(await desk.uploads({ chargerId, kind: "DIAGNOSTICS", state: "UPLOADED" })).toMatchObject([known]);
  expect(await desk.uploads({ chargerId, kind: "SECURITY_LOG" })).toEqual([]);
  expect((await desk.download(upload.id)).equals(file)).toBe(true);
  expect(await reasonOf(await send(`${payload.location}diag-7.zip`, "another"))).toEqual([409, "FILE_UPLOADED"]);
  expect((await desk.download(upload.id)).equals(file)).toBe(true);
  const told = (await site.told()).filter(({ type, subject }) => type === "UploadUpdated" && subject === upload.id);
  expect(told.map(({ data }) => [data.upload.state, data.upload.status ?? ""])).toEqual([
    ["REQUESTED", ""],
    ["REQUESTED", ""],
    ["UPLOADING", "Uploading"],
    ["UPLOADED", "Uploading"],
    ["UPLOADED", "Uploaded"],
  ]);
});

test("a log is spoken of by its number, and may come as a web form", async () => {
  const other = await desk.getLog({ chargerId, kind: "DIAGNOSTICS_LOG" });
  const upload = await desk.getLog({ chargerId, kind: "SECURITY_LOG" });
  const url = toldUrl(station, "GetLog");
  expect(station.asked.at(-1)?.payload).toEqual({ logType: "SecurityLog", requestId: upload.requestId, log: { remoteLocation: url } });
  const { requestId } = upload;
  await station.result("LogStatusNotification", { status: "Uploading", requestId });
  await station.result("LogStatusNotification", { status: "UploadFailure", requestId });
  expect(await desk.upload(upload.id)).toMatchObject({ state: "FAILED", status: "UploadFailure" });
  // It tries again.
  const form = new FormData();
  form.set("about", "a field that nobody wants");
  form.set("file", new Blob(["line 1\nline 2\n"]), "../../etc/sec urity.log");
  expect((await send(url, form, { method: "POST" })).status).toBe(201);
  expect(await desk.upload(upload.id)).toMatchObject({ state: "UPLOADED", fileName: "sec urity.log", sizeBytes: 14 });
  expect((await desk.download(upload.id)).toString()).toBe("line 1\nline 2\n");
  expect(await desk.upload(other.id)).toMatchObject({ state: "REQUESTED", status: "" });
  // Numbers that we never gave mean nothing.
  expect(await station.result("LogStatusNotification", { status: "PermissionDenied", requestId: 1 })).toEqual({});
});

test("whoever is not expected is told why, and nothing is kept of it", async () => {
  const { id, url } = await requested();
  const before = await keptFiles();
  const base = url.slice(0, url.indexOf("/uploads/"));
  expect(await reasonOf(await send(`${base}/uploads/${randomBytes(32).toString("base64url")}/x`, "x"))).toEqual([404, "FILE_URL_UNKNOWN"]);
  expect(await reasonOf(await send(`${base}/uploads/..%2F..%2Fx/x`, "x"))).toEqual([404, "FILE_URL_UNKNOWN"]);
  expect(await reasonOf(await fetch(url))).toEqual([405, "METHOD_NOT_ALLOWED"]);
  const partial = { headers: { "content-range": "bytes 0-0/2" } };
  expect(await reasonOf(await send(url, "x", partial))).toEqual([400, "FILE_PARTIAL"]);
  const unknown = `${base}/uploads/${randomBytes(32).toString("base64url")}/x`;
  const endless = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(new Uint8Array(1)) });
  const slow = { headers: { "content-type": "multipart/form-data; boundary=b" }, duplex: "half" } as const;
  expect(await reasonOf(await send(unknown, endless, slow))).toEqual([404, "FILE_URL_UNKNOWN"]);
  expect(await reasonOf(await send(url, "x", { headers: { "content-type": "multipart/form-data; x" } }))).toEqual([400, "FILE_MISSING"]);
  const noFile = new FormData();
  noFile.set("a", "b");
  expect(await reasonOf(await send(url, noFile))).toEqual([400, "FILE_MISSING"]);
  const large = randomBytes(BYTES_MAX + 1);
  expect(await reasonOf(await send(url, new Uint8Array(large)))).toEqual([413, "FILE_TOO_LARGE"]);
  expect(await reasonOf(await send(url, streamOf(large), { duplex: "half" }))).toEqual([413, "FILE_TOO_LARGE"]);
  const form = new FormData();
  form.set("file", new Blob([new Uint8Array(large)]), "a");
  expect(await reasonOf(await send(url, form))).toEqual([413, "FILE_TOO_LARGE"]);
  expect(await keptFiles()).toEqual(before);
  expect((await desk.upload(id)).state).toBe("UPLOADING");
  expect((await send(`${url}..%2f..%2fpasswd`, new Uint8Array(large.subarray(1)))).status).toBe(201);
  expect(await desk.upload(id)).toMatchObject({ state: "UPLOADED", fileName: "passwd", sizeBytes: BYTES_MAX });
});

test("one that breaks off is not kept, and may be sent again", async () => {
  const { id, url } = await requested();
  const before = (await keptFiles()).length;
  const { host, hostname, port, pathname } = new URL(url);
  const boundary = '--b\r\ncontent-disposition: form-data; name="f"; filename="f"\r\n\r\n';
  const bodies = [
    ["text/plain", ""],
    ["multipart/form-data; boundary=b", boundary],
  ] as const;
  for (const [type, start] of bodies) {
    const socket = connect(Number(port), hostname);
    socket.write(
      `PUT ${pathname}half HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 50000\r\ncontent-type: ${type}\r\n\r\n${start}${"x".repeat(20_000)}`,
    );
    await eventually(async () => (await keptFiles()).length > before);
    socket.destroy();
    await eventually(async () => (await keptFiles()).length === before);
  }
  const heads = `PUT ${pathname}x HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 9\r\n\r\n`;
  const sockets = Array.from({ length: 3 }, () => connect(Number(port), hostname).setNoDelay());
  for (const socket of sockets) socket.write(heads);
  await eventually(async () => (await keptFiles()).length === before + 3);
  expect(await reasonOf(await send(url, "x"))).toEqual([429, "FILE_URL_BUSY"]);
  for (const socket of sockets) socket.destroy();
  await eventually(async () => (await keptFiles()).length === before);
  // While we still look up what it is for, and with a form that ends too early.
  const { release } = await site.hold("lock table upload");
  const early = connect(Number(port), hostname);
  early.write(
    `PUT ${pathname}half HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 5000\r\ncontent-type: ${bodies[1][0]}\r\n\r\n${boundary}xxx`,
  );
  await site.blocked(1);
  early.destroy();
  await once(early, "close");
  await release();
  const cut = await send(url, `${boundary}xxx`, { headers: { "content-type": bodies[1][0] } });
  expect(await reasonOf(cut)).toEqual([400, "FILE_BROKEN_OFF"]);
  expect((await keptFiles()).length).toBe(before);
  expect(await desk.upload(id)).toMatchObject({ state: "UPLOADING", sizeBytes: 0 });
  expect((await send(`${url}whole`, "whole")).status).toBe(201);
  expect(await desk.upload(id)).toMatchObject({ state: "UPLOADED", fileName: "whole", sizeBytes: 5 });
});

test("what a charger refuses is over, what it has none of may still come, and a newer log ends an older one", async () => {
  const older = await desk.getLog({ chargerId, kind: "SECURITY_LOG" });
  reactions = { GetLog: { status: "AcceptedCanceled" } };
  const newer = await desk.getLog({ chargerId, kind: "SECURITY_LOG" });
  expect([(await desk.upload(older.id)).state, newer.state]).toEqual(["CANCELLED", "REQUESTED"]);
  expect((await site.commandById(chargerId, newer.commandId)).state).toBe("ACCEPTED");
  reactions = { GetLog: { status: "Rejected" }, GetDiagnostics: {} };
  const rejected = await desk.getLog({ chargerId, kind: "SECURITY_LOG" });
  expect(rejected).toMatchObject({ state: "FAILED", status: "Rejected" });
  expect(await reasonOf(await send(toldUrl(station, "GetLog"), "x"))).toEqual([410, "FILE_URL_EXPIRED"]);
  const nothing = await desk.getDiagnostics({ chargerId });
  expect(nothing).toMatchObject({ state: "FAILED", status: "NoFile" });
  expect((await send(toldUrl(station, "GetDiagnostics"), "x")).status).toBe(201);
  expect(await desk.upload(nothing.id)).toMatchObject({ state: "UPLOADED", fileName: "diagnostics.bin" });
  reactions = {};
  await site.register("U-OFFLINE");
  expect(await desk.getDiagnostics({ chargerId: "U-OFFLINE" })).toMatchObject({ state: "FAILED", status: "CHARGER_OFFLINE" });
  expect(await refusal(desk.getLog({ chargerId, kind: "DIAGNOSTICS" }))).toMatchObject({ reason: "INVALID_FIELD", fields: ["kind"] });
  expect(await refusal(desk.getDiagnostics({ chargerId: "NOBODY" }))).toMatchObject({ reason: "CHARGER_NOT_FOUND" });
});

test("what a charger says of diagnostics that it was asked for by hand is of no other", async () => {
  const { id } = await requested();
  await site.command({ chargerId, action: "GetDiagnostics", payload: { location: "ftp://elsewhere/" } });
  await station.result("DiagnosticsStatusNotification", { status: "Uploading" });
  expect(await desk.upload(id)).toMatchObject({ state: "REQUESTED", status: "" });
});

test("a charger that comes by TLS uploads by TLS", async () => {
  await site.register("U-TLS", { securityProfile: 2 });
  const react = () => ({ fileName: "a" });
  const secure = await site.connect("U-TLS", { react, tls: { ca: office.ca } }, { ocppAddress: given(site.service.ocppTlsAddress) });
  await secure.boot();
  const { id } = await desk.getDiagnostics({ chargerId: "U-TLS" });
  const url = toldUrl(secure, "GetDiagnostics");
  expect(url).toContain(`https://${site.service.ocppTlsAddress}/uploads/`);
  const sending = request(`${url}b`, { method: "PUT", ca: office.ca, agent: false }).end("secret");
  const [{ statusCode }] = await once(sending, "response");
  expect([statusCode, (await desk.download(id)).toString()]).toEqual([201, "secret"]);
  await secure.leave();
});

test("a charger is sent to where it comes from, by TLS if it comes by that", () => {
  const doors = { ocppAddress: "10.0.0.1:3003", ocppTlsAddress: "10.0.0.1:3443" };
  const urls = makeFileUrls(undefined, () => doors, 1);
  expect([urls.base(false), urls.base(true)]).toEqual(["http://10.0.0.1:3003", "https://10.0.0.1:3443"]);
  expect(makeFileUrls(undefined, () => ({ ...doors, ocppTlsAddress: undefined }), 1).base(true)).toBe("http://10.0.0.1:3003");
  expect(makeFileUrls("https://files.example.org", () => doors, 1).base(false)).toBe("https://files.example.org");
  const everywhere = makeFileUrls(undefined, () => ({ ...doors, ocppAddress: "0.0.0.0:3003" }), 1);
  expect(() => everywhere.base(false)).toThrow(expect.objectContaining({ reason: "PUBLIC_URL_UNKNOWN" }));
});

test("the same key gets the same upload", async () => {
  const asking = { chargerId, idempotencyKey: "once" };
  const first = await desk.getDiagnostics(asking);
  expect((await desk.getDiagnostics(asking)).id).toBe(first.id);
  await desk.command({ chargerId, action: "GetDiagnostics", payload: { location: "ftp://elsewhere/" }, idempotencyKey: "by hand" });
  expect(await refusal(desk.getDiagnostics({ chargerId, idempotencyKey: "by hand" }))).toMatchObject({ fields: ["idempotency_key"] });
});

test("what does not come in time is over; what is deleted is gone, its file too", async () => {
  const late = await requested();
  const kept = await requested();
  expect((await send(`${kept.url}kept`, "kept")).status).toBe(201);
  const before = (await keptFiles()).length;
  await site.rows("update upload set expire_time = now() where id = $1", [late.id]);
  expect(await reasonOf(await send(late.url, "x"))).toEqual([410, "FILE_URL_EXPIRED"]);
  await desk.deleteUpload(kept.id);
  expect(await refusal(desk.upload(kept.id))).toMatchObject({ code: "NOT_FOUND", reason: "UPLOAD_NOT_FOUND" });
  expect(await reasonOf(await send(kept.url, "x"))).toEqual([404, "FILE_URL_UNKNOWN"]);
  expect(await refusal(desk.download(late.id))).toMatchObject({ code: "FAILED_PRECONDITION", reason: "UPLOAD_EMPTY" });
  // One that starts sweeps at once.
  const other = await startService(site.place, { OCPP_FILES_DIR: folder });
  await eventually(async () => (await desk.upload(late.id)).state === "EXPIRED" && (await keptFiles()).length === before - 1);
  const unused = "select from stored_file where key not in (select file_key from upload where file_key is not null)";
  await eventually(async () => (await site.rows(unused)).length === 0);
  await other.stop();
});
