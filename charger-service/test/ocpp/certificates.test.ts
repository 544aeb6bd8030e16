import { X509Certificate } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../../test/rest.ts";
import { makeFolder } from "../../../tools/test/folder.ts";
import { given, refusal, startService } from "../service.ts";
import { makeCsr, makeForgedCsr, makeTestAuthority, resigned, type TestAuthority } from "./authority.ts";
import { type CertificateDesk, openCertificateDesk } from "./certificate-desk.ts";
import { type Office, openOffice } from "./papers.ts";
import { openSite, type Site } from "./site.ts";
import { type Reaction, Refusal, type Station } from "./station.ts";

// What chargers ask to be certified, and what they get.

const ORGANIZATION = "Acme Charging";

let site: Site;
let desk: CertificateDesk;
let authority: TestAuthority;
let office: Office;

beforeAll(async () => {
  authority = await makeTestAuthority();
  office = await openOffice("CN=Ours");
  const { cert, key } = await office.issue({ subject: "CN=csms", dnsNames: ["localhost"], usage: "server" });
  const folder = makeFolder();
  await Promise.all([writeFile(join(folder, "tls.crt"), cert), writeFile(join(folder, "tls.key"), key)]);
  site = await openSite({
    ...authority.settings,
    CHARGER_OCPP_TLS_ADDRESS: "localhost:0",
    CHARGER_OCPP_TLS_CERT: join(folder, "tls.crt"),
    CHARGER_OCPP_TLS_KEY: join(folder, "tls.key"),
    OCPP_CERTIFICATE_ORGANIZATION: ORGANIZATION,
    OCPP_CERTIFICATE_DAYS: "90",
    OCPP_CALL_SECONDS: "1",
  });
  desk = openCertificateDesk(site);
});
afterAll(async () => {
  desk?.leave();
  await site?.leave();
});

