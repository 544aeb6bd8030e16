import { type ChannelCredentials, type ChannelOptions, Client, credentials as grpcCredentials } from "@grpc/grpc-js";

/**
 * Where services are: by the full name of a service, by a package (`library.v1` is for all services in and below it), or `*` for all.
 * The longest name counts. A value is a target as gRPC writes it (`localhost:50051`, `dns:///books:50051`, `ipv4:10.0.0.1:80,10.0.0.2:80`)
 * or a client of the caller's, which stays the caller's to close.
 */
export type Upstreams = Readonly<Record<string, string | Client>>;

export interface Clients {
  /** Undefined if no upstream is named for it. */
  of(service: string): Client | undefined;
  /** Closes the clients that were made here. */
  close(): void;
}

/** Makes one client a target. They connect when they are first used. */
export function openClients(upstreams: Upstreams, credentials?: ChannelCredentials, options?: ChannelOptions): Clients {
  const made = new Map<string, Client>();
  const open = (target: string): Client => {
    const client = made.get(target) ?? new Client(target, credentials ?? grpcCredentials.createInsecure(), options);
    made.set(target, client);
    return client;
  };
  return {
    of: (service) => {
      const names = service.split(".");
      for (let length = names.length; length > 0; length--) {
        const upstream = upstreams[names.slice(0, length).join(".")];
        if (upstream !== undefined) return typeof upstream === "string" ? open(upstream) : upstream;
      }
      const rest = upstreams["*"];
      return typeof rest === "string" ? open(rest) : rest;
    },
    close: () => {
      for (const client of made.values()) client.close();
    },
  };
}
