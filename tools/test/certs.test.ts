import { X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { readAuthority } from "charger-service/src/domain/authority.ts";
import { expect, test } from "vitest";
import { keepCertificates, keepChargersAuthority, keepOcppCertificate, NAMES } from "../certs/keep.ts";
import { freshFolder } from "./folder.ts";

const DAY_MS = 24 * 3_600_000;
const now = new Date();
const after = (days: number): Date => new Date(now.getTime() + days * DAY_MS);

/** Which certificates are made anew `days` from now, after they were made for `hosts`. */
async function madeAnew(dir: string, days: number, hosts: readonly string[] = []): Promise<string[]> {
  return (await keepCertificates(dir, hosts, after(days))).filter(({ isNew }) => isNew).map(({ name }) => name);
}

function read(dir: string, name: string): X509Certificate {
  return new X509Certificate(readFileSync(join(dir, name, "tls.crt")));
}

test("each name gets a certificate of the authority, for itself, as server and client, with a key for the owner's eyes", async () => {
  const dir = freshFolder();
  expect(await madeAnew(dir, 0, ["10.0.0.5", "mesh.example.org"])).toEqual([...NAMES]);
  const authority = new X509Certificate(readFileSync(join(dir, "ca.crt")));
  expect([authority.ca, authority.verify(authority.publicKey)]).toEqual([true, true]);
  for (const name of NAMES) {
    const certificate = read(dir, name);
    expect(certificate.checkIssued(authority) && certificate.verify(authority.publicKey)).toBe(true);
    expect([certificate.ca, certificate.subjectAltName]).toEqual([
      false,
      `URI:spiffe://chargemesh/${name}, DNS:${name}, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, IP Address:10.0.0.5, DNS:mesh.example.org`,
    ]);
    // serverAuth, clientAuth
    expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
    expect(readFileSync(join(dir, name, "ca.crt"), "utf8")).toBe(readFileSync(join(dir, "ca.crt"), "utf8"));
  }
  const keys = ["ca.key", ...NAMES.map((name) => join(name, "tls.key"))];
  expect(keys.map((key) => statSync(join(dir, key)).mode & 0o777)).toEqual(keys.map(() => 0o600));
});

test("a certificate stays until it ends soon, and the authority stays", async () => {
  const dir = freshFolder();
  await madeAnew(dir, 0);
  const authority = readFileSync(join(dir, "ca.crt"), "utf8");
  const before = read(dir, "gateway").fingerprint256;
  expect(await madeAnew(dir, 59)).toEqual([]);
  expect(read(dir, "gateway").fingerprint256).toBe(before);
  expect(await madeAnew(dir, 61)).toEqual([...NAMES]);
  expect(read(dir, "gateway").validToDate.getTime()).toBeGreaterThan(after(150).getTime());
  expect(readFileSync(join(dir, "ca.crt"), "utf8")).toBe(authority);
});

test("one that lacks a host is made anew; one with more than is wanted stays", async () => {
  const dir = freshFolder();
  await madeAnew(dir, 0, ["a.example.org"]);
  expect(await madeAnew(dir, 0)).toEqual([]);
  expect(await madeAnew(dir, 0, ["b.example.org"])).toEqual([...NAMES]);
});

test("an authority that would end before what it signs is replaced, and everything with it", async () => {
  const dir = freshFolder();
  await madeAnew(dir, 0);
  const authority = readFileSync(join(dir, "ca.crt"), "utf8");
  expect(await madeAnew(dir, 3_600)).toEqual([...NAMES]);
  expect(readFileSync(join(dir, "ca.crt"), "utf8")).not.toBe(authority);
});

test("chargers have an authority of their own, which stays", async () => {
  const dir = freshFolder();
  await madeAnew(dir, 0);
  const folder = join(dir, "charger-service");
  expect(await keepChargersAuthority(folder, now)).toMatchObject({ isNew: true });
  expect(await keepChargersAuthority(folder, after(300))).toMatchObject({ isNew: false });
  const [certificate, key] = ["crt", "key"].map((kind) => readFileSync(join(folder, `chargers-ca.${kind}`), "utf8"));
  expect(readAuthority(certificate ?? "", key ?? "", now)).toMatchObject({ chain: "" });
  expect(read(dir, "charger-service").verify(new X509Certificate(certificate ?? "").publicKey)).toBe(false);
  expect(statSync(join(folder, "chargers-ca.key")).mode & 0o777).toBe(0o600);
});

test("the port for chargers has a certificate of their authority, for servers only, which is renewed in time", async () => {
  const dir = freshFolder();
  expect(await keepOcppCertificate(dir, ["csms.example.org"], now)).toMatchObject({ name: "ocpp", isNew: true });
  const [authority, certificate] = ["chargers-ca", "ocpp"].map((name) => new X509Certificate(readFileSync(join(dir, `${name}.crt`))));
  expect(authority && certificate?.verify(authority.publicKey)).toBe(true);
  expect([certificate?.checkHost("csms.example.org"), certificate?.checkIP("127.0.0.1")]).toEqual(["csms.example.org", "127.0.0.1"]);
  // serverAuth
  expect(certificate?.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
  expect(await keepOcppCertificate(dir, ["csms.example.org"], after(59))).toMatchObject({ isNew: false });
  expect(await keepOcppCertificate(dir, ["csms.example.org"], after(61))).toMatchObject({ isNew: true });
});
