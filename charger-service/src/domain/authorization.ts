import { authorizationFacts } from "../db/id-token.ts";
import type { Db } from "../db/schema.ts";

export type AuthorizationStatus = "ACCEPTED" | "BLOCKED" | "EXPIRED" | "INVALID" | "CONCURRENT_TX";

/** What a charger is told about an id token. */
export interface Authorization {
  status: AuthorizationStatus;
  /** Whose it is; undefined if nobody's. */
  userId: string | undefined;
  expiryTime: Date | undefined;
  /** The group it belongs to; empty if none. */
  parentIdToken: string;
}

/**
 * Whether an id token may charge: it is known, neither it nor its parent is blocked or expired and, for a start, it charges nowhere else.
 * CONCURRENT_TX is only for starts: OCPP 1.6 §7.2 has it "only relevant for a StartTransaction.req". `place` is where the start was:
 * whatever else charges there has ended, even if nobody said so.
 */
export async function authorize(
  db: Db,
  idToken: string,
  purpose: "authorize" | "start",
  now: Date,
  place?: { chargerId: string; connectorId: number },
): Promise<Authorization> {
  const facts = await authorizationFacts(db, idToken, place);
  if (facts === undefined) return { status: "INVALID", userId: undefined, expiryTime: undefined, parentIdToken: "" };
  const isOver = (time: Date | null): boolean => time !== null && time <= now;
  const status = (): AuthorizationStatus => {
    if (facts.status === "BLOCKED" || facts.parent_status === "BLOCKED") return "BLOCKED";
    if (isOver(facts.expiry_time) || isOver(facts.parent_expiry_time)) return "EXPIRED";
    return purpose === "start" && facts.in_use ? "CONCURRENT_TX" : "ACCEPTED";
  };
  return {
    status: status(),
    userId: facts.user_id ?? undefined,
    expiryTime: facts.expiry_time ?? undefined,
    parentIdToken: facts.parent_id_token,
  };
}
