// The library finds its parts by metadata that decorators write.
import "reflect-metadata";
import { generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { X509CertificateGenerator } from "@peculiar/x509";

const RSA = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
const EC = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** A key that signs firmware, and its certificate, as PEM. */
export async function makeFirmwareKey(kind: "rsa" | "ec"): Promise<{ key: string; certificate: string }> {
  const pair = kind === "rsa" ? generateKeyPairSync("rsa", { modulusLength: 2048 }) : generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = kind === "rsa" ? RSA : EC;
  const keys = {
    publicKey: await pair.publicKey.toCryptoKey(algorithm, true, ["verify"]),
    privateKey: await pair.privateKey.toCryptoKey(algorithm, false, ["sign"]),
  };
  const certificate = await X509CertificateGenerator.createSelfSigned({ name: "CN=Acme Firmware", keys, signingAlgorithm: algorithm });
  return { key: String(pair.privateKey.export({ type: "pkcs8", format: "pem" })), certificate: certificate.toString("pem") };
}

/** Writes both into files, and answers the settings that name them. */
export async function keepFirmwareKey(folder: string, { key, certificate }: { key: string; certificate: string }) {
  const settings = { OCPP_FIRMWARE_KEY: join(folder, "firmware.key"), OCPP_FIRMWARE_CERT: join(folder, "firmware.crt") };
  await writeFile(settings.OCPP_FIRMWARE_KEY, key);
  await writeFile(settings.OCPP_FIRMWARE_CERT, certificate);
  return settings;
}
