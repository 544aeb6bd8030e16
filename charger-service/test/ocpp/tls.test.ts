import { X509Certificate } from "node:crypto";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ConnectionOptions, connect } from "node:tls";
import { Charger } from "@chargemesh/contracts/charger/v1/charger";
import { makeForwarding } from "@chargemesh/kit/forwarding";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../../test/rest.ts";
import { makeFolder } from "../../../tools/test/folder.ts";
import { call, given, refusal } from "../service.ts";
import { type Asked, type Office, openOffice, type Papers } from "./papers.ts";
import { openSite, type Site } from "./site.ts";
import { Refusal, type Station, type StationOptions } from "./station.ts";

// Who comes in by TLS and with a certificate, who does not, and that nobody gets in by less than their security profile.

let site: Site;
let office: Office;
let stranger: Office;
let ours: Papers;
const folder = makeFolder();
const file = (name: string): string => join(folder, name);

beforeAll(async () => {
  [office, stranger] = await Promise.all([openOffice("CN=Chargers"), openOffice("CN=Stranger")]);
  const [ecdsa, rsa] = await Promise.all([
    office.issue({ subject: "CN=csms", dnsNames: ["localhost"], usage: "server" }),
    office.issue({ subject: "CN=csms", dnsNames: ["localhost"], usage: "server", isRsa: true }),
  ]);
  ours = ecdsa;
  await Promise.all([put("ec", ecdsa), put("rsa", rsa), writeFile(file("ca.crt"), office.ca)]);
  site = await openSite({
    CHARGER_OCPP_TLS_ADDRESS: "localhost:0",
    CHARGER_OCPP_TLS_CERT: `${file("ec.crt")}, ${file("rsa.crt")}`,
    CHARGER_OCPP_TLS_KEY: `${file("ec.key")},${file("rsa.key")}`,
    CHARGER_OCPP_TLS_CLIENT_CA: file("ca.crt"),
  });
});
afterAll(() => site?.leave());

async function put(name: string, { cert, key }: Papers): Promise<void> {
  for (const [end, text] of [
    ["key", key],
    ["crt", cert],
  ]) {
    await writeFile(file(`${name}.new`), given(text));
    await rename(file(`${name}.new`), file(`${name}.${end}`));
  }
}

const tlsPlace = () => ({ host: "localhost", port: Number(given(site.service.ocppTlsAddress).split(":")[1]) });
const issue = (asked: Asked, by = office): Promise<Papers> => by.issue(asked);
const overTls = (id: string, tls: ConnectionOptions = {}, options: StationOptions = {}): Promise<Station> =>
  site.connect(id, { ...options, tls: { ca: office.ca, ...tls } }, { ocppAddress: given(site.service.ocppTlsAddress) });
/** The reason for which it was refused. Throws if it was not. */
async function reasonOf(knocking: Promise<Station>): Promise<[status: number, reason: string]> {
  const answer = await knocking.catch((err: unknown) => err);
  if (answer instanceof Refusal) return [answer.status, JSON.parse(answer.body).error.reason];
  throw new Error(`was not refused: ${answer}`);
}
const last = async (id: string) => given((await site.connections(id))[0]);
async function bootAndLeave(station: Station): Promise<void> {
  expect(await station.boot()).toMatchObject({ status: "Accepted" });
  await station.leave();
  await site.gone(station.id);
}
const update = async (charger: Partial<Charger>, updateMask: string[]) => {
  const { chargers } = site.service;
  const request = { charger: Charger.fromPartial(charger), updateMask };
  return given((await call(chargers, chargers.updateCharger, request, site.place.as("OPERATOR"))).charger);
};

