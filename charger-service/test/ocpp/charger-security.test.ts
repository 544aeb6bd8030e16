import { X509Certificate } from "node:crypto";
import type { InstalledCertificate } from "@chargemesh/contracts/charger/v1/installed_certificate";
import {
  InstallCertificateRequest,
  InstalledCertificateServiceClient,
  type ListInstalledCertificatesResponse,
} from "@chargemesh/contracts/charger/v1/installed_certificate_service";
import type { SecurityEvent } from "@chargemesh/contracts/charger/v1/security_event";
import { ListSecurityEventsRequest, SecurityEventServiceClient } from "@chargemesh/contracts/charger/v1/security_event_service";
import { credentials } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../../test/rest.ts";
import { issue, makeAuthority } from "../../../tools/certs/authority.ts";
import { call, given, refusal } from "../service.ts";
import { makeCsr, makeTestAuthority, nameOf, type TestAuthority } from "./authority.ts";
import { openSite, type Site } from "./site.ts";
import type { Payload, Reaction } from "./station.ts";

// Whom chargers trust, and what they report of their security.

let site: Site;
let authority: TestAuthority;
let roots: InstalledCertificateServiceClient;
let events: SecurityEventServiceClient;

beforeAll(async () => {
  authority = await makeTestAuthority();
  site = await openSite({ OCPP_CALL_SECONDS: "1" });
  roots = new InstalledCertificateServiceClient(site.service.grpcAddress, credentials.createInsecure());
  events = new SecurityEventServiceClient(site.service.grpcAddress, credentials.createInsecure());
});
afterAll(async () => {
  roots?.close();
  events?.close();
  await site?.leave();
});

const operator = () => site.place.as("OPERATOR");
const install = (chargerId: string, certificate: string, type: InstalledCertificate["type"] = "CENTRAL_SYSTEM_ROOT") =>
  call(roots, roots.installCertificate, InstallCertificateRequest.fromPartial({ chargerId, type, certificate }), operator());
const list = (chargerId: string): Promise<ListInstalledCertificatesResponse> =>
  call(roots, roots.listInstalledCertificates, { chargerId }, operator());
const refresh = async (chargerId: string, type: InstalledCertificate["type"] = "TYPE_UNSPECIFIED") =>
  (await call(roots, roots.refreshInstalledCertificates, { chargerId, type, waitSeconds: 0 }, operator())).commands;
const forget = async (chargerId: string, id: string) =>
  given((await call(roots, roots.deleteInstalledCertificate, { chargerId, id, waitSeconds: 0 }, operator())).command);
const reported = (filter: Partial<ListSecurityEventsRequest>): Promise<SecurityEvent[]> =>
  call(events, events.listSecurityEvents, ListSecurityEventsRequest.fromPartial(filter), operator()).then((page) => page.securityEvents);

/** A charger that keeps root certificates by their hashes. */
function keeper(algorithm: "SHA256" | "SHA384" | "SHA512" = "SHA256") {
  const kept: { type: string; name: Payload }[] = [];
  const react = (action: string, payload: Payload): Reaction => {
    if (action === "InstallCertificate") kept.push({ type: payload.certificateType, name: nameOf(payload.certificate, algorithm) });
    if (action === "GetInstalledCertificateIds") {
      const certificateHashData = kept.filter(({ type }) => type === payload.certificateType).map(({ name }) => name);
      return certificateHashData.length === 0 ? { status: "NotFound" } : { status: "Accepted", certificateHashData };
    }
    if (action === "DeleteCertificate") {
      const place = kept.findIndex(({ name }) => name.serialNumber === payload.certificateHashData.serialNumber);
      if (place < 0) return { status: "NotFound" };
      kept.splice(place, 1);
    }
    return { status: "Accepted" };
  };
  return { kept, react };
}

test("a root that is installed is in the list by its name, and out of it once the charger has forgotten it", async () => {
  const { kept, react } = keeper();
  const station = await site.join("S-1", { react });
  expect(await list("S-1")).toEqual({
    installedCertificates: [],
    centralSystemRootListTime: undefined,
    manufacturerRootListTime: undefined,
  });
  expect(await install("S-1", authority.root)).toMatchObject({ command: { action: "InstallCertificate", state: "ACCEPTED" } });
  expect(station.asked[0]?.payload).toEqual({ certificateType: "CentralSystemRootCertificate", certificate: authority.root });
  // It is asked by itself what it has now.
  const [root] = await eventually(async () => {
    const { installedCertificates } = await list("S-1");
    return installedCertificates.length > 0 && installedCertificates;
  });
  const certificate = new X509Certificate(authority.root);
  expect(root).toMatchObject({
    type: "CENTRAL_SYSTEM_ROOT",
    ...nameOf(authority.root, "SHA256"),
    subject: "O=Acme Charging, CN=Root",
    notAfter: certificate.validToDate,
    fingerprint: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
  });
  // Chargers write the same in other ways, and more of them.
  kept.push({ type: "ManufacturerRootCertificate", name: { ...nameOf(authority.issuing, "SHA512"), issuerNameHash: "00" } });
  const [first] = kept;
  given(first).name = {
    ...given(first).name,
    issuerNameHash: given(first).name.issuerNameHash.toUpperCase(),
    serialNumber: `00${given(first).name.serialNumber}`,
  };
  expect((await refresh("S-1")).map(({ state }) => state)).toEqual(["ACCEPTED", "ACCEPTED"]);
  const all = await list("S-1");
  expect(all).toMatchObject({ centralSystemRootListTime: expect.any(Date), manufacturerRootListTime: expect.any(Date) });
  const [ours, other] = all.installedCertificates.toSorted((a, b) => a.type.localeCompare(b.type));
  expect([ours?.subject, other?.subject, other?.type]).toEqual(["O=Acme Charging, CN=Root", "", "MANUFACTURER_ROOT"]);
  const { id } = given(ours);
  expect(await forget("S-1", id)).toMatchObject({ action: "DeleteCertificate", state: "ACCEPTED" });
  // In its own spelling.
  expect(station.asked.at(-1)?.payload.certificateHashData.serialNumber).toBe(`00${certificate.serialNumber}`);
  expect((await list("S-1")).installedCertificates).toEqual([other]);
  expect(await refusal(forget("S-1", id))).toMatchObject({ code: "NOT_FOUND", reason: "INSTALLED_CERTIFICATE_NOT_FOUND" });
  await station.leave();
});