const csrOf = (id: string) => makeCsr(`CN=${id}, O=${ORGANIZATION}`);
const asks = (station: Station, csr: string) => station.result("SignCertificate", { csr });
const certificatesIn = (chain: string): X509Certificate[] =>
  (chain.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map((pem) => new X509Certificate(pem));
/** Chargers that answer everything in this way. */
const joins = (id: string, reaction: Reaction = { status: "Accepted" }) => site.join(id, { react: () => reaction });

test.each(["P-256", "RSA-2048"] as const)("a charger with a key on %s gets a certificate that stands up", async (kind) => {
  const id = `C-${kind}`;
  const station = await joins(id);
  const { csr, key } = await makeCsr(`CN=${id}, O=${ORGANIZATION}`, kind);
  const before = Date.now();
  expect(await asks(station, csr)).toEqual({ status: "Accepted" });
  const { payload } = await station.isAsked("CertificateSigned");
  // Not before it was told that it gets one.
  expect(station.frames.map(([type, , action]) => (type === 2 ? action : type))).toEqual([3, 3, "CertificateSigned"]);
  const [leaf, issuing, ...rest] = certificatesIn(payload.certificateChain);
  expect(rest).toEqual([]);
  const root = new X509Certificate(authority.root);
  expect([leaf?.verify(given(issuing).publicKey), issuing?.verify(root.publicKey), issuing?.ca, leaf?.ca]).toEqual([
    true,
    true,
    true,
    false,
  ]);
  expect(leaf?.checkIssued(given(issuing))).toBe(true);
  expect(leaf?.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
  expect(() => createSecureContext({ cert: payload.certificateChain, key })).not.toThrow();
  const certificate = await desk.certificateIn(id, "INSTALLED");
  expect(certificate).toMatchObject({
    chargerId: id,
    subject: `CN=${id}, O=${ORGANIZATION}`,
    issuer: `O=${ORGANIZATION}, CN=Chargers`,
    serialNumber: leaf?.serialNumber,
    fingerprint: leaf?.fingerprint256.replaceAll(":", "").toLowerCase(),
    chain: payload.certificateChain,
    installTime: expect.any(Date),
  });
  expect((given(certificate.notAfter).getTime() - before) / 86_400_000).toBeCloseTo(90, 1);
  expect(await site.commandById(id, certificate.commandId)).toMatchObject({ action: "CertificateSigned", state: "ACCEPTED" });
  const [request] = await desk.requests({ chargerId: id });
  expect(request).toMatchObject({ state: "SIGNED", certificateId: certificate.id, csr, key: kind === "P-256" ? "EC P-256" : "RSA 2048" });
  const told = (await site.told()).filter(({ subject }) => subject === certificate.id).map(({ data }) => data.certificate.state);
  expect(told).toEqual(["PENDING_INSTALL", "INSTALLED"]);
  await station.leave();
});

test("a new certificate supersedes the one before; a serial number is never used again", async () => {
  const station = await joins("C-1");
  for (let i = 0; i < 2; i++) {
    expect(await asks(station, (await csrOf("C-1")).csr)).toEqual({ status: "Accepted" });
    await station.isAsked("CertificateSigned", i);
    await eventually(async () => (await desk.certificates("C-1")).filter(({ state }) => state !== "PENDING_INSTALL").length === i + 1);
  }
  const [second, first] = await desk.certificates("C-1");
  expect([second?.state, first?.state]).toEqual(["INSTALLED", "SUPERSEDED"]);
  expect(second?.serialNumber).not.toBe(first?.serialNumber);
  await station.leave();
});

test("a charger that does not take its certificate, or says nothing, may ask again", async () => {
  let reaction: Reaction = { status: "Rejected" };
  const station = await site.join("C-2", { react: () => reaction });
  const { csr } = await csrOf("C-2");
  await asks(station, csr);
  const rejected = await desk.certificateIn("C-2", "REJECTED");
  reaction = undefined;
  await asks(station, csr);
  const lost = await desk.certificateIn("C-2", "PENDING_INSTALL");
  expect(lost.id).not.toBe(rejected.id);
  await eventually(async () => {
    const [{ commandId = "" } = {}] = await desk.certificates("C-2");
    return commandId !== "" && (await site.commandById("C-2", commandId)).state === "TIMED_OUT";
  });
  // The same once more is the same certificate, for it may have it.
  reaction = { status: "Accepted" };
  await asks(station, csr);
  expect(await desk.certificateIn("C-2", "INSTALLED")).toMatchObject({ id: lost.id, fingerprint: lost.fingerprint });
  const chains = station.asked.map(({ payload }) => payload.certificateChain);
  expect([chains.length, chains[2] === chains[1], chains[1] === chains[0]]).toEqual([3, true, false]);
  await station.leave();
});

test("a charger comes in with its certificate, which then counts as installed whatever it has answered, until it is revoked", async () => {
  await site.register("C-12", { securityProfile: 2 });
  const overTls = (own: object, user?: string) =>
    site.connect(
      "C-12",
      { tls: { ca: office.ca, ...own }, react: () => undefined, ...(user === undefined ? {} : { headers: { authorization: user } }) },
      { ocppAddress: given(site.service.ocppTlsAddress) },
    );
  const station = await overTls({});
  await station.boot();
  const { csr, key } = await csrOf("C-12");
  await asks(station, csr);
  const { payload } = await station.isAsked("CertificateSigned");
  station.socket.terminate();
  expect(await desk.certificateIn("C-12", "PENDING_INSTALL")).toMatchObject({ installTime: undefined });
  const papers = { cert: payload.certificateChain, key };
  const again = await overTls(papers, "");
  const { id } = await desk.certificateIn("C-12", "INSTALLED");
  expect((await site.connections("C-12"))[0]).toMatchObject({ securityProfile: 3, tlsVersion: "TLSv1.3" });
  await site.rows("update charger set security_profile = 3 where id = 'C-12'");
  await expect(overTls(await authority.besides("CN=C-12"), "")).rejects.toThrow("CERTIFICATE_INVALID");
  await desk.revoke("C-12", id);
  await again.leave();
  for (const cert of [papers.cert, resigned(papers.cert)]) await expect(overTls({ key, cert }, "")).rejects.toBeInstanceOf(Refusal);
  expect(await site.refusals("C-12", "CERTIFICATE_REVOKED")).toBe(2);
});

test.each([
  ["for somebody else", "WRONG_SUBJECT", () => makeCsr(`CN=C-3, O=${ORGANIZATION}`)],
  ["for two names", "WRONG_SUBJECT", (id: string) => makeCsr(`CN=${id}, CN=C-3, O=${ORGANIZATION}`)],
  ["of another organization", "WRONG_ORGANIZATION", (id: string) => makeCsr(`CN=${id}, O=Emca`)],
  ["of no organization", "WRONG_ORGANIZATION", (id: string) => makeCsr(`CN=${id}`)],
  ["with a key that is too short", "WEAK_KEY", (id: string) => makeCsr(`CN=${id}, O=${ORGANIZATION}`, "RSA-1024")],
  ["with a key of another kind", "UNSUPPORTED_KEY", (id: string) => makeCsr(`CN=${id}, O=${ORGANIZATION}`, "Ed25519")],
  ["signed with SHA-1", "WEAK_SIGNATURE", (id: string) => makeCsr(`CN=${id}, O=${ORGANIZATION}`, "RSA-2048", "SHA-1")],
  ["with a signature of another key", "WRONG_SIGNATURE", (id: string) => makeForgedCsr(`CN=${id}, O=${ORGANIZATION}`)],
  [
    "that is none",
    "MALFORMED_REQUEST",
    async () => ({ csr: "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----" }),
  ],
  ["that is two", "MALFORMED_REQUEST", async (id: string) => ({ csr: `${(await csrOf(id)).csr}\n${(await csrOf(id)).csr}` })],
] as const)("a request %s is refused: %s", async (what, reason, make) => {
  const id = `C-${what.replaceAll(" ", "-")}`;
  const station = await joins(id);
  const { csr } = await make(id);
  // The second time is no news.
  for (let i = 0; i < 2; i++) expect(await asks(station, csr)).toEqual({ status: "Rejected" });
  expect(await desk.requests({ chargerId: id })).toMatchObject([{ state: "REJECTED", reason, csr, certificateId: "" }]);
  expect(await desk.certificates(id)).toEqual([]);
  expect(await asks(station, (await csrOf(id)).csr)).toEqual({ status: "Accepted" });
  await station.leave();
});

test("a request that is too long is refused by what OCPP says", async () => {
  const station = await joins("C-4");
  const { csr } = await csrOf("C-4");
  const frame = await station.call("SignCertificate", { csr: csr + " ".repeat(5_501 - csr.length) });
  expect(frame.slice(2, 4)).toEqual(["PropertyConstraintViolation", ".csr must be at most 5500 characters long"]);
  await station.leave();
});

test("a charger that has shown nothing waits for an operator, whatever is asked of it since; what is decided is decided", async () => {
  await site.register("C-5");
  await site.rows("update charger set password_hash = null, security_profile = 0 where id = 'C-5'");
  const station = await site.connect("C-5");
  await station.boot();
  await site.rows("update charger set password_hash = sha384('x'), security_profile = 3 where id = 'C-5'");
  const [first, second] = [await csrOf("C-5"), await csrOf("C-5")];
  for (const { csr } of [first, first, second]) expect(await asks(station, csr)).toEqual({ status: "Accepted" });
  expect(await desk.requests({ chargerId: "C-5" })).toMatchObject([{ state: "PENDING" }, { state: "REPLACED" }]);
  const [pending] = await desk.requests({ chargerId: "C-5", state: "PENDING" });
  expect(station.asked).toEqual([]);
  expect(await desk.approve(given(pending).id)).toMatchObject({ state: "SIGNED", csr: second.csr });
  await station.isAsked("CertificateSigned");
  await desk.certificateIn("C-5", "INSTALLED");
  expect(await refusal(desk.approve(given(pending).id))).toMatchObject({
    code: "FAILED_PRECONDITION",
    reason: "CERTIFICATE_REQUEST_DECIDED",
  });
  expect(await refusal(desk.reject(given(pending).id))).toMatchObject({
    code: "FAILED_PRECONDITION",
    reason: "CERTIFICATE_REQUEST_DECIDED",
  });
  await station.leave();
});

test("where operators decide, a certificate waits for its charger, and what is rejected is not signed", async () => {
  const careful = await startService(site.place, { ...authority.settings, OCPP_CERTIFICATE_SIGNING: "approve" });
  await site.register("C-6");
  const station = await site.connect("C-6", {}, careful);
  await station.boot();
  expect(await asks(station, (await csrOf("C-6")).csr)).toEqual({ status: "Accepted" });
  const [rejected] = await desk.requests({ chargerId: "C-6" });
  expect(await desk.reject(given(rejected).id)).toMatchObject({ state: "REJECTED", reason: "BY_OPERATOR", decideTime: expect.any(Date) });
  expect(await asks(station, (await csrOf("C-6")).csr)).toEqual({ status: "Accepted" });
  await station.leave();
  await site.gone("C-6");
  const [waiting] = await desk.requests({ chargerId: "C-6", state: "PENDING" });
  const { certificateId } = await desk.approve(given(waiting).id);
  const again = await site.connect("C-6", {}, careful);
  await again.boot();
  await again.isAsked("CertificateSigned");
  expect(await desk.certificateIn("C-6", "INSTALLED")).toMatchObject({ id: certificateId });
  expect(await desk.certificates("C-6")).toHaveLength(1);
  await again.leave();
  await careful.stop();
  expect(await refusal(desk.approve(desk.nowhere))).toMatchObject({ code: "NOT_FOUND", reason: "CERTIFICATE_REQUEST_NOT_FOUND" });
});

test("a charger that asks all the time is not listened to", async () => {
  const station = await joins("C-10");
  await site.rows("insert into certificate_request (charger_id, csr, state) select 'C-10', '', 'REJECTED' from generate_series(1, 50)");
  expect(await asks(station, (await csrOf("C-10")).csr)).toEqual({ status: "Rejected" });
  await site.rows("update certificate_request set create_time = now() - interval '25 hours' where charger_id = 'C-10' and csr = ''");
  expect(await asks(station, (await csrOf("C-10")).csr)).toEqual({ status: "Accepted" });
  await station.leave();
});

test("without an authority nothing is signed", async () => {
  const bare = await startService(site.place);
  await site.register("C-7");
  const station = await site.connect("C-7", {}, bare);
  await station.boot();
  expect(await asks(station, (await csrOf("C-7")).csr)).toEqual({ status: "Rejected" });
  expect(await desk.requests({ chargerId: "C-7" })).toMatchObject([{ reason: "SIGNING_OFF" }]);
  await station.leave();
  await bare.stop();
});

test("a charger is asked to renew what ends soon, once", async () => {
  const station = await joins("C-8");
  await asks(station, (await csrOf("C-8")).csr);
  const { id } = await desk.certificateIn("C-8", "INSTALLED");
  await site.rows("update certificate set not_before = now() - interval '70 days', not_after = now() + interval '20 days' where id = $1", [
    id,
  ]);
  const others = [await startService(site.place, authority.settings), await startService(site.place, authority.settings)];
  expect(await station.isAsked("ExtendedTriggerMessage")).toMatchObject({ payload: { requestedMessage: "SignChargePointCertificate" } });
  const renewed = await eventually(async () => {
    const [certificate] = await desk.certificates("C-8");
    return certificate?.renewCommandId !== "" && certificate;
  });
  expect(await site.commandById("C-8", renewed.renewCommandId)).toMatchObject({ action: "ExtendedTriggerMessage" });
  await asks(station, (await csrOf("C-8")).csr);
  await eventually(async () => (await desk.certificates("C-8"))[1]?.state === "SUPERSEDED");
  expect(station.asked.map(({ action }) => action)).toEqual(["CertificateSigned", "ExtendedTriggerMessage", "CertificateSigned"]);
  await Promise.all(others.map((other) => other.stop()));
  expect(await desk.renew("C-8")).toMatchObject({ action: "ExtendedTriggerMessage", state: "ACCEPTED" });
  await station.leave();
});

test("what is revoked stays so, also when its charger is forgotten and comes anew", async () => {
  const station = await joins("C-9");
  for (let i = 0; i < 2; i++) {
    await asks(station, (await csrOf("C-9")).csr);
    await station.isAsked("CertificateSigned", i);
  }
  await desk.certificateIn("C-9", "INSTALLED");
  const [second, first] = await desk.certificates("C-9");
  const revoked = await desk.revoke("C-9", given(first).id);
  expect(revoked).toMatchObject({ state: "REVOKED", revokeTime: expect.any(Date) });
  expect(await desk.revoke("C-9", given(first).id)).toEqual(revoked);
  expect(await refusal(desk.revoke("C-8", given(first).id))).toMatchObject({ code: "NOT_FOUND", reason: "CERTIFICATE_NOT_FOUND" });
  await site.rows("update certificate set not_after = now() - interval '1 day' where charger_id = 'C-9'");
  expect((await desk.certificates("C-9")).map(({ state }) => state)).toEqual(["EXPIRED", "REVOKED"]);
  await station.leave();
  await site.remove("C-9");
  await site.register("C-9");
  expect(await desk.certificates("C-9")).toMatchObject([{ id: second?.id, state: "REVOKED" }, { state: "REVOKED" }]);
});