test("a charger of profile 2 comes in by TLS with its password, and never in plaintext", async () => {
  await site.register("T-2", { securityProfile: 2 });
  await bootAndLeave(await overTls("T-2"));
  expect(await last("T-2")).toMatchObject({ securityProfile: 2, tlsVersion: "TLSv1.3", tlsCipher: "TLS_AES_128_GCM_SHA256" });
  expect(await reasonOf(site.connect("T-2"))).toEqual([403, "SECURITY_PROFILE_TOO_LOW"]);
  expect(await last("T-2")).toMatchObject({ state: "REFUSED", reason: "SECURITY_PROFILE_TOO_LOW", securityProfile: 1, tlsVersion: "" });
  expect(await reasonOf(overTls("T-2", {}, { password: "wrong" }))).toEqual([401, "WRONG_PASSWORD"]);
  expect(await last("T-2")).toMatchObject({ securityProfile: 2, tlsVersion: "TLSv1.3" });
  expect(await reasonOf(overTls("T-2", {}, { headers: { authorization: "" } }))).toEqual([401, "PASSWORD_MISSING"]);
});

test("one of profile 1 may come in by more, which raises nothing by itself", async () => {
  await site.register("T-1");
  await bootAndLeave(await overTls("T-1"));
  expect([(await last("T-1")).securityProfile, (await site.charger("T-1")).securityProfile]).toEqual([2, 1]);
  await bootAndLeave(await site.connect("T-1"));
  await bootAndLeave(await overTls("T-1", await issue({ subject: "CN=T-1" }), { headers: { authorization: "Basic eA==" } }));
  expect(await last("T-1")).toMatchObject({ securityProfile: 3, certificate: { subject: "CN=T-1" } });
});

test("a certificate that is no good does not keep out who needs none", async () => {
  await site.register("T-1b", { securityProfile: 2 });
  await bootAndLeave(await overTls("T-1b", await issue({ subject: "CN=T-1b" }, stranger)));
  expect(await last("T-1b")).toMatchObject({ securityProfile: 2, certificate: { subject: "CN=T-1b" } });
});

test.each<[string, string, Partial<Charger>, Asked]>([
  ["its common name", "T-31", {}, { subject: "CN=T-31, O=Acme" }],
  ["a DNS name", "T-32", {}, { subject: "CN=Acme 7kW", dnsNames: ["other", "T-32"] }],
  ["a name of its own", "T-33", { certificateName: "SN 0815" }, { subject: "CN=SN 0815" }],
  ["odd characters", "*_=+|@.-T", {}, { subject: "CN=*_\\=\\+|@.-T" }],
])("a charger of profile 3 comes in by a certificate for %s, and shows no password", async (_what, id, fields, asked) => {
  expect(await site.register(id, { securityProfile: 3, ...fields })).toBe("");
  const papers = await issue(asked);
  const station = await overTls(id, papers, { headers: { authorization: "" } });
  await station.boot();
  const { certificate, securityProfile, tlsVersion } = await last(id);
  expect([securityProfile, tlsVersion]).toEqual([3, "TLSv1.3"]);
  expect(certificate).toMatchObject({ serialNumber: expect.stringMatching(/^01[0-9A-F]{30}$/), expireTime: expect.any(Date) });
  await station.leave();
  await site.gone(id);
});

test.each<[string, number, string, string, () => Promise<Papers | undefined>]>([
  ["no certificate", 403, "CERTIFICATE_MISSING", "", async () => undefined],
  ["that of another", 403, "CERTIFICATE_OF_ANOTHER", "it is for T-31", () => issue({ subject: "CN=T-31" })],
  ["its name in other case", 403, "CERTIFICATE_OF_ANOTHER", "it is for t-3", () => issue({ subject: "CN=t-3" })],
  ["one with two names", 403, "CERTIFICATE_OF_ANOTHER", "it is for nobody", () => issue({ subject: "CN=T-3, CN=T-31" })],
  ["its name within another", 403, "CERTIFICATE_OF_ANOTHER", "it is for x DNS:T-3", () => issue({ subject: "CN=x DNS:T-3" })],
  ["one that has expired", 403, "CERTIFICATE_EXPIRED", "CERT_HAS_EXPIRED", () => issue({ subject: "CN=T-3", from: -5, until: -1 })],
  ["one of another day", 403, "CERTIFICATE_INVALID", "CERT_NOT_YET_VALID", () => issue({ subject: "CN=T-3", from: 1, until: 5 })],
  ["one for servers", 403, "CERTIFICATE_INVALID", "INVALID_PURPOSE", () => issue({ subject: "CN=T-3", usage: "server" })],
  ["a stranger's", 403, "CERTIFICATE_INVALID", "UNABLE_TO_GET_ISSUER_CERT_LOCALLY", () => issue({ subject: "CN=T-3" }, stranger)],
])("a charger of profile 3 with %s is refused, and the refusal says why", async (_what, status, reason, detail, make) => {
  if ((await site.rows("select from charger where id = 'T-3'")).length === 0)
    await site.register("T-3", { securityProfile: 3, password: "0123456789abcdefghij" });
  const papers = await make();
  expect(await reasonOf(overTls("T-3", papers))).toEqual([status, reason]);
  expect(await last("T-3")).toMatchObject({ state: "REFUSED", reason, detail, securityProfile: papers === undefined ? 2 : 3 });
});

