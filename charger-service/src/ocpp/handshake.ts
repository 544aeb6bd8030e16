import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { Knock } from "../db/connection.ts";

/** When a charger that is refused only for now may come again. */
const RETRY_AFTER_SECONDS = 60;

/** Who knocks with this handshake, and what they show. */
export function readKnock(request: IncomingMessage): Knock & { authorization: string } {
  const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
  const remoteAddress = request.socket.remoteAddress ?? "";
  const forwarded = request.headers["x-forwarded-for"];
  // Only a proxy on this machine is believed.
  const isLocal = /^(127\.|::1$|::ffff:127\.)/.test(remoteAddress);
  return {
    chargerId: decode(path.slice(path.lastIndexOf("/") + 1)),
    authorization: request.headers.authorization ?? "",
    remoteAddress: isLocal && typeof forwarded === "string" ? (forwarded.split(",").at(-1) ?? "").trim() : remoteAddress,
    offeredProtocols: (request.headers["sec-websocket-protocol"] ?? "").split(",").flatMap((one) => one.trim() || []),
  };
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
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}
