import { chargerById, insertCharger } from "../db/charger.ts";
import { type Knock, recordRefusal, takeoversInLastMinute } from "../db/connection.ts";
import type { Db } from "../db/schema.ts";
import { chargerCreated } from "../events.ts";
import { matchesPassword } from "./password.ts";

/** How chargers that nobody registered are met. */
export type UnknownChargers = "reject" | "accept";

/** Why a charger is not let in: the HTTP status of the refusal, a reason for programs and a sentence for people. */
export interface Refusal {
  httpStatus: number;
  reason: "INVALID_IDENTITY" | "UNKNOWN_CHARGER" | "PASSWORD_MISSING" | "WRONG_PASSWORD" | "IDENTITY_CONFLICT";
  message: string;
}

/** More takeovers of one identity within a minute mean that two chargers share it (decision 6). */
const TAKEOVERS_MAX = 5;
const identity = /^[A-Za-z0-9*_=+|@.-]{1,48}$/;

const refusals = {
  INVALID_IDENTITY: [404, "The last segment of the path must be an OCPP identity: 1 to 48 of A-Z a-z 0-9 * _ = + | @ . -"],
  UNKNOWN_CHARGER: [404, "No charger of this identity is registered."],
  PASSWORD_MISSING: [401, "This charger must show its password: HTTP Basic, with the identity as the user name."],
  WRONG_PASSWORD: [401, "The user name or the password is wrong."],
  IDENTITY_CONFLICT: [429, "Two chargers take this identity from each other. Try again in a minute."],
} as const satisfies Record<Refusal["reason"], readonly [number, string]>;

/**
 * Whether whoever knocks may come in as the charger that they claim to be. Undefined means yes.
 * A refusal is kept, so that an operator can see why. With `accept`, a charger that nobody registered is registered here.
 */
export async function admit(
  db: Db,
  knock: Knock & { authorization: string },
  unknownChargers: UnknownChargers,
  now: Date,
): Promise<Refusal | undefined> {
  const reason = await reasonToRefuse(db, knock, unknownChargers, now);
  if (reason === undefined) return undefined;
  await recordRefusal(db, knock, reason, now);
  const [httpStatus, message] = refusals[reason];
  return { httpStatus, reason, message };
}

async function reasonToRefuse(
  db: Db,
  { chargerId, authorization }: Knock & { authorization: string },
  unknownChargers: UnknownChargers,
  now: Date,
): Promise<Refusal["reason"] | undefined> {
  if (!identity.test(chargerId)) return "INVALID_IDENTITY";
  const charger = await chargerById(db, chargerId);
  if (charger === undefined) {
    if (unknownChargers === "reject") return "UNKNOWN_CHARGER";
    await register(db, chargerId);
    return undefined;
  }
  if (charger.password_hash !== null) {
    if (authorization === "") return "PASSWORD_MISSING";
    const password = basicPassword(authorization, chargerId);
    if (password === undefined || !matchesPassword(charger.password_hash, password)) return "WRONG_PASSWORD";
  }
  return (await takeoversInLastMinute(db, chargerId, now)) >= TAKEOVERS_MAX ? "IDENTITY_CONFLICT" : undefined;
}

function register(db: Db, id: string): Promise<void> {
  return db.transaction().execute(async (tx) => {
    const fresh = { id, displayName: "", passwordHash: null, registration: "ACCEPTED", availability: "AVAILABLE" } as const;
    // Someone else may have registered it in this moment.
    if (!(await insertCharger(tx, fresh))) return;
    const charger = await chargerById(tx, id);
    if (charger !== undefined) await chargerCreated(tx, charger);
  });
}

/** The password of an HTTP Basic header, as bytes; undefined if it is no such header or of another user. */
function basicPassword(authorization: string, user: string): Buffer | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/]+=*)$/i.exec(authorization)?.[1];
  if (encoded === undefined) return undefined;
  const decoded = Buffer.from(encoded, "base64");
  const prefix = Buffer.from(`${user}:`);
  return decoded.subarray(0, prefix.length).equals(prefix) ? decoded.subarray(prefix.length) : undefined;
}