test("a charger of profile 3 does not come in by its password, in plaintext or by the gateway", async () => {
  expect(await reasonOf(site.connect("T-3"))).toEqual([403, "SECURITY_PROFILE_TOO_LOW"]);
  const headers = { ...makeForwarding(given(site.place.vars.MESH_SECRET))("192.0.2.7"), "x-forwarded-proto": "https" };
  expect(await reasonOf(site.connect("T-3", { headers }))).toEqual([403, "CERTIFICATE_MISSING"]);
  expect(await last("T-3")).toMatchObject({ remoteAddress: "192.0.2.7", securityProfile: 2 });
});

test("the gateway's word for TLS counts, and nobody else's", async () => {
  await site.register("T-gw", { securityProfile: 2 });
  const proof = makeForwarding(given(site.place.vars.MESH_SECRET))("192.0.2.7");
  const knock = (headers: Record<string, string>) => site.connect("T-gw", { headers });
  expect(await reasonOf(knock({ "x-forwarded-proto": "https" }))).toEqual([403, "SECURITY_PROFILE_TOO_LOW"]);
  const another = makeForwarding("the secret of somebody else, as long")("192.0.2.7");
  expect(await reasonOf(knock({ ...another, "x-forwarded-proto": "https" }))).toEqual([403, "SECURITY_PROFILE_TOO_LOW"]);
  expect(await reasonOf(knock({ ...proof, "x-forwarded-proto": "http" }))).toEqual([403, "SECURITY_PROFILE_TOO_LOW"]);
  await bootAndLeave(await knock({ ...proof, "x-forwarded-proto": "https" }));
  expect(await last("T-gw")).toMatchObject({ securityProfile: 2, tlsVersion: "", remoteAddress: "192.0.2.7" });
});

test("a certificate lets nobody in if it was revoked or issued to another, nor does a revoked password", async () => {
  const issued = async (chargerId: string, state: string): Promise<Papers> => {
    const papers = await issue({ subject: "CN=T-31" });
    const { serialNumber } = new X509Certificate(papers.cert);
    await site.rows(
      `insert into certificate (charger_id, state, serial_number, fingerprint, subject, issuer, not_before, not_after, chain)
       values ($1, $2, $3, repeat(lower($3), 2), '', '', now(), now(), '')`,
      [chargerId, state, serialNumber],
    );
    return papers;
  };
  expect(await reasonOf(overTls("T-31", await issued("T-31", "REVOKED")))).toEqual([403, "CERTIFICATE_REVOKED"]);
  expect(await reasonOf(overTls("T-31", await issued("T-32", "INSTALLED")))).toEqual([403, "CERTIFICATE_OF_ANOTHER"]);
  const { chargers } = site.service;
  await call(chargers, chargers.revokeChargerPassword, { id: "T-31" }, site.place.as("OPERATOR"));
  expect(await reasonOf(overTls("T-31", await issue({ subject: "CN=T-31" })))).toEqual([401, "PASSWORD_REVOKED"]);
});

