import { randomUUID } from "node:crypto";
import { type ApiKeyIdentity, hashApiKey, makeApiKeySecret } from "@chargemesh/kit/api-keys";
import { recordAudit } from "@chargemesh/kit/audit";
import type { Clock } from "@chargemesh/kit/clock";
import { AppError, badRequest } from "@chargemesh/kit/errors";
import type { Role, UserCaller } from "@chargemesh/kit/identity";
import { transact } from "@chargemesh/kit/postgres";
import { type ApiKeyRow, countApiKeys, goodApiKey, insertApiKey, touchApiKey } from "../db/api-key.ts";
import type { Db } from "../db/schema.ts";
import { hasSession } from "../db/session.ts";
import { lockUser } from "../db/user.ts";
import { securityNotice } from "../events.ts";

/** A dozen programs of a person's are many; a script that makes a key for each call must not fill the table. */
const KEYS_PER_USER_MAX = 50;
/** How exactly the last use of a key is known, in ms. */
const LAST_USE_MS = 60_000;
const DAY_MS = 24 * 3_600_000;
/** From little to much. */
const ROLES: readonly Role[] = ["DRIVER", "OPERATOR", "ADMIN"];

/** What somebody wants of a key. */
export interface WantedApiKey {
  displayName: string;
  role: Role;
  scopes: readonly string[];
  chargerIds: readonly string[];
  expireTime: Date | undefined;
}

/** What keys are made with. */
export interface ApiKeys {
  db: Db;
  clock: Clock;
  /** How long one may live. */
  apiKeyDaysMax: number;
}

/**
 * Makes a key of the caller's, and tells them by mail. The secret is not kept. INVALID_ARGUMENT if it lives for too long; PERMISSION_DENIED
 * if it wants to be more than the caller; FAILED_PRECONDITION if they have too many, or are the user of another identity provider.
 */
export async function createApiKey(
  { db, clock, apiKeyDaysMax }: ApiKeys,
  caller: UserCaller,
  wanted: WantedApiKey,
): Promise<{ row: ApiKeyRow; secret: string }> {
  const now = clock.now();
  const expireTime = checkExpireTime(wanted.expireTime, now, apiKeyDaysMax);
  const secret = makeApiKeySecret();
  const row = await transact(db, async (tx) => {
    const user = await lockUser(tx, caller.userId);
    if (user === undefined || user.disable_time !== null)
      throw new AppError("unauthenticated", "TOKEN_INVALID", "The user of this access token is no more.");
    if (user.issuer !== null) throw externalUser();
    // An access token outlives its session by minutes; a key that it makes would by a year.
    if (caller.credential.kind !== "session" || !(await hasSession(tx, user.id, caller.credential.sessionId)))
      throw new AppError("unauthenticated", "TOKEN_INVALID", "The session of this access token has ended. Sign in again.");
    if (lowerRole(wanted.role, lowerRole(user.role, caller.role)) !== wanted.role)
      throw new AppError("permissionDenied", "ROLE_TOO_HIGH", "An API key cannot have a higher role than who makes it.");
    if ((await countApiKeys(tx, user.id)) >= KEYS_PER_USER_MAX)
      throw new AppError("failedPrecondition", "TOO_MANY_API_KEYS", `You have ${KEYS_PER_USER_MAX} API keys. Delete one first.`);
    const made = await insertApiKey(tx, {
      id: randomUUID(),
      user_id: user.id,
      secret_hash: hashApiKey(secret),
      display_name: wanted.displayName,
      role: wanted.role,
      scopes: [...wanted.scopes],
      charger_ids: [...wanted.chargerIds],
      create_time: now,
      expire_time: expireTime,
      last_use_time: null,
    });
    if (user.email !== null) await securityNotice(tx, user, "API_KEY_CREATED", now);
    await recordAudit(tx, { resource: `apiKeys/${made.id}`, details: { role: made.role, scopes: made.scopes.join(" ") } });
    return made;
  });
  return { row, secret };
}

/** Nothing tells us when the provider stops to know them, and a key would live on. */
function externalUser(): AppError {
  const message = "Who signs in at another identity provider cannot have API keys: a key would outlive what the provider says of them.";
  return new AppError("failedPrecondition", "EXTERNAL_USER", message);
}

function checkExpireTime(expireTime: Date | undefined, now: Date, daysMax: number): Date {
  const invalid = (description: string): AppError => badRequest([{ field: "api_key.expire_time", description }]);
  if (expireTime === undefined) throw invalid("is required");
  if (!(expireTime > now)) throw invalid("must be in the future");
  if (expireTime.getTime() > now.getTime() + daysMax * DAY_MS) throw invalid(`must be within ${daysMax} days`);
  return expireTime;
}

function lowerRole(one: Role, other: Role): Role {
  return ROLES.indexOf(one) < ROLES.indexOf(other) ? one : other;
}

/** What the key with this hash stands for now, which counts as a use of it; undefined if it is not good. */
export async function identifyApiKey(
  { db, clock }: Pick<ApiKeys, "db" | "clock">,
  secretHash: Buffer,
): Promise<ApiKeyIdentity | undefined> {
  const now = clock.now();
  const found = await goodApiKey(db, secretHash, now);
  if (found === undefined) return undefined;
  const { id, user_id, username, role, user_role, scopes, charger_ids, expire_time } = found;
  await touchApiKey(db, id, now, new Date(now.getTime() - LAST_USE_MS));
  return {
    id,
    userId: user_id,
    username,
    role: lowerRole(role, user_role),
    scopes,
    chargerIds: charger_ids,
    expireTime: expire_time.getTime(),
  };
}
