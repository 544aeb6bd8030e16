import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { errorBody, type Failure } from "./errors.ts";

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

/** A Fastify `clientErrorHandler`: answers what is no HTTP request in the one shape, and closes the connection. */
export function clientErrorHandler(domain: string) {
  return (error: NodeJS.ErrnoException, socket: Socket): void => {
    if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
    const failure = known[error.code ?? ""] ?? malformed;
    const body = JSON.stringify(errorBody(failure, domain));
    const status = failure.httpStatus ?? 400;
    const head = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      "content-type: application/json; charset=utf-8",
      `content-length: ${Buffer.byteLength(body)}`,
      "connection: close",
    ];
    socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
  };
}
