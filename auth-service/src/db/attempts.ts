import { sql } from "kysely";
import type { Db } from "./schema.ts";

/** How often something was tried, and when that is forgotten. */
export interface Attempts {
  count: number;
  expireTime: Date;
}

/**
 * Counts one more attempt, and answers how many there are now. They are forgotten `windowMs` after the first; with `fromLast`, after the last.
 * Of several at once each gets a number of its own.
 */
export async function countAttempt(
  db: Db,
  key: Buffer,
  { now, windowMs, fromLast }: { now: Date; windowMs: number; fromLast: boolean },
): Promise<Attempts> {
  const expireTime = new Date(now.getTime() + windowMs);
  const { rows } = await sql<{ count: number; expire_time: Date }>`
    insert into attempts as known (key, count, expire_time) values (${key}, 1, ${expireTime})
    on conflict (key) do update set
      count = case when known.expire_time <= ${now} then 1 else known.count + 1 end,
      expire_time = case when known.expire_time <= ${now} or ${fromLast} then ${expireTime} else known.expire_time end
    returning count, expire_time`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error("an upsert has answered nothing");
  return { count: row.count, expireTime: row.expire_time };
}

/** The attempts that are not forgotten, in the order of the keys; those of which there are none are 0. */
export async function attemptsOf(db: Db, keys: readonly Buffer[], now: Date): Promise<Attempts[]> {
  const rows = await db
    .selectFrom("attempts")
    .select(["key", "count", "expire_time"])
    .where("key", "in", keys)
    .where("expire_time", ">", now)
    .execute();
  return keys.map((key) => {
    const row = rows.find((one) => one.key.equals(key));
    return { count: row?.count ?? 0, expireTime: row?.expire_time ?? now };
  });
}

export async function forgetAttempts(db: Db, key: Buffer): Promise<void> {
  await db.deleteFrom("attempts").where("key", "=", key).execute();
}

/** Some 20 MB. Each row costs whoever makes it the hash of a password or a mail, so this many are an attack by many. */
const ROWS_MAX = 200_000;

/** Removes what is forgotten, and of too many rows those that count least. */
export async function sweepAttempts(db: Db, now: Date): Promise<void> {
  await db.deleteFrom("attempts").where("expire_time", "<=", now).execute();
  await sql`
    delete from attempts where (select count(*) from attempts) > ${ROWS_MAX} and key in (
      select key from attempts order by count desc, expire_time desc offset ${ROWS_MAX})`.execute(db);
}
