import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { errorBody, type Failure } from "@chargemesh/transcoder/errors";
import { DOMAIN } from "./error-domain.ts";

const known: Readonly<Record<string, Failure>> = {
  HPE_HEADER_OVERFLOW: {
    code: "INVALID_ARGUMENT",
    reason: "HEADERS_TOO_LARGE",
    message: "The headers are larger than 16 KiB.",
    httpStatus: 431,
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    code: "DEADLINE_EXCEEDED",
    reason: "REQUEST_TIMEOUT",
    message: "The request did not arrive in time.",
    httpStatus: 408,
  },
};
const malformed: Failure = { code: "INVALID_ARGUMENT", reason: "MALFORMED_REQUEST", message: "That is no HTTP request." };

/** Answers what is no HTTP request, for Fastify's `clientErrorHandler`: in the one shape, and then closes the connection. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || socket.destroyed || !socket.writable) return void socket.destroy();
  const failure = known[error.code ?? ""] ?? malformed;
  const body = JSON.stringify(errorBody(failure, DOMAIN));
  const status = failure.httpStatus ?? 400;
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    "content-type: application/json; charset=utf-8",
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}
