import type { Db } from "./schema.ts";

const DAY_MS = 24 * 3_600_000;
/** How long an API key that has expired stays in its list, so that its owner sees why it is not taken, in ms. */
const EXPIRED_KEY_MS = 30 * DAY_MS;

/** Removes sessions, API keys and signing keys whose time is over. */
export async function sweepTokens(db: Db, now: Date): Promise<void> {
  await db.deleteFrom("session").where("expire_time", "<=", now).execute();
  await db
    .deleteFrom("api_key")
    .where("expire_time", "<=", new Date(now.getTime() - EXPIRED_KEY_MS))
    .execute();
  await db
    .deleteFrom("signing_key")
    .where("expire_time", "<=", new Date(now.getTime() - DAY_MS))
    .execute();
}
