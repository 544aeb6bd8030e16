import { randomInt } from "node:crypto";
import { recordAudit } from "@chargemesh/kit/audit";
import { AppError } from "@chargemesh/kit/errors";
import { transact } from "@chargemesh/kit/postgres";
import {
  deleteIdToken,
  type IdTokenFacts,
  idTokenByText,
  idTokenOfUser,
  idTokensBefore,
  insertIdToken,
  lockIdTokensOf,
  updateIdToken,
} from "../db/id-token.ts";
import type { Db, IdTokenRow } from "../db/schema.ts";
import { releaseIdTokens } from "../db/user.ts";
import { idTokenCreated, idTokenDeleted, idTokenUpdated } from "../events.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
/** All that OCPP 1.6 has room for (§7.28 IdToken, CiString20Type); 103 bits, so it cannot be guessed. */
const LENGTH = 20;

/**
 * The id token that a user's own starts use, made if they never had one.
 * If they have some, but none that may charge, it is one of those: a driver does not get around a block by asking again.
 */
export function ownIdToken(db: Db, userId: string): Promise<IdTokenRow> {
  return transact(db, async (tx) => {
    // Two first starts at once must not make two.
    await lockIdTokensOf(tx, userId);
    const [newest] = await idTokensBefore(tx, undefined, 1, userId);
    if (newest !== undefined) return (await idTokenOfUser(tx, userId)) ?? newest;
    const made = await insertIdToken(tx, makeIdToken(), { type: "CENTRAL", user_id: userId });
    if (made === undefined) throw new Error("a random id token was there already");
    await idTokenCreated(tx, made);
    await recordAudit(tx, { resource: resourceOf(made), details: { userId } });
    return made;
  });
}

/** Registers an id token. ALREADY_EXISTS if there is one that differs at most in case. */
export function registerIdToken(db: Db, idToken: string, facts: IdTokenFacts): Promise<IdTokenRow> {
  return transact(db, async (tx) => {
    const row = await insertIdToken(tx, idToken, facts);
    if (row === undefined) {
      throw new AppError("alreadyExists", "ID_TOKEN_EXISTS", `There is an id token ${idToken} already; case does not count.`);
    }
    await idTokenCreated(tx, row);
    await recordAudit(tx, { resource: resourceOf(row), details: auditDetails(facts) });
    return row;
  });
}

/** Changes an id token. NOT_FOUND if there is none, ABORTED if `version` is given and stale. */
export function changeIdToken(db: Db, idToken: string, version: number | undefined, change: IdTokenFacts): Promise<IdTokenRow> {
  return transact(db, async (tx) => {
    const row = await updateIdToken(tx, idToken, version, change);
    if (row === undefined) {
      if ((await idTokenByText(tx, idToken)) === undefined) throw noIdToken(idToken);
      throw new AppError("aborted", "ETAG_STALE", `Id token ${idToken} was changed by someone else. Read it again.`);
    }
    await idTokenUpdated(tx, row);
    await recordAudit(tx, { resource: resourceOf(row), details: auditDetails(change) });
    return row;
  });
}

/** Forgets an id token. NOT_FOUND if there is none. */
export function removeIdToken(db: Db, idToken: string): Promise<void> {
  return transact(db, async (tx) => {
    const row = await deleteIdToken(tx, idToken);
    if (row === undefined) throw noIdToken(idToken);
    await idTokenDeleted(tx, row);
    await recordAudit(tx, { resource: resourceOf(row) });
  });
}

/** Blocks the id tokens of a user who is no more and makes them nobody's; answers their texts. */
export async function releaseIdTokensOf(tx: Db, userId: string): Promise<string[]> {
  const rows = await releaseIdTokens(tx, userId);
  for (const row of rows) await idTokenUpdated(tx, row);
  return rows.map(({ id_token }) => id_token);
}

/** As it was registered: who asks may spell it in another case. */
function resourceOf({ id_token }: Pick<IdTokenRow, "id_token">): string {
  return `idTokens/${id_token}`;
}

function auditDetails({ type, status, expiry_time, parent_id_token, user_id }: IdTokenFacts): Record<string, string> {
  const facts = { type, status, expiryTime: expiry_time, parentIdToken: parent_id_token, userId: user_id };
  const textOf = (value: string | Date | null): string => (value instanceof Date ? value.toISOString() : (value ?? ""));
  return Object.fromEntries(Object.entries(facts).flatMap(([name, value]) => (value === undefined ? [] : [[name, textOf(value)]])));
}

function makeIdToken(): string {
  return Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");
}

/** NOT_FOUND for an id token. */
export function noIdToken(idToken: string): AppError {
  return new AppError("notFound", "ID_TOKEN_NOT_FOUND", `No id token ${idToken}.`);
}
