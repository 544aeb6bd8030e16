import { ErrorInfo } from "@chargemesh/contracts/google/rpc/error_details";
import { Status } from "@chargemesh/contracts/google/rpc/status";
import { upstreamOf } from "@chargemesh/transcoder/upstreams";
import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { readConfig } from "gateway/src/config.ts";
import type { Env } from "../env.ts";
import type { Binding, Rpc } from "./contract.ts";

/** What a caller shows: headers of REST, metadata of gRPC. */
export type Headers = Readonly<Record<string, string>>;

const DEADLINE_MS = 20_000;

/** The gRPC port of every service. */
export interface GrpcDoor {
  /** Calls straight at the service, with a request of these bytes. Answers "OK", or the code and the reason of the refusal; a stream is OK once it is live. */
  call(rpc: Pick<Rpc, "path" | "streams">, headers: Headers, request?: Uint8Array): Promise<string>;
  close(): void;
}

export function openGrpc({ grpc, vars }: Pick<Env, "grpc" | "vars">): GrpcDoor {
  // Which service serves what, the gateway knows.
  const targets = { AUTH_GRPC_TARGET: grpc.auth, CHARGER_GRPC_TARGET: grpc.charger, EMAIL_GRPC_TARGET: grpc.email };
  const { upstreams } = readConfig({ ...vars, ...targets });
  const clients = new Map<string, Client>();
  const clientOf = (path: string): Client => {
    const target = upstreamOf(upstreams, path.split("/")[1] ?? "");
    if (target === undefined) throw new Error(`nobody serves ${path}`);
    const client = clients.get(target) ?? new Client(target, credentials.createInsecure());
    clients.set(target, client);
    return client;
  };
  return {
    call: ({ path, streams }, headers, request = new Uint8Array()) => {
      const metadata = new Metadata();
      for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
      const asIs = (bytes: Buffer): Buffer => bytes;
      const args = [path, asIs, asIs, Buffer.from(request), metadata, { deadline: Date.now() + DEADLINE_MS }] as const;
      return new Promise((resolve) => {
        if (!streams) {
          clientOf(path).makeUnaryRequest(...args, (err: ServiceError | null) => resolve(err === null ? "OK" : endOf(err)));
          return;
        }
        const stream = clientOf(path).makeServerStreamRequest(...args);
        stream.on("metadata", () => {
          resolve("OK");
          stream.cancel();
        });
        stream.on("error", (err: ServiceError) => resolve(endOf(err)));
        stream.resume();
      });
    },
    close: () => {
      for (const client of clients.values()) client.close();
    },
  };
}

function endOf({ code, metadata }: ServiceError): string {
  const [bytes] = metadata?.get("grpc-status-details-bin") ?? [];
  const details = Buffer.isBuffer(bytes) ? Status.decode(bytes).details : [];
  const info = details.find(({ typeUrl }) => typeUrl.endsWith(ErrorInfo.$type))?.value;
  return info === undefined ? String(status[code]) : `${status[code]} ${ErrorInfo.decode(info).reason}`;
}

/** Calls over REST, with `value` for every variable of the path. Answers as the gRPC door does. */
export async function callRest(url: string, { method, template, takesBody }: Binding, headers: Headers, value: string): Promise<string> {
  const response = await fetch(url + template.replace(/\{[^}]+\}/g, value), {
    method,
    headers: { ...headers, ...(takesBody ? { "content-type": "application/json" } : {}) },
    ...(takesBody ? { body: "{}" } : {}),
  });
  if (response.ok) {
    // A stream would not end.
    await response.body?.cancel();
    return "OK";
  }
  const { error } = (await response.json()) as { error: { code: number; status: string; details: { reason?: string }[] } };
  if (error.code !== response.status) throw new Error(`the answer says ${error.code} and is ${response.status}`);
  return `${error.status} ${error.details[0]?.reason}`;
}
