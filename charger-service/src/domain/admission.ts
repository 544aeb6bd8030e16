import { recordAudit } from "@chargemesh/kit/audit";
import { chargerById, insertCharger } from "../db/charger.ts";
import { type Entry, isHeld, type Knock, minuteOf, recordRefusal, takeoversInLastMinute } from "../db/connection.ts";
import type { ShownCertificate } from "../db/line.ts";
import { type DoorFacts, doorFacts, rotatingHashes } from "../db/password.ts";
import type { Db, Relaxation, SecurityProfile } from "../db/schema.ts";
import { chargerCreated } from "../events.ts";
import { fit, readBasic } from "./basic-auth.ts";
import { certificateStanding } from "./certificate-standing.ts";

/** How chargers that nobody registered are met. */
export type UnknownChargers = "reject" | "accept";

/** Why a charger is not let in: the HTTP status of the refusal, a reason for programs and a sentence for people. */
export interface Refusal {
  httpStatus: number;
  reason:
    | "INVALID_IDENTITY"
    | "UNKNOWN_CHARGER"
    | "PASSWORD_MISSING"
    | "WRONG_PASSWORD"
    | "PASSWORD_REVOKED"
    | "TOO_MANY_WRONG_PASSWORDS"
    | "SECURITY_PROFILE_TOO_LOW"
    | "CERTIFICATE_MISSING"
    | "CERTIFICATE_INVALID"
    | "CERTIFICATE_EXPIRED"
    | "CERTIFICATE_REVOKED"
    | "CERTIFICATE_OF_ANOTHER"
    | "IDENTITY_CONFLICT"
    | "NO_COMMON_SUBPROTOCOL";
  message: string;
}

/** More takeovers of one identity within a minute mean that two chargers share it (decision 6). */
const TAKEOVERS_MAX = 5;
/** After so many wrong passwords for one identity from one address, within so many minutes, also the right one has to wait. */
const WRONG_PASSWORDS_MAX = 20;
const WRONG_PASSWORD_MINUTES = 5;
/** After which waits it is looked whether a connection has ended, in ms: its end may have come through a gateway and has to get into the database. */
const GOODBYE_MS = [20, 40, 80, 160, 320, 640, 740] as const;
const identity = /^[A-Za-z0-9*_=+|@.-]{1,48}$/;

const refusals = {
  INVALID_IDENTITY: [404, "The last segment of the path must be an OCPP identity: 1 to 48 of A-Z a-z 0-9 * _ = + | @ . -"],
  UNKNOWN_CHARGER: [404, "No charger of this identity is registered."],
  PASSWORD_MISSING: [401, "This charger must show its password: HTTP Basic, with the identity as the user name."],
  WRONG_PASSWORD: [401, "The user name or the password is wrong."],
  PASSWORD_REVOKED: [401, "The password of this charger was revoked. An operator must set a new one."],
  TOO_MANY_WRONG_PASSWORDS: [429, "Too many wrong passwords have come from this address. Try again in some minutes."],
  SECURITY_PROFILE_TOO_LOW: [403, "This charger must come in over TLS: its security profile is 2 or 3."],
  CERTIFICATE_MISSING: [403, "This charger must show its client certificate, at the port for TLS: its security profile is 3."],
  CERTIFICATE_INVALID: [403, "The client certificate is not of an authority that is trusted here, or may not be used as one."],
  CERTIFICATE_EXPIRED: [403, "The client certificate has expired."],
  CERTIFICATE_REVOKED: [403, "The client certificate was revoked."],
  CERTIFICATE_OF_ANOTHER: [403, "The client certificate is not for this charger: neither its common name nor a DNS name of it."],
  NO_COMMON_SUBPROTOCOL: [400, "A charger must offer the versions of OCPP that it speaks in Sec-WebSocket-Protocol."],
  IDENTITY_CONFLICT: [429, "Two chargers take this identity from each other. Try again in a minute."],
} as const satisfies Record<Refusal["reason"], readonly [number, string]>;

/** What whoever knocks is told. */
export type Admission = { kind: "admitted"; entry: Entry } | { kind: "refused"; refusal: Refusal };

/** What the door makes of a knock; `relaxations` of a refusal are those that would have let it in, `detail` is what its reason does not say. */
type Verdict =
  | { reason: undefined; securityProfile: SecurityProfile; passwordHash: Buffer | null; relaxations: readonly Relaxation[] }
  | { reason: Refusal["reason"]; relaxations: readonly Relaxation[]; detail: string };

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
    const { securityProfile, passwordHash, relaxations } = verdict;
    return { kind: "admitted", entry: { ...knock, securityProfile, passwordHash, relaxations } };
  }
  await recordRefusal(db, knock, { ...verdict, securityProfile: triedProfile(knock, authorization) }, now);
  const [httpStatus, message] = refusals[verdict.reason];
  return { kind: "refused", refusal: { httpStatus, reason: verdict.reason, message } };
}

/** What somebody would come in by, if all that they show were right. */
function triedProfile({ line }: Knock, authorization: string): SecurityProfile {
  if (line.certificate !== undefined) return 3;
  if (authorization === "") return 0;
  return line.isSecure ? 2 : 1;
}

