import { constants, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { Socket } from "node:net";
import { createSecureContext, type SecureContextOptions, TLSSocket } from "node:tls";
import { watchCertificateFiles } from "@chargemesh/kit/certificate-files";
import { ConfigError } from "@chargemesh/kit/config";
import type { Logger } from "@chargemesh/kit/log";
import type { Stack } from "@chargemesh/kit/main";
import type { Line, ShownCertificate } from "../db/line.ts";

/** Where chargers come in by TLS, and the files by which, each PEM. */
export interface TlsOptions {
  /** host:port; port 0 means any free one. */
  address: string;
  /** Our certificates, each with its chain: one, or one for ECDSA and one for RSA. */
  certificates: readonly string[];
  /** Their keys, in the same order. */
  keys: readonly string[];
  /** The authorities of the chargers' certificates; without any no certificate counts, nor is one asked for. */
  clientCas: readonly string[];
  /** Whether in each of those files only the first certificate counts: the others are above it, and may have signed for anybody. */
  isFirstCaOnly: boolean;
}

/**
 * The cipher suites of the security whitepaper (section 2.5) and, before them, what is better: TLS 1.3, and ECDHE also with RSA. Those without
 * forward secrecy come last, for chargers that know nothing else.
 */
const CIPHERS = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "AES128-GCM-SHA256",
  "AES256-GCM-SHA384",
].join(":");
/** How long a charger may take for the handshake of TLS, in ms. */
const HANDSHAKE_MS = 10_000;

/**
 * A server for TLS that takes up what changes in its files; connections that are open stay. It asks for a certificate and takes whoever has
 * none or a bad one, so that they are told why they are refused. Throws ConfigError if the files cannot be used.
 */
export async function openTlsServer(options: TlsOptions, http: object, stack: Stack, log: Logger): Promise<Server> {
  const server = createServer({
    ...http,
    handshakeTimeout: HANDSHAKE_MS,
    requestCert: options.clientCas.length > 0,
    rejectUnauthorized: false,
  });
  const files = {
    where: "CHARGER_OCPP_TLS_CERT, CHARGER_OCPP_TLS_KEY, CHARGER_OCPP_TLS_CLIENT_CA",
    read: () => readFiles(options),
    faultOf,
    contentsOf: ({ cert, key, ca }: Found) => [...cert, ...key, ...ca],
    certificateOf: ({ cert: [first] }: Found) => first ?? Buffer.alloc(0),
    update: (found: Found) => use(server, contextOf(found)),
  };
  stack.defer("certificates of the OCPP port", await watchCertificateFiles(files, log));
  return server;
}

function use(server: Server, options: SecureContextOptions): void {
  server.setSecureContext(options);
  // Node leaves allowPartialTrustChain out of what it hands on here; without it nobody comes in by an authority below one that we do not know.
  Reflect.set(server, "_sharedCreds", createSecureContext(options));
}

interface Found {
  cert: Buffer[];
  key: Buffer[];
  /** Empty if no certificates of chargers are wanted. */
  ca: Buffer[];
}

async function readFiles({ certificates, keys, clientCas, isFirstCaOnly }: TlsOptions): Promise<Found> {
  const readAll = (files: readonly string[]): Promise<Buffer[]> => Promise.all(files.map((file) => readFile(file)));
  try {
    const [cert, key, ca] = await Promise.all([readAll(certificates), readAll(keys), readAll(clientCas)]);
    return { cert, key, ca: isFirstCaOnly ? ca.map(firstOf) : ca };
  } catch (cause) {
    const { message } = cause instanceof Error ? cause : { message: String(cause) };
    throw new ConfigError(`the certificates of the OCPP port cannot be read: ${message}`, { cause });
  }
}

/** The first certificate of a file; what has none stays as it is, and is found to be no good. */
function firstOf(pem: Buffer): Buffer {
  const END = "-----END CERTIFICATE-----";
  const end = pem.indexOf(END);
  return end < 0 ? pem : pem.subarray(0, end + END.length);
}

function contextOf({ cert, key, ca }: Found): SecureContextOptions {
  return {
    cert,
    key,
    // Without any, OpenSSL would trust every public authority; then no certificate is asked for.
    ...(ca.length === 0 ? {} : { ca }),
    // Who trusts an authority need not know the one above it.
    allowPartialTrustChain: true,
    sessionIdContext: "chargers",
    minVersion: "TLSv1.2",
    ciphers: CIPHERS,
    honorCipherOrder: true,
    // Every connection shows its certificate anew: one that has expired since must not come in by a ticket of before.
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION,
  };
}

/** What keeps them from being used; undefined if nothing does. */
function faultOf(found: Found): string | undefined {
  try {
    // Throws if certificate and key do not belong together, as for the moment in which one of them has been replaced.
    for (const [i, cert] of found.cert.entries()) createSecureContext({ ...contextOf(found), cert, key: found.key[i] });
    const ended = found.cert.map((pem) => new X509Certificate(pem).validToDate).find((time) => time.getTime() < Date.now());
    return ended && `a certificate ended on ${ended.toISOString()}`;
  } catch (err) {
    return err instanceof Error ? err.message : String(err);
  }
}

/** What a handshake came over. */
export function lineOf(socket: Socket): Line {
  if (!(socket instanceof TLSSocket)) return { isSecure: false, tlsVersion: "", tlsCipher: "", certificate: undefined };
  const certificate = socket.getPeerX509Certificate();
  // None before both have agreed on one, nor after the end.
  const cipher: { standardName: string } | undefined | null = socket.getCipher();
  return {
    isSecure: true,
    tlsVersion: socket.getProtocol() ?? "",
    tlsCipher: cipher?.standardName ?? "",
    certificate: certificate && readShown(certificate, socket.authorized ? "" : String(socket.authorizationError)),
  };
}

function readShown(certificate: X509Certificate, fault: string): ShownCertificate {
  const { subject, serialNumber, validToDate: expireTime } = certificate;
  return { subject: subject.replaceAll("\n", ", "), serialNumber, expireTime, names: namesOf(certificate), fault };
}

/**
 * Whom a certificate is for: its common name, which in the security whitepaper holds the charger's serial number, and its DNS names.
 * One with several common names has none.
 */
export function namesOf(certificate: X509Certificate): readonly string[] {
  const { CN } = certificate.toLegacyObject().subject;
  const names = certificate.subjectAltName ?? "";
  // Within quotes there may be what only looks like a name.
  const dnsNames = names.includes('"') ? [] : names.split(", ").flatMap((name) => (name.startsWith("DNS:") ? name.slice(4) : []));
  return [...(typeof CN === "string" ? [CN] : []), ...dnsNames];
}
