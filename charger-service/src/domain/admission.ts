import { recordAudit } from "@chargemesh/kit/audit";
import { chargerById, insertCharger } from "../db/charger.ts";
import { type Entry, type Knock, recordRefusal, takeoversInLastMinute } from "../db/connection.ts";
import { doorFacts, rotatingHashes } from "../db/password.ts";
import type { Db, Relaxation } from "../db/schema.ts";
import { chargerCreated } from "../events.ts";
import { fit, readBasic } from "./basic-auth.ts";

/** How chargers that nobody registered are met. */
export type UnknownChargers = "reject" | "accept";

/** Why a charger is not let in: the HTTP status of the refusal, a reason for programs and a sentence for people. */
export interface Refusal {
  httpStatus: number;
  reason: "INVALID_IDENTITY" | "UNKNOWN_CHARGER" | "PASSWORD_MISSING" | "WRONG_PASSWORD" | "PASSWORD_REVOKED" | "IDENTITY_CONFLICT";
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
  PASSWORD_REVOKED: [401, "The password of this charger was revoked. An operator must set a new one."],
  IDENTITY_CONFLICT: [429, "Two chargers take this identity from each other. Try again in a minute."],
} as const satisfies Record<Refusal["reason"], readonly [number, string]>;

/** What whoever knocks is told. */
export type Admission = { kind: "admitted"; entry: Entry } | { kind: "refused"; refusal: Refusal };

/** What the door makes of a knock; `relaxations` of a refusal are those that would have let it in. */
type Verdict =
  | { reason: undefined; passwordHash: Buffer | null; relaxations: readonly Relaxation[] }
  | { reason: Refusal["reason"]; relaxations: readonly Relaxation[] };

/**
 * Whether whoever knocks may come in as the charger that they claim to be.
 * A refusal is kept, so that an operator can see why. With `accept`, a charger that nobody registered is registered here.
 */
export async function admit(
  db: Db,
  { authorization, ...knock }: Knock & { authorization: string },
  unknownChargers: UnknownChargers,
  now: Date,
): Promise<Admission> {
  const verdict = await judge(db, knock, authorization, unknownChargers, now);
  if (verdict.reason === undefined) {
    const { passwordHash, relaxations } = verdict;
    return { kind: "admitted", entry: { ...knock, passwordHash, relaxations } };
  }
  await recordRefusal(db, knock, verdict.reason, now, verdict.relaxations);
  const [httpStatus, message] = refusals[verdict.reason];
  return { kind: "refused", refusal: { httpStatus, reason: verdict.reason, message } };
}

const refuse = (reason: Refusal["reason"], relaxations: readonly Relaxation[] = []): Verdict => ({ reason, relaxations });
const letIn = (passwordHash: Buffer | null, relaxations: readonly Relaxation[] = []): Verdict => ({
  reason: undefined,
  passwordHash,
  relaxations,
});

async function judge(db: Db, knock: Knock, authorization: string, unknownChargers: UnknownChargers, now: Date): Promise<Verdict> {
  const { chargerId } = knock;
  if (!identity.test(chargerId)) return refuse("INVALID_IDENTITY");
  const facts = await doorFacts(db, chargerId);
  if (facts === undefined) {
    if (unknownChargers === "reject") return refuse("UNKNOWN_CHARGER");
    await register(db, knock);
    return letIn(null);
  }
  if (facts.password_revoked) return refuse("PASSWORD_REVOKED");
  const verdict = await judgePassword(db, chargerId, authorization, facts);
  if (verdict.reason !== undefined) return verdict;
  return (await takeoversInLastMinute(db, chargerId, now)) >= TAKEOVERS_MAX ? refuse("IDENTITY_CONFLICT") : verdict;
}

async function judgePassword(
  db: Db,
  chargerId: string,
  authorization: string,
  { password_hash: current, relaxations: allowed }: { password_hash: Buffer | null; relaxations: readonly Relaxation[] },
): Promise<Verdict> {
  // One that needs no password may be about to get its first.
  if (authorization === "") return current === null ? letIn(null) : refuse("PASSWORD_MISSING");
  const shown = readBasic(authorization);
  const fitting =
    shown && (fit(shown, chargerId, current === null ? [] : [current]) ?? fit(shown, chargerId, await rotatingHashes(db, chargerId)));
  if (fitting === undefined) return current === null ? letIn(null) : refuse("WRONG_PASSWORD");
  const { passwordHash, relaxations } = fitting;
  if (relaxations.every((one) => allowed.includes(one))) return letIn(passwordHash, relaxations);
  return current === null ? letIn(null) : refuse("WRONG_PASSWORD", relaxations);
}

function register(db: Db, { chargerId: id, remoteAddress }: Knock): Promise<void> {
  return db.transaction().execute(async (tx) => {
    const ordinary = { registration: "ACCEPTED", availability: "AVAILABLE" } as const;
    // Someone else may have registered it in this moment.
    if (!(await insertCharger(tx, { id, displayName: "", passwordHash: null, relaxations: [], ...ordinary }))) return;
    const charger = await chargerById(tx, id);
    if (charger !== undefined) await chargerCreated(tx, charger);
    await recordAudit(tx, { resource: `chargers/${id}`, action: "ocpp/Connect", actor: { kind: "CHARGER", id }, remoteAddress });
  });
}