const refuse = (reason: Refusal["reason"], detail = "", relaxations: readonly Relaxation[] = []): Verdict => ({
  reason,
  relaxations,
  detail,
});
const letIn = (securityProfile: SecurityProfile, shown?: { passwordHash: Buffer; relaxations: readonly Relaxation[] }): Verdict => ({
  reason: undefined,
  securityProfile,
  passwordHash: shown?.passwordHash ?? null,
  relaxations: shown?.relaxations ?? [],
});

async function judge(db: Db, knock: Knock, authorization: string, unknownChargers: UnknownChargers, now: Date): Promise<Verdict> {
  const { chargerId } = knock;
  if (!identity.test(chargerId)) return refuse("INVALID_IDENTITY");
  const facts = await doorFacts(db, chargerId, knock.remoteAddress, minuteOf(now) - WRONG_PASSWORD_MINUTES);
  if (facts === undefined) {
    if (unknownChargers === "reject") return refuse("UNKNOWN_CHARGER");
    if (offersNothing(knock)) return refuse("NO_COMMON_SUBPROTOCOL");
    await register(db, knock);
    return letIn(0);
  }
  if (facts.password_revoked) return refuse("PASSWORD_REVOKED");
  const verdict = await judgeProof(db, knock, authorization, facts);
  if (verdict.reason !== undefined) return verdict;
  if (offersNothing(knock)) return refuse("NO_COMMON_SUBPROTOCOL");
  if ((await takeoversInLastMinute(db, chargerId, now)) < TAKEOVERS_MAX || !(await isHeld(db, chargerId))) return verdict;
  // A charger that comes and goes may be back before its last connection was seen to end.
  for (const ms of GOODBYE_MS) {
    await new Promise((resolve) => setTimeout(resolve, ms));
    if (!(await isHeld(db, chargerId))) return verdict;
  }
  return refuse("IDENTITY_CONFLICT");
}

/** OCPP-J 1.6 §3.3 has the handshake completed for whoever offers something else; who offers nothing at all speaks no OCPP. */
const offersNothing = ({ offeredProtocols }: Knock): boolean => offeredProtocols.length === 0;

/** By what it comes in: never by less than its security profile, gladly by more. */
async function judgeProof(db: Db, knock: Knock, authorization: string, facts: DoorFacts): Promise<Verdict> {
  const { line, chargerId } = knock;
  const { security_profile: least, password_hash: current } = facts;
  if (least > 1 && !line.isSecure) return refuse("SECURITY_PROFILE_TOO_LOW");
  const wrong = await wrongWithCertificate(db, line.certificate, chargerId, facts.certificate_name || chargerId);
  if (wrong !== undefined && least === 3) return wrong;
  // One that needs no password may be about to get its first.
  const isOpen = wrong === undefined || (current === null && least < 2);
  const otherwise = (verdict: Verdict): Verdict => (isOpen ? letIn(wrong === undefined ? 3 : 0) : verdict);
  if (authorization === "") return otherwise(refuse("PASSWORD_MISSING"));
  if (facts.wrong_passwords !== null && facts.wrong_passwords >= WRONG_PASSWORDS_MAX) return otherwise(refuse("TOO_MANY_WRONG_PASSWORDS"));
  const shown = readBasic(authorization);
  const fitting =
    shown && (fit(shown, chargerId, current === null ? [] : [current]) ?? fit(shown, chargerId, await rotatingHashes(db, chargerId)));
  if (fitting === undefined) return otherwise(refuse("WRONG_PASSWORD"));
  if (!fitting.relaxations.every((one) => facts.relaxations.includes(one))) {
    return otherwise(refuse("WRONG_PASSWORD", "", fitting.relaxations));
  }
  if (wrong === undefined) return letIn(3, fitting);
  return letIn(line.isSecure ? 2 : 1, fitting);
}

/** Why a certificate for `name` does not prove that it is this charger who shows it; undefined if it does. */
async function wrongWithCertificate(
  db: Db,
  certificate: ShownCertificate | undefined,
  chargerId: string,
  name: string,
): Promise<Verdict | undefined> {
  if (certificate === undefined) return refuse("CERTIFICATE_MISSING");
  const { fault, names, serialNumber } = certificate;
  if (fault !== "") return refuse(fault === "CERT_HAS_EXPIRED" ? "CERTIFICATE_EXPIRED" : "CERTIFICATE_INVALID", fault);
  if (!names.includes(name)) return refuse("CERTIFICATE_OF_ANOTHER", `it is for ${names.join(", ") || "nobody"}`);
  const standing = await certificateStanding(db, chargerId, serialNumber);
  if (standing === "OF_ANOTHER") return refuse("CERTIFICATE_OF_ANOTHER", "it was issued to another charger");
  return standing === "REVOKED" ? refuse("CERTIFICATE_REVOKED") : undefined;
}

function register(db: Db, { chargerId: id, remoteAddress }: Knock): Promise<void> {
  return db.transaction().execute(async (tx) => {
    const ordinary = { registration: "ACCEPTED", availability: "AVAILABLE" } as const;
    // Someone else may have registered it in this moment.
    if (
      !(await insertCharger(tx, {
        id,
        displayName: "",
        passwordHash: null,
        relaxations: [],
        securityProfile: 0,
        certificateName: "",
        ...ordinary,
      }))
    )
      return;
    const charger = await chargerById(tx, id);
    if (charger !== undefined) await chargerCreated(tx, charger);
    await recordAudit(tx, { resource: `chargers/${id}`, action: "ocpp/Connect", actor: { kind: "CHARGER", id }, remoteAddress });
  });
}
