import { createPublicKey, X509Certificate } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConnectionOptions } from "node:tls";
import {
  InstallCertificateRequest,
  InstalledCertificateServiceClient,
  type InstalledCertificateServiceClient as Roots,
} from "@chargemesh/contracts/charger/v1/installed_certificate_service";
import { ListSecurityEventsRequest, SecurityEventServiceClient } from "@chargemesh/contracts/charger/v1/security_event_service";
import { credentials } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../../../test/rest.ts";
import { call, given } from "../../service.ts";
import { makeCsr, makeTestAuthority, nameOf, type TestAuthority } from "../authority.ts";
import { type CertificateDesk, openCertificateDesk } from "../certificate-desk.ts";
import { openDesk } from "../credential-desk.ts";
import { type FileDesk, openFileDesk, send } from "../file-desk.ts";
import { keepFirmwareKey, makeFirmwareKey } from "../firmware-key.ts";
import { type Office, openOffice } from "../papers.ts";
import { openSetupDesk } from "../setup-desk.ts";
import { openSite, type Site } from "../site.ts";
import { Refusal, type Station } from "../station.ts";
import { openChargePoint } from "./charge-point.ts";

// The test cases of the Open Charge Alliance for central systems: who comes in, and the security whitepaper (docs/ocpp-conformance.md has the list).

let site: Site;
let folder: string;
let authority: TestAuthority;
let office: Office;
let desk: CertificateDesk;
let files: FileDesk;
let roots: Roots;
let events: SecurityEventServiceClient;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "chargemesh-conformance-"));
  [authority, office] = await Promise.all([makeTestAuthority(), openOffice("CN=Chargers")]);
  const { cert, key } = await office.issue({ subject: "CN=csms", dnsNames: ["localhost"], usage: "server" });
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };
  site = await openSite({
    ...authority.settings,
    ...(await keepFirmwareKey(folder, await makeFirmwareKey("ec"))),
    OCPP_CERTIFICATE_ORGANIZATION: "Acme",
    OCPP_FILES_DIR: folder,
    CHARGER_OCPP_TLS_ADDRESS: "localhost:0",
    CHARGER_OCPP_TLS_CERT: await file("server.crt", cert),
    CHARGER_OCPP_TLS_KEY: await file("server.key", key),
    CHARGER_OCPP_TLS_CLIENT_CA: await file("clients.crt", office.ca),
  });
  desk = openCertificateDesk(site);
  files = openFileDesk(site);
  roots = new InstalledCertificateServiceClient(site.service.grpcAddress, credentials.createInsecure());
  events = new SecurityEventServiceClient(site.service.grpcAddress, credentials.createInsecure());
});
afterAll(async () => {
  desk?.leave();
  files?.close();
  roots?.close();
  events?.close();
  await site?.leave();
  await rm(folder, { recursive: true });
});

const operator = () => site.place.as("OPERATOR");
const overTls = (id: string, tls: ConnectionOptions = {}, password?: string): Promise<Station> =>
  site.connect(id, { tls: { ca: office.ca, ...tls }, ...(password === undefined ? {} : { password }) }, tlsDoor());
const tlsDoor = () => ({ ocppAddress: given(site.service.ocppTlsAddress) });
/** With what it was refused. */
const refused = async (knocking: Promise<Station>): Promise<number> => {
  const answer = await knocking.catch((err: unknown) => err);
  if (answer instanceof Refusal) return answer.status;
  throw new Error(`was not refused: ${answer}`);
};
/** Boots, says how its connectors are, and leaves. */
const visit = async (station: Station): Promise<void> => {
  expect(await station.boot()).toMatchObject({ status: "Accepted" });
  for (const connectorId of [0, 1]) {
    expect(await station.result("StatusNotification", { connectorId, status: "Available", errorCode: "NoError" })).toEqual({});
  }
  await station.leave();
  await site.gone(station.id);
};
const reports = async (station: Station, type: string): Promise<void> => {
  expect(await station.result("SecurityEventNotification", { type, timestamp: new Date().toISOString() })).toEqual({});
  const request = ListSecurityEventsRequest.fromPartial({ chargerId: station.id });
  expect((await call(events, events.listSecurityEvents, request, operator())).securityEvents).toMatchObject([{ type }]);
};

test("TC_073: a charge point is given another password, and comes back with it", async () => {
  const { id, asked, station } = await openChargePoint(site, "TC_073");
  const { password } = await openDesk(site).rotate(id);
  const value = Buffer.from(given(password)).toString("hex").toUpperCase();
  expect(asked("ChangeConfiguration")).toEqual({ key: "AuthorizationKey", value });
  expect(value.length / 2).toBeGreaterThanOrEqual(16);
  await station.leave();
  await visit(await site.connect(id, { password: given(password) }));
  expect(await refused(site.connect(id))).toBe(401);
});

