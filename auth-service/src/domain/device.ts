import { createHmac, hkdfSync } from "node:crypto";
import { callContext } from "@chargemesh/kit/call-context";
import { networkOf } from "@chargemesh/kit/network";
import type { Transaction } from "kysely";
import { rememberDevice } from "../db/device.ts";
import type { Database } from "../db/schema.ts";

/** How long a device is known after the last sign-in with it, in ms. */
const KEPT_MS = 180 * 24 * 3_600_000;

/** With what devices are made unrecognizable: nobody can tell addresses from the table by trying all that there are. */
export function deviceKeyOf(keySecret: string): Buffer {
  return Buffer.from(hkdfSync("sha256", keySecret, "", "chargemesh devices", 32));
}

/**
 * Remembers the device that the call comes from as one of the user's, and answers whether the user should hear of it: they have signed in
 * before, and never with this one. The first one ever is none to hear of, nor is that of the sign-up.
 */
export function isNewDevice(deviceKey: Buffer, tx: Transaction<Database>, userId: string, now: Date): Promise<boolean> {
  const { remoteAddress = "", userAgent = "" } = callContext() ?? {};
  const device = [userId, kindOf(userAgent), neighbourhoodOf(remoteAddress)].join("\0");
  const hash = createHmac("sha256", deviceKey).update(device).digest();
  return rememberDevice(tx, userId, hash, new Date(now.getTime() + KEPT_MS));
}

/** A program that was updated is the same, so versions do not count. */
function kindOf(userAgent: string): string {
  return userAgent.replace(/\d[\w.]*/g, "");
}

/** Addresses change within what a provider gives to neighbours: the first 24 bits of IPv4, 48 of IPv6. */
function neighbourhoodOf(address: string): string {
  return networkOf(address).split(/[.:]/, 3).join(":");
}
