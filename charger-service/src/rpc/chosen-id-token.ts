import { AppError } from "@chargemesh/kit/errors";
import { idTokenByText } from "../db/id-token.ts";
import type { Db, IdTokenRow } from "../db/schema.ts";
import { type AuthorizationStatus, authorize } from "../domain/authorization.ts";
import { noIdToken, ownIdToken } from "../domain/id-token.ts";

/** An id token that may charge. */
export interface ChosenIdToken {
  /** As it is registered. */
  idToken: string;
  /** Empty if none. */
  parentIdToken: string;
  userId: string | null;
}

/**
 * The id token that a request means; to a driver who says none it is their own. NOT_FOUND if there is none, or it is not the driver's;
 * FAILED_PRECONDITION if it may not charge or, for a start, charges already.
 */
export async function chosenIdToken(
  db: Db,
  given: string,
  driver: string | undefined,
  purpose: "authorize" | "start",
  now: Date,
): Promise<ChosenIdToken> {
  const { id_token: idToken, user_id: userId } = await find(db, given, driver);
  const { status, parentIdToken } = await authorize(db, idToken, purpose, now);
  if (status === "INVALID") throw noIdToken(idToken);
  if (status !== "ACCEPTED") throw new AppError("failedPrecondition", ...refusals[status](idToken));
  return { idToken, parentIdToken, userId };
}

async function find(db: Db, given: string, driver: string | undefined): Promise<IdTokenRow> {
  if (given === "" && driver !== undefined) return ownIdToken(db, driver);
  const row = await idTokenByText(db, given, driver);
  if (row === undefined) throw noIdToken(given);
  return row;
}

const refusals: Record<Exclude<AuthorizationStatus, "ACCEPTED" | "INVALID">, (idToken: string) => [reason: string, message: string]> = {
  BLOCKED: (idToken) => ["ID_TOKEN_BLOCKED", `Id token ${idToken} is blocked.`],
  EXPIRED: (idToken) => ["ID_TOKEN_EXPIRED", `Id token ${idToken} has expired.`],
  CONCURRENT_TX: (idToken) => ["ID_TOKEN_IN_USE", `Id token ${idToken} is charging already.`],
};