test("TC_074: a charge point is asked to renew its certificate, and gets one", async () => {
  const { id, station, asked } = await openChargePoint(site, "TC_074");
  expect(await desk.renew(id)).toMatchObject({ state: "ACCEPTED" });
  expect(asked("ExtendedTriggerMessage")).toEqual({ requestedMessage: "SignChargePointCertificate" });
  const { csr, key } = await makeCsr(`CN=${id}, O=Acme`);
  expect(await station.result("SignCertificate", { csr })).toEqual({ status: "Accepted" });
  const { payload } = await station.isAsked("CertificateSigned");
  const leaf = new X509Certificate(payload.certificateChain);
  expect([leaf.subject.split("\n"), leaf.checkIssued(new X509Certificate(authority.issuing))]).toEqual([["CN=TC_074", "O=Acme"], true]);
  expect(leaf.publicKey.equals(createPublicKey(key))).toBe(true);
  await desk.certificateIn(id, "INSTALLED");
  await station.leave();
});

test.each([
  ["TC_075_1: a root of the manufacturer is installed", "MANUFACTURER_ROOT", "ManufacturerRootCertificate"],
  ["TC_075_2: a root of the central system is installed", "CENTRAL_SYSTEM_ROOT", "CentralSystemRootCertificate"],
] as const)("%s", async (title, type, certificateType) => {
  const { id, says, asked, station } = await openChargePoint(site, title.split(":")[0] ?? "");
  says.GetInstalledCertificateIds = { status: "Accepted", certificateHashData: [nameOf(authority.root, "SHA256")] };
  const request = InstallCertificateRequest.fromPartial({ chargerId: id, type, certificate: authority.root });
  expect((await call(roots, roots.installCertificate, request, operator())).command).toMatchObject({ state: "ACCEPTED" });
  expect(asked("InstallCertificate")).toEqual({ certificateType, certificate: authority.root });
  expect(await station.isAsked("GetInstalledCertificateIds")).toMatchObject({ payload: { certificateType } });
  const [kept] = await eventually(async () => {
    const { installedCertificates } = await call(roots, roots.listInstalledCertificates, { chargerId: id }, operator());
    return installedCertificates.length > 0 && installedCertificates;
  });
  expect(kept).toMatchObject({ type, ...nameOf(authority.root, "SHA256") });
  await station.leave();
});

test.each(["SHA256", "SHA384", "SHA512"] as const)("TC_076: a certificate is deleted, by its name in %s", async (algorithm) => {
  const { id, says, asked, station } = await openChargePoint(site, `TC_076-${algorithm}`);
  const certificateHashData = nameOf(authority.root, algorithm);
  says.GetInstalledCertificateIds = { status: "Accepted", certificateHashData: [certificateHashData] };
  const refresh = { chargerId: id, type: "CENTRAL_SYSTEM_ROOT", waitSeconds: 0 } as const;
  await call(roots, roots.refreshInstalledCertificates, refresh, operator());
  const { installedCertificates } = await call(roots, roots.listInstalledCertificates, { chargerId: id }, operator());
  const request = { chargerId: id, id: given(installedCertificates[0]).id, waitSeconds: 0 };
  expect((await call(roots, roots.deleteInstalledCertificate, request, operator())).command).toMatchObject({ state: "ACCEPTED" });
  expect(asked("DeleteCertificate")).toEqual({ certificateHashData });
  expect((await call(roots, roots.listInstalledCertificates, { chargerId: id }, operator())).installedCertificates).toEqual([]);
  await station.leave();
});

test("TC_077: a charge point does not take its certificate, and reports it", async () => {
  const { id, says, station } = await openChargePoint(site, "TC_077");
  says.CertificateSigned = { status: "Rejected" };
  expect(await desk.renew(id)).toMatchObject({ state: "ACCEPTED" });
  expect(await station.result("SignCertificate", { csr: (await makeCsr(`CN=${id}, O=Acme`)).csr })).toEqual({ status: "Accepted" });
  await station.isAsked("CertificateSigned");
  await desk.certificateIn(id, "REJECTED");
  await reports(station, "InvalidChargePointCertificate");
  await station.leave();
});

test("TC_078: a charge point does not take a root, and reports it", async () => {
  const { id, says, station } = await openChargePoint(site, "TC_078");
  says.InstallCertificate = { status: "Rejected" };
  const request = InstallCertificateRequest.fromPartial({ chargerId: id, type: "CENTRAL_SYSTEM_ROOT", certificate: authority.root });
  const { command } = await call(roots, roots.installCertificate, request, operator());
  expect(command).toMatchObject({ state: "REJECTED", status: "Rejected" });
  await reports(station, "InvalidCentralSystemCertificate");
  await station.leave();
});

