import { openClient } from "@chargemesh/kit/grpc-client";
import type { Transport } from "@chargemesh/kit/transport";
import { upstreamOf } from "@chargemesh/transcoder/upstreams";
import { Client } from "@grpc/grpc-js";
import type { Config } from "./config.ts";

/** Who answers for our packages. */
const callees: Readonly<Record<string, string>> = {
  "chargemesh.auth": "auth-service",
  "chargemesh.audit": "auth-service",
  "chargemesh.charger": "charger-service",
  "chargemesh.email": "email-service",
};

/** The service of ours that has to be where this service or package is. Undefined if it is somebody else's. */
export function calleeOf(name: string): string | undefined {
  return upstreamOf(callees, name);
}

/** A client of each upstream, under the same names. They connect when they are first used; whoever has them closes them. */
export function openUpstreams(upstreams: Config["upstreams"], transport: Transport): Readonly<Record<string, Client>> {
  return Object.fromEntries(
    Object.entries(upstreams).map(([name, target]) => [name, openClient(Client, target, transport, calleeOf(name))]),
  );
}
