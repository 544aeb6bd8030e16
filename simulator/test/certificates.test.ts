// The library finds its parts by metadata that decorators write.
import "reflect-metadata";
import { createHash, X509Certificate } from "node:crypto";
import { Pkcs10CertificateRequest, X509CertificateGenerator } from "@peculiar/x509";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeAuthority } from "../../tools/certs/authority.ts";
import { connectCharger, type SimulatedCharger } from "../src/charger.ts";
import { type ScriptedCsms, startCsms } from "./scripted-csms.ts";

// Whom the charger trusts, and the certificate that it asks for.

let csms: ScriptedCsms;
let charger: SimulatedCharger;

beforeEach(async () => {
  csms = await startCsms();
  charger = await connectCharger({ url: csms.url, id: "CP-1", configuration: { CpoName: "Acme" } });
  await charger.boot();
  await charger.idle();
  csms.forget();
});
afterEach(async () => {
  await charger.close();
  await csms.close();
});

const result = async (action: string, payload: object) => (await csms.ask(action, payload))[2];
const within = (from: number, until: number) => ({ notBefore: new Date(Date.now() + from), notAfter: new Date(Date.now() + until) });

test("roots are installed, listed by their names, and deleted", async () => {
  const certificateType = "CentralSystemRootCertificate";
  const { certificate } = await makeAuthority(within(-1_000, 60_000));
  expect(await result("GetInstalledCertificateIds", { certificateType })).toEqual({ status: "NotFound" });
  expect(await result("InstallCertificate", { certificateType, certificate })).toEqual({ status: "Accepted" });
  expect(await result("InstallCertificate", { certificateType, certificate })).toEqual({ status: "Accepted" });
  const listed = (await result("GetInstalledCertificateIds", { certificateType })) as { certificateHashData: Record<string, string>[] };
  const { serialNumber, publicKey } = new X509Certificate(certificate);
  // The key alone: the 65 bytes of a point on P-256.
  const point = publicKey.export({ format: "der", type: "spki" }).subarray(-65);
  const issuerKeyHash = createHash("sha256").update(point).digest("hex");
  expect(listed).toMatchObject({ status: "Accepted", certificateHashData: [{ hashAlgorithm: "SHA256", serialNumber, issuerKeyHash }] });
  const [certificateHashData] = listed.certificateHashData;
  expect(await result("DeleteCertificate", { certificateHashData: { ...certificateHashData, serialNumber: "99" } })).toEqual({
    status: "NotFound",
  });
  expect(await result("DeleteCertificate", { certificateHashData })).toEqual({ status: "Accepted" });
  expect(await result("GetInstalledCertificateIds", { certificateType })).toEqual({ status: "NotFound" });
});

test("what is no certificate, or not good now, is rejected and reported", async () => {
  const certificateType = "CentralSystemRootCertificate";
  const { certificate: old } = await makeAuthority(within(-60_000, -1_000));
  for (const certificate of ["none", old]) {
    expect(await result("InstallCertificate", { certificateType, certificate })).toEqual({ status: "Rejected" });
    expect((await csms.next("SecurityEventNotification")).payload).toMatchObject({ type: "InvalidCentralSystemCertificate" });
  }
});

test("it asks for a certificate of its own when it is triggered, and takes only that", async () => {
  expect(await result("ExtendedTriggerMessage", { requestedMessage: "SignChargePointCertificate" })).toEqual({ status: "Accepted" });
  const { payload } = await csms.next("SignCertificate");
  const csr = new Pkcs10CertificateRequest(String(payload.csr));
  expect([csr.subject, await csr.verify()]).toEqual(["CN=CP-1, O=Acme", true]);

  const { certificate: other } = await makeAuthority(within(-1_000, 60_000), "CP-1");
  expect(await result("CertificateSigned", { certificateChain: other })).toEqual({ status: "Rejected" });
  expect((await csms.next("SecurityEventNotification")).payload).toMatchObject({ type: "InvalidChargePointCertificate" });

  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const ca = await crypto.subtle.generateKey(algorithm, false, ["sign", "verify"]);
  const leaf = await X509CertificateGenerator.create({
    ...within(-1_000, 60_000),
    subject: csr.subject,
    issuer: "CN=Chargers",
    publicKey: csr.publicKey,
    signingKey: ca.privateKey,
    signingAlgorithm: algorithm,
  });
  expect(await result("CertificateSigned", { certificateChain: leaf.toString("pem") })).toEqual({ status: "Accepted" });
  expect(charger.state.certificates.own?.chain).toBe(leaf.toString("pem"));
});