test.each([
  ["ECDHE-ECDSA-AES128-GCM-SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"],
  ["ECDHE-ECDSA-AES256-GCM-SHA384", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"],
  ["AES128-GCM-SHA256", "TLS_RSA_WITH_AES_128_GCM_SHA256"],
  ["AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"],
])("a charger that knows TLS 1.2 and %s comes in by %s", async (ciphers, name) => {
  const station = await overTls("T-2", { maxVersion: "TLSv1.2", ciphers });
  expect(await last("T-2")).toMatchObject({ state: "OPEN", tlsVersion: "TLSv1.2", tlsCipher: name });
  await station.leave();
  await site.gone("T-2");
});

test.each([
  ["TLS 1.1", { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" }, "ERR_SSL_UNSUPPORTED_PROTOCOL"],
  ["an old cipher suite", { maxVersion: "TLSv1.2", ciphers: "AES128-SHA@SECLEVEL=0" }, "ERR_SSL_NO_SHARED_CIPHER"],
] as const)("with %s nobody gets as far as the door, which is listed", async (_what, tls, detail) => {
  await expect(overTls("T-2", tls)).rejects.toThrow(/alert|handshake|protocol/i);
  await expect
    .poll(() => site.rows("select state, count from connection where reason = 'TLS_FAILED' and detail = $1", [detail]))
    .toMatchObject([{ state: "REFUSED" }]);
});

test("each connection shows its certificate anew, and new files are taken up without a restart", async () => {
  const open = await overTls("T-2");
  const next = await office.issue({ subject: "CN=csms", dnsNames: ["localhost"], usage: "server" });
  // One without the other does not fit: nothing happens until both are there.
  await put("ec", next);
  let session: Buffer | undefined;
  const look = () =>
    new Promise<{ raw: string; isReused: boolean }>((resolve, reject) => {
      const socket = connect({ ...tlsPlace(), ca: office.ca, maxVersion: "TLSv1.2", session }, () => {
        session = socket.getSession();
        resolve({ raw: socket.getPeerX509Certificate()?.raw.toString("hex") ?? "", isReused: socket.isSessionReused() });
        socket.destroy();
      });
      socket.on("error", reject);
    });
  const rawOf = (pem: string): string => Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64").toString("hex");
  expect(rawOf(ours.cert)).not.toBe(rawOf(next.cert));
  await eventually(async () => (await look()).raw === rawOf(next.cert));
  expect((await look()).isReused).toBe(false);
  // What is open stays.
  expect(await open.result("Heartbeat", {})).toMatchObject({ currentTime: expect.any(String) });
  await open.leave();
});

test("a profile is set with what it needs, and what is connected by less stays until it is gone", async () => {
  await site.register("T-p");
  const station = await site.connect("T-p");
  expect(await update({ id: "T-p", securityProfile: 3, certificateName: "SN-1" }, ["security_profile", "certificate_name"])).toMatchObject({
    securityProfile: 3,
    certificateName: "SN-1",
  });
  await station.boot();
  await station.leave();
  await site.gone("T-p");
  expect(await reasonOf(site.connect("T-p"))).toEqual([403, "SECURITY_PROFILE_TOO_LOW"]);
  expect(await update({ id: "T-p", securityProfile: 0 }, ["security_profile"])).toMatchObject({
    securityProfile: 0,
    credential: { state: "NONE" },
  });
  await bootAndLeave(await site.connect("T-p", { headers: { authorization: "" } }));
  expect(await refusal(update({ id: "T-p", securityProfile: 2 }, ["security_profile"]))).toMatchObject({
    code: "FAILED_PRECONDITION",
    reason: "PASSWORD_NEEDED",
  });
  const both = { id: "T-p", securityProfile: 0, password: "0123456789abcdefghij" };
  expect(await refusal(update(both, ["security_profile", "password"]))).toMatchObject({ fields: ["charger.password"] });
  expect(await refusal(update({ id: "T-p" }, ["security_profile"]))).toMatchObject({ fields: ["charger.security_profile"] });
  expect(await update({ id: "T-p", password: "0123456789abcdefghij" }, ["password"])).toMatchObject({ securityProfile: 1 });
  expect((await site.charger("T-1")).securityProfile).toBe(1);
  const { chargers } = site.service;
  const seen = given((await call(chargers, chargers.getCharger, { id: "T-p" }, site.place.as("DRIVER"))).charger);
  expect([seen.securityProfile, seen.certificateName]).toEqual([undefined, ""]);
});
