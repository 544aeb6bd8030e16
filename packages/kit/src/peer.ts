import type { ServerHttp2Session } from "node:http2";
import type { ServerUnaryCall } from "@grpc/grpc-js";
import type { Access } from "./access-rule.ts";
import type { Caller } from "./identity.ts";

/** Who is at the other end of a TLS connection. */
export interface Peer {
  /** The service that its certificate names. Undefined if it shows none that our authority has signed. */
  readonly service: string | undefined;
}

type IncomingCall = Pick<ServerUnaryCall<object, object>, "getAuthContext">;

/** A connection is ended this long before the certificate that it was made with does, so that the next one is made with a newer, in ms. */
const RENEWAL_MS = 60_000;
const NOBODY: Peer = { service: undefined };
const peers = new WeakMap<object, Peer & { endTime: number }>();

/** Who is at the other end of the TLS connection of `call`. The certificate is read once a connection. */
export function peerOf(call: IncomingCall): Peer {
  const session = sessionOf(call);
  const peer = (session && peers.get(session)) ?? readPeer(call);
  if (session === undefined) return peer;
  peers.set(session, peer);
  const left = peer.endTime - Date.now();
  // Calls in hand are answered; the client has been told to connect anew.
  if (left < RENEWAL_MS) session.close();
  return left > 0 ? peer : NOBODY;
}

/**
 * Who calls over TLS: a user as they have shown; a service is who its certificate says, and no signed token counts. It says who calls, and not
 * for whom: that of the gateway comes with everybody's calls. So only rpcs for services look at it.
 */
export function callerOverTls(shown: Caller, call: IncomingCall, access: Access): Caller {
  if (shown.kind === "user") return shown;
  const { service } = access.level === "SERVICE" ? peerOf(call) : NOBODY;
  return service === undefined ? { kind: "anonymous" } : { kind: "service", name: service };
}

/** Of a certificate that is not ours grpc-js says nothing, as if there were none. */
function readPeer(call: IncomingCall): Peer & { endTime: number } {
  const { sslPeerCertificate: certificate } = call.getAuthContext();
  if (certificate === undefined) return { ...NOBODY, endTime: Number.POSITIVE_INFINITY };
  return { service: serviceNameIn(certificate.subjectaltname), endTime: Date.parse(certificate.valid_to) };
}

/**
 * grpc-js does not show the connection of a call, and parses the certificate anew whenever it is asked, which costs as much as the rest of a
 * small call. Undefined if it keeps the connection elsewhere than it did; then each call costs that.
 */
function sessionOf(call: object): ServerHttp2Session | undefined {
  const inside = (at: unknown, name: string): unknown => (typeof at === "object" && at !== null ? Reflect.get(at, name) : undefined);
  const found = ["call", "stream", "session"].reduce(inside, call);
  return isSession(found) ? found : undefined;
}

function isSession(found: unknown): found is ServerHttp2Session {
  return typeof found === "object" && found !== null && "goaway" in found;
}

/** The service that a certificate names by its one URI, `spiffe://chargemesh/{service}`. `names` as Node writes a SubjectAltName. */
export function serviceNameIn(names: string | undefined): string | undefined {
  // Within quotes there may be what only looks like a name.
  if (names === undefined || names.includes('"')) return undefined;
  const [uri = "", another] = names.split(", ").filter((name) => name.startsWith("URI:"));
  return another === undefined ? /^URI:spiffe:\/\/chargemesh\/([a-z][a-z0-9-]*)$/.exec(uri)?.[1] : undefined;
}
