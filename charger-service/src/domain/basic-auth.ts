import type { Relaxation } from "../db/schema.ts";
import { hexBytes, matchesPassword } from "./password.ts";

/** What an HTTP Basic header shows. */
export interface Shown {
  user: string;
  /** Any bytes at all. */
  password: Buffer;
}

const COLON = ":".charCodeAt(0);

/** What an HTTP Basic header shows (RFC 7617: the first colon ends the user name); undefined if it is no such header. */
export function readBasic(authorization: string): Shown | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/]+=*)$/i.exec(authorization)?.[1];
  if (encoded === undefined) return undefined;
  const decoded = Buffer.from(encoded, "base64");
  const colon = decoded.indexOf(COLON);
  return colon < 0 ? undefined : { user: decoded.toString("latin1", 0, colon), password: decoded.subarray(colon + 1) };
}

/** Which of these hashes what is shown fits as the charger's, and what it takes of relaxations. Undefined if it fits none. */
export function fit(
  { user, password }: Shown,
  chargerId: string,
  hashes: readonly Buffer[],
): { passwordHash: Buffer; relaxations: Relaxation[] } | undefined {
  const ofUser: Relaxation[] = user === chargerId ? [] : ["ANY_BASIC_USER"];
  const asHex = hexBytes(password.toString("latin1"));
  for (const passwordHash of hashes) {
    if (matchesPassword(passwordHash, password)) return { passwordHash, relaxations: ofUser };
    if (asHex !== undefined && matchesPassword(passwordHash, asHex)) {
      return { passwordHash, relaxations: ["HEX_PASSWORD_TEXT", ...ofUser] };
    }
  }
  return undefined;
}
