import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";
import type { Metadata } from "@grpc/grpc-js";
import type { Peer } from "./peer.ts";

/** The metadata key of the address that a call is made for. */
const FORWARDED_FOR = "x-forwarded-for";
/** The metadata key, or header, by which its word for that address is believed. It says nothing of who calls: that is the user, or nobody. */
export const FORWARDER = "x-chargemesh-forwarder";
/** The metadata key of the program that a call is made for, by its own word. */
const FORWARDED_USER_AGENT = "x-forwarded-user-agent";
const USER_AGENT_MAX = 256;
/** How long a proof holds, in s. Half of that before its end a new one is made, so that clocks may differ by as much. */
const PROOF_SECONDS = 60;

/**
 * What the gateway says of the address that it calls for, as metadata or as headers. The proof is the same for half a minute, so that a call costs nothing.
 */
export function makeForwarding(meshSecret: string): (address: string) => Readonly<Record<string, string>> {
  const key = keyOf(meshSecret);
  let proof = "";
  let renewTime = 0;
  return (address) => {
    const now = Date.now();
    if (now >= renewTime) {
      const seconds = String(Math.ceil(now / 1000) + PROOF_SECONDS);
      proof = `${seconds}.${macOf(key, seconds).toString("base64url")}`;
      renewTime = now + PROOF_SECONDS * 500;
    }
    return { [FORWARDED_FOR]: address, [FORWARDER]: proof };
  };
}

/** The part of a call that says where it came from. */
interface Incoming {
  metadata: Metadata;
  /** The other end of the connection: "192.0.2.1:4711", "[2001:db8::1]:4711". */
  getPeer(): string;
}

/**
 * The address that a call was made for: what the gateway says, else that of the other end. `peer` is who is there by certificate, where there
 * are some; then no proof counts.
 */
export type RemoteAddressOf = (call: Incoming, peer?: Peer) => string;

/** Proofs that were found good and have not ended; each replica of the gateway has a new one now and then. */
const PROVEN_MAX = 100;

/** Whether this proves that it is the gateway who says for whom it asks. */
export function makeIsForwarder(meshSecret: string): (proof: string) => boolean {
  const key = keyOf(meshSecret);
  const proven = new Map<string, number>();
  return (proof) => {
    const now = Date.now();
    const expireTime = proven.get(proof) ?? expireTimeOf(key, proof);
    if (expireTime <= now) return false;
    if (proven.size >= PROVEN_MAX) proven.clear();
    proven.set(proof, expireTime);
    return true;
  };
}

export function makeRemoteAddressOf(meshSecret: string): RemoteAddressOf {
  const isProven = makeIsForwarder(meshSecret);
  const isByGateway = (call: Incoming, peer: Peer | undefined): boolean => {
    if (peer !== undefined) return peer.service === "gateway";
    const proof = call.metadata.get(FORWARDER)[0];
    return typeof proof === "string" && isProven(proof);
  };
  return (call, peer) => {
    const address = call.metadata.get(FORWARDED_FOR)[0];
    if (typeof address === "string" && isIP(address) !== 0 && isByGateway(call, peer)) return plain(address);
    return plain(
      call
        .getPeer()
        .replace(/:\d+$/, "")
        .replace(/^\[|\]$/g, ""),
    );
  };
}

/** When a proof ends, in ms since 1970; 0 if it is not one of ours. */
function expireTimeOf(key: Buffer, proof: string): number {
  const [, seconds, mac] = /^(\d{1,12})\.([\w-]{43})$/.exec(proof) ?? [];
  if (seconds === undefined || mac === undefined) return 0;
  return timingSafeEqual(macOf(key, seconds), Buffer.from(mac, "base64url")) ? Number(seconds) * 1000 : 0;
}

/** Of when the proof ends, in s since 1970. */
function macOf(key: Buffer, seconds: string): Buffer {
  return createHmac("sha256", key).update(seconds).digest();
}

/** A key of its own, so that this proof is good for nothing else that MESH_SECRET proves. */
function keyOf(meshSecret: string): Buffer {
  return Buffer.from(hkdfSync("sha256", meshSecret, "", "chargemesh forwarding", 32));
}

/** An IPv4 address that came over a socket of IPv6 is the same address. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "");
}

/** What the gateway passes on of the program that it calls for: printable ASCII, as metadata may hold. */
export function forwardUserAgent(userAgent: string | undefined): Readonly<Record<string, string>> {
  return userAgent === undefined ? {} : { [FORWARDED_USER_AGENT]: userAgent.slice(0, USER_AGENT_MAX).replace(/[^\x20-\x7e]/g, "?") };
}

/** The program that a call was made for, by its own word; nobody vouches for it. */
export function userAgentOf({ metadata }: Pick<Incoming, "metadata">): string {
  const said = metadata.get(FORWARDED_USER_AGENT)[0] ?? metadata.get("user-agent")[0] ?? "";
  return String(said).slice(0, USER_AGENT_MAX);
}