test("TC_079: the security log is uploaded", async () => {
  const { id, says, asked, station } = await openChargePoint(site, "TC_079");
  says.GetLog = { status: "Accepted", filename: "security.log" };
  const upload = await files.getLog({ chargerId: id, kind: "SECURITY_LOG" });
  const { log, ...rest } = asked("GetLog");
  const { requestId } = upload;
  expect(rest).toEqual({ logType: "SecurityLog", requestId });
  expect(await station.result("LogStatusNotification", { status: "Uploading", requestId })).toEqual({});
  expect((await send(log.remoteLocation, "who came and went")).status).toBe(201);
  expect(await station.result("LogStatusNotification", { status: "Uploaded", requestId })).toEqual({});
  expect((await files.upload(upload.id)).state).toBe("UPLOADED");
  await station.leave();
});

const steps = ["Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallRebooting"];

test.each([
  ["TC_080: firmware that is signed is installed", [...steps, "Installed"], "INSTALLED"],
  ["TC_081: firmware that is signed wrongly is not", ["Downloading", "Downloaded", "InvalidSignature"], "FAILED"],
])("%s", async (title, statuses, state) => {
  const point = await openChargePoint(site, title.split(":")[0] ?? "");
  const image = await files.createImage({ firmwareVersion: "2.0" });
  await send(`${image.uploadUrl}acme.bin`, "new firmware");
  const update = await files.createUpdate({ chargerId: point.id, firmwareImageId: image.id, signed: true });
  const { requestId, firmware } = point.asked("SignedUpdateFirmware");
  expect([requestId, await (await fetch(firmware.location)).text()]).toEqual([update.requestId, "new firmware"]);
  expect(() => new X509Certificate(firmware.signingCertificate)).not.toThrow();
  expect(firmware.signature).toMatch(/^[\w+/]+=*$/);
  for (const status of statuses) {
    expect(await point.station.result("SignedFirmwareStatusNotification", { status, requestId })).toEqual({});
    if (status === "InstallRebooting") await point.reboot();
  }
  await reports(point.station, state === "INSTALLED" ? "FirmwareUpdated" : "InvalidFirmwareSignature");
  const kept = await files.update(point.id, update.id);
  expect([kept.state, kept.steps.map(({ status }) => status)]).toEqual([state, statuses]);
  await point.station.leave();
});

test("TC_083: a charge point is moved to a higher security profile, and comes in by no less", async () => {
  const { id, asked, station } = await openChargePoint(site, "TC_083");
  const setup = openSetupDesk(site);
  expect(await setup.want(id, "SecurityProfile", "2")).toMatchObject({ state: "IN_SYNC" });
  expect(asked("ChangeConfiguration")).toEqual({ key: "SecurityProfile", value: "2" });
  await openDesk(site).change(id, { securityProfile: 2 });
  expect(await site.command({ chargerId: id, action: "Reset", payload: { type: "Hard" } })).toMatchObject({ state: "ACCEPTED" });
  await station.leave();
  await visit(await overTls(id));
  expect(await refused(site.connect(id))).toBe(403);
  await visit(await overTls(id));
  setup.close();
});

test("TC_085: a charge point comes in by its name and password", async () => {
  const password = await site.register("TC_085");
  expect(await refused(site.connect("TC_085", { password: "", headers: { authorization: "" } }))).toBe(401);
  await visit(await site.connect("TC_085", { password }));
});

test("TC_086: a charge point comes in by TLS", async () => {
  await site.register("TC_086", { securityProfile: 2 });
  for (const version of ["TLSv1.2", "TLSv1.3"] as const) await visit(await overTls("TC_086", { minVersion: version, maxVersion: version }));
});

test("TC_087: a charge point comes in by its certificate", async () => {
  await site.register("TC_087", { securityProfile: 3 });
  await visit(await overTls("TC_087", await office.issue({ subject: "CN=TC_087, O=Acme" }), ""));
  expect(await refused(overTls("TC_087"))).toBe(403);
});

test("TC_088: of the protocols that a charge point speaks, OCPP 1.6 is chosen", async () => {
  await site.register("TC_088");
  // The handshake is completed without one, and the connection closed (OCPP-J 1.6 §3.2): no client takes that for a connection.
  await expect(site.connect("TC_088", { protocols: ["ocpp0.1"] })).rejects.toThrow("Server sent no subprotocol");
  const reasons = async () => (await site.connections("TC_088")).map(({ state, reason }) => [state, reason]);
  await expect.poll(reasons).toEqual([["REFUSED", "NO_COMMON_SUBPROTOCOL"]]);
  const station = await site.connect("TC_088", { protocols: ["ocpp0.1", "ocpp1.6"] });
  expect(station.socket.protocol).toBe("ocpp1.6");
  await visit(station);
});
