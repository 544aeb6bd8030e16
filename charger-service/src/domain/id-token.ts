import { randomInt } from "node:crypto";
import { AppError } from "@chargemesh/kit/errors";
import { transact } from "@chargemesh/kit/postgres";
import { idTokenOfUser, idTokensBefore, insertIdToken, lockIdTokensOf } from "../db/id-token.ts";
import type { Db, IdTokenRow } from "../db/schema.ts";

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
    return made;
  });
}

function makeIdToken(): string {
  return Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");
}

/** NOT_FOUND for an id token. */
export function noIdToken(idToken: string): AppError {
  return new AppError("notFound", "ID_TOKEN_NOT_FOUND", `No id token ${idToken}.`);
}
