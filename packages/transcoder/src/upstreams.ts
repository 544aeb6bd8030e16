import { type ChannelCredentials, type ChannelOptions, Client, credentials as grpcCredentials } from "@grpc/grpc-js";
import { targetOf } from "./replicas.ts";

/**
 * Where services are: by the full name of a service, by a package (`library.v1` is for all services in and below it), or `*` for all.
 * The longest name counts. A value is a target as gRPC writes it (`localhost:50051`, `dns:///books:50051`), the addresses of several
 * replicas, or a client of the caller's, which stays the caller's to close.
 */
export type Upstreams = Readonly<Record<string, string | readonly string[] | Client>>;

/** Calls go to all replicas in turn. */
const roundRobin: ChannelOptions = { "grpc.service_config": JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }) };

/** What is given for a service; undefined if nothing is. */
export function upstreamOf<Upstream>(upstreams: Readonly<Record<string, Upstream>>, service: string): Upstream | undefined {
  const names = service.split(".");
  for (let length = names.length; length > 0; length--) {
    const upstream = upstreams[names.slice(0, length).join(".")];
    if (upstream !== undefined) return upstream;
  }
  return upstreams["*"];
}

export interface Clients {
  /** Undefined if no upstream is named for it. */
  of(service: string): Client | undefined;
  /** Closes the clients that were made here. */
  close(): void;
}

/** Makes one client a target. They connect when they are first used. */
export function openClients(upstreams: Upstreams, credentials?: ChannelCredentials, options = roundRobin): Clients {
  const made = new Map<string, Client>();
  const open = (target: string): Client => {
    const client = made.get(target) ?? new Client(target, credentials ?? grpcCredentials.createInsecure(), options);
    made.set(target, client);
    return client;
  };
  return {
    of: (service) => {
      const upstream = upstreamOf(upstreams, service);
      if (upstream === undefined || upstream instanceof Client) return upstream;
      return open(typeof upstream === "string" ? upstream : targetOf(upstream));
    },
    close: () => {
      for (const client of made.values()) client.close();
    },
  };
}
