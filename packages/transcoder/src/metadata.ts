import { Metadata } from "@grpc/grpc-js";
import type { FastifyReply, FastifyRequest } from "fastify";
import { RestError } from "./errors.ts";

/** Headers that cross to the services unless the options say otherwise. */
export const FORWARDED = ["authorization", "last-event-id", "traceparent", "tracestate", "x-request-id"] as const;

/** Metadata that comes back as headers unless the options say otherwise. */
export const RETURNED = ["cache-control", "content-disposition", "content-language", "link", "location", "retry-after"] as const;

/** What belongs to one hop or to one protocol, and means nothing or harm in the other. */
const own =
  /^(?:grpc-.*|:.*|.*-bin|connection|content-encoding|content-length|content-type|host|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade)$/;

export type MetadataOf = (request: FastifyRequest) => Metadata;

/** Sets what comes back, unless the answer has begun. */
export type Returned = (metadata: Metadata, reply: FastifyReply) => void;

/**
 * Compiles what crosses from HTTP to gRPC: the headers of the allow-list, and over them what `extra` says. A value that gRPC's metadata
 * cannot hold is the caller's fault. Throws if the list has a header that cannot cross.
 */
export function metadataFrom(
  headers: readonly string[],
  extra: ((request: FastifyRequest) => Readonly<Record<string, string>>) | undefined,
): MetadataOf {
  const names = headers.map(crossing);
  return (request) => {
    const metadata = new Metadata();
    for (const name of names) {
      const value = request.headers[name];
      if (value !== undefined) set(metadata, name, Array.isArray(value) ? value.join(", ") : value);
    }
    if (extra !== undefined) for (const [name, value] of Object.entries(extra(request))) set(metadata, name, value);
    return metadata;
  };
}

/** Compiles what crosses from gRPC to HTTP. Throws if the list has a header that cannot cross. */
export function headersFrom(allowed: readonly string[]): Returned {
  const names = allowed.map(crossing);
  return (metadata, reply) => {
    if (reply.sent) return;
    for (const name of names) {
      const values = metadata.get(name);
      if (values.length > 0) reply.header(name, values.join(", "));
    }
  };
}

function crossing(header: string): string {
  const name = header.toLowerCase();
  if (own.test(name) || !/^[!#$%&'*+.^_`|~\w-]+$/.test(name)) throw new Error(`The header ${header} cannot be passed on.`);
  return name;
}

function set(metadata: Metadata, name: string, value: string): void {
  if (!/^[ -~]*$/.test(value)) {
    throw new RestError({ code: "INVALID_ARGUMENT", reason: "INVALID_HEADER", message: `The header ${name} holds more than ASCII.` });
  }
  metadata.set(name, value);
}
