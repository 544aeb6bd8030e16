import { ErrorInfo } from "@chargemesh/contracts/google/rpc/error_details";
import { Status } from "@chargemesh/contracts/google/rpc/status";
import { upstreamOf } from "@chargemesh/transcoder/upstreams";
import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { readConfig } from "gateway/src/config.ts";
import type { Env } from "../env.ts";
import type { Binding, Rpc } from "./contract.ts";

/** What a caller shows: headers of REST, metadata of gRPC. */
export type Headers = Readonly<Record<string, string>>;

/** How a call ended. */
export interface End {
  /** "OK", or the code and the reason of the refusal; a stream is OK once it is live. */
  code: string;
  /** What was answered, as the door writes it: bytes of gRPC, JSON of REST. */
  answer: Buffer;
}

const DEADLINE_MS = 20_000;
const NOTHING = Buffer.alloc(0);

/** The gRPC port of every service. */
export interface GrpcDoor {
  /** Calls straight at the service, with a request of these bytes. */
  call(rpc: Pick<Rpc, "path" | "streams">, headers: Headers, request?: Uint8Array): Promise<End>;
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
    call: ({ path, streams }, headers, request = NOTHING) => {
      const metadata = new Metadata();
      for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
      const asIs = (bytes: Buffer): Buffer => bytes;
      const args = [path, asIs, asIs, Buffer.from(request), metadata, { deadline: Date.now() + DEADLINE_MS }] as const;
      return new Promise((resolve) => {
        const refused = (err: ServiceError): void => resolve({ code: codeOf(err), answer: NOTHING });
        if (!streams) {
          clientOf(path).makeUnaryRequest(...args, (err: ServiceError | null, answer = NOTHING) => {
            if (err === null) resolve({ code: "OK", answer });
            else refused(err);
          });
          return;
        }
        const stream = clientOf(path).makeServerStreamRequest(...args);
        stream.on("metadata", () => {
          resolve({ code: "OK", answer: NOTHING });
          stream.cancel();
        });
        stream.on("error", refused);
        stream.resume();
      });
    },
    close: () => {
      for (const client of clients.values()) client.close();
    },
  };
}

function codeOf({ code, metadata }: ServiceError): string {
  const [bytes] = metadata?.get("grpc-status-details-bin") ?? [];
  const details = Buffer.isBuffer(bytes) ? Status.decode(bytes).details : [];
  const info = details.find(({ typeUrl }) => typeUrl.endsWith(ErrorInfo.$type))?.value;
  return info === undefined ? String(status[code]) : `${status[code]} ${ErrorInfo.decode(info).reason}`;
}

/** A request as JSON: strings by the name of the field, as REST has it. */
export type Fields = Readonly<Record<string, string>>;

/** Calls over REST. `fields` fill the variables of the path (as they stand, percent-encoded), and what is left of them goes into body or query. */
export async function callRest(url: string, { method, template, takesBody }: Binding, headers: Headers, fields: Fields): Promise<End> {
  const left = new Map(Object.entries(fields));
  const path = template.replace(/\{([^}]+)\}/g, (_variable, name: string) => {
    const field = name.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
    const value = left.get(field);
    left.delete(field);
    return value ?? fields["*"] ?? "";
  });
  left.delete("*");
  const query = takesBody || left.size === 0 ? "" : `?${new URLSearchParams([...left])}`;
  const response = await fetch(url + path + query, {
    method,
    headers: { ...headers, ...(takesBody ? { "content-type": "application/json" } : {}) },
    ...(takesBody ? { body: JSON.stringify(Object.fromEntries(left)) } : {}),
  });
  if (response.headers.get("content-type")?.startsWith("text/event-stream")) {
    await response.body?.cancel();
    return { code: "OK", answer: NOTHING };
  }
  const answer = Buffer.from(await response.arrayBuffer());
  if (response.ok) return { code: "OK", answer };
  const { error } = JSON.parse(answer.toString()) as { error: { code: number; status: string; details: { reason?: string }[] } };
  if (error.code !== response.status) throw new Error(`the answer says ${error.code} and is ${response.status}`);
  return { code: `${error.status} ${error.details[0]?.reason}`, answer };
}
