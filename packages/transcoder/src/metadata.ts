import { Metadata } from "@grpc/grpc-js";
import type { FastifyRequest } from "fastify";
import { RestError } from "./errors.ts";

/** Headers that cross to the services unless the options say otherwise. */
export const FORWARDED = ["authorization", "last-event-id", "traceparent", "tracestate", "x-request-id"] as const;

export type MetadataOf = (request: FastifyRequest) => Metadata;

/**
 * Compiles what crosses from HTTP to gRPC: the headers of the allow-list, and over them what `extra` says. A value that gRPC's metadata
 * cannot hold is the caller's fault.
 */
export function metadataFrom(
  headers: readonly string[],
  extra: ((request: FastifyRequest) => Readonly<Record<string, string>>) | undefined,
): MetadataOf {
  const names = headers.map((name) => name.toLowerCase());
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

function set(metadata: Metadata, name: string, value: string): void {
  if (!/^[ -~]*$/.test(value)) {
    throw new RestError({ code: "INVALID_ARGUMENT", reason: "INVALID_HEADER", message: `The header ${name} holds more than ASCII.` });
  }
  metadata.set(name, value);
}
