import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { FORWARDER } from "@chargemesh/kit/forwarding";
import type { Knock } from "../db/connection.ts";
import type { Line } from "../db/line.ts";
import { lineOf } from "./tls.ts";

/** When a charger that is refused only for now may come again. */
const RETRY_AFTER_SECONDS = 60;

/** Who knocks with this handshake, and what they show. `isGateway` says whether a proof is the gateway's. */
export function readKnock(request: IncomingMessage, isGateway: (proof: string) => boolean): Knock & { authorization: string } {
  const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
  const remoteAddress = request.socket.remoteAddress ?? "";
  const forwarded = request.headers["x-forwarded-for"];
  const proof = request.headers[FORWARDER];
  const isForwarded = typeof proof === "string" && isGateway(proof);
  // Besides the gateway only a proxy on this machine is believed, and only for the address.
  const isBelieved = isForwarded || /^(127\.|::1$|::ffff:127\.)/.test(remoteAddress);
  return {
    line: isForwarded ? forwardedLine(request) : lineOf(request.socket),
    chargerId: decode(path.slice(path.lastIndexOf("/") + 1)),
    authorization: request.headers.authorization ?? "",
    remoteAddress: isBelieved && typeof forwarded === "string" ? (forwarded.split(",").at(-1) ?? "").trim() : remoteAddress,
    offeredProtocols: (request.headers["sec-websocket-protocol"] ?? "").split(",").flatMap((one) => one.trim() || []),
  };
}

/** The gateway says whether the way to it, or to a proxy that it trusts, was TLS. No certificate comes that way. */
function forwardedLine({ headers }: IncomingMessage): Line {
  return { isSecure: headers["x-forwarded-proto"] === "https", tlsVersion: "", tlsCipher: "", certificate: undefined };
}

/** Percent-decoded; what cannot be decoded stays as it is, and is no identity. */
function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** Answers a handshake with a refusal that a person can read, for chargers show their logs to people. */
export function refuse(socket: Duplex, status: number, reason: string, message: string): void {
  const body = JSON.stringify({ error: { code: status, reason, message } });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(status === 401 ? ['WWW-Authenticate: Basic realm="OCPP", charset="UTF-8"'] : []),
    ...(status === 429 || status === 503 ? [`Retry-After: ${RETRY_AFTER_SECONDS}`] : []),
    "Connection: close",
  ];
  // Whoever never closes their side would keep it from ending.
  socket.once("finish", () => socket.destroy());
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}