test("what a charger says is kept whoever asked; the same keeps its id; NotFound is nothing", async () => {
  const { kept, react } = keeper("SHA384");
  const station = await site.join("S-2", { react });
  const payload = { certificateType: "CentralSystemRootCertificate" };
  const certificate = authority.root;
  await site.command({ chargerId: "S-2", action: "InstallCertificate", payload: { ...payload, certificate } });
  await site.command({ chargerId: "S-2", action: "GetInstalledCertificateIds", payload });
  const [before] = (await list("S-2")).installedCertificates;
  expect(before).toMatchObject({ hashAlgorithm: "SHA384", subject: "O=Acme Charging, CN=Root" });
  await refresh("S-2", "CENTRAL_SYSTEM_ROOT");
  expect((await list("S-2")).installedCertificates).toEqual([before]);
  kept.pop();
  await refresh("S-2", "CENTRAL_SYSTEM_ROOT");
  expect((await list("S-2")).installedCertificates).toEqual([]);
  await station.leave();
});

test("what is no root that is good now is not sent", async () => {
  await site.register("S-3");
  const day = (offset: number) => new Date(Date.now() + offset * 86_400_000);
  const good = { notBefore: day(-1), notAfter: day(1) };
  const root = await makeAuthority(good);
  const faults = [
    (await makeCsr("CN=S-3")).csr,
    `${authority.root}\n${authority.issuing}`,
    `${authority.root}${" ".repeat(5_501)}`,
    (await makeAuthority({ notBefore: day(-2), notAfter: day(-1) })).certificate,
    (await makeAuthority({ notBefore: day(1), notAfter: day(2) })).certificate,
    (await issue(root, "a-service", [], good)).certificate,
  ];
  for (const certificate of faults) {
    expect(await refusal(install("S-3", certificate))).toMatchObject({ code: "INVALID_ARGUMENT", fields: ["certificate"] });
  }
  expect(await refusal(install("S-3", authority.root, "TYPE_UNSPECIFIED"))).toMatchObject({ fields: ["type"] });
  expect(await refusal(install("NOBODY", authority.root))).toMatchObject({ code: "NOT_FOUND", reason: "CHARGER_NOT_FOUND" });
  expect(await refusal(list("NOBODY"))).toMatchObject({ code: "NOT_FOUND", reason: "CHARGER_NOT_FOUND" });
});

test("a security event is kept and told once, critical or not, and found by charger, type and time", async () => {
  const station = await site.join("S-4");
  const tampered = { type: "TamperDetectionActivated", timestamp: "2026-03-01T10:00:00Z", techInfo: "the lid" };
  const failed = { type: "FailedToAuthenticateAtCentralSystem", timestamp: "2026-03-02T10:00:00+02:00" };
  for (const event of [tampered, failed, tampered, { ...failed, type: "AcmeLidOpened" }]) {
    expect(await station.result("SecurityEventNotification", event)).toEqual({});
  }
  const all = await reported({ chargerId: "S-4" });
  expect(all).toMatchObject([
    { type: "AcmeLidOpened", critical: false },
    { type: failed.type, critical: false, techInfo: "", time: new Date("2026-03-02T08:00:00Z") },
    { type: tampered.type, critical: true, techInfo: "the lid", time: new Date(tampered.timestamp), createTime: expect.any(Date) },
  ]);
  const typesOf = async (filter: Partial<ListSecurityEventsRequest>) =>
    (await reported({ chargerId: "S-4", ...filter })).map(({ type }) => type);
  expect(await typesOf({ type: "AcmeLidOpened" })).toEqual(["AcmeLidOpened"]);
  expect(await typesOf({ critical: true })).toEqual([tampered.type]);
  expect(await typesOf({ endTime: new Date("2026-03-02T00:00:00Z") })).toEqual([tampered.type]);
  expect(await typesOf({ startTime: new Date("2026-03-02T08:00:00Z"), type: failed.type })).toEqual([failed.type]);
  const told = (await site.told()).filter(({ type, subject }) => type === "SecurityEventReported" && subject === "S-4");
  expect(told.map(({ data }) => data.securityEvent.type)).toEqual([tampered.type, failed.type, "AcmeLidOpened"]);
  expect((await station.call("SecurityEventNotification", { type: "x".repeat(51), timestamp: failed.timestamp }))[2]).toBe(
    "PropertyConstraintViolation",
  );
  await station.leave();
});
