import { sql, type Transaction } from "kysely";
import type { Database, Db } from "./schema.ts";

/** A person's devices number a dozen; a script that calls itself anew each time must not fill the table. */
const DEVICES_PER_USER_MAX = 100;

/**
 * Remembers a device of a user until `expireTime`, and answers whether it is new: not known, while others are. Of several sign-ins with it at
 * once, one is told so.
 */
export async function rememberDevice(tx: Transaction<Database>, userId: string, hash: Buffer, expireTime: Date): Promise<boolean> {
  const { rows } = await sql<{ is_first_use: boolean; has_others: boolean }>`
    insert into device as known (user_id, hash, expire_time) values (${userId}, ${hash}, ${expireTime})
    on conflict (user_id, hash) do update set expire_time = excluded.expire_time
    returning xmax = 0 as is_first_use, exists (select from device where user_id = known.user_id and hash <> known.hash) as has_others`.execute(
    tx,
  );
  const [row] = rows;
  if (row?.is_first_use !== true) return false;
  await sql`
    delete from device where user_id = ${userId} and hash in (
      select hash from device where user_id = ${userId} order by expire_time desc offset ${sql.lit(DEVICES_PER_USER_MAX)})`.execute(tx);
  return row.has_others;
}

/** Removes devices that were not used for long. Each user keeps one, by which the next is seen to be another. */
export async function deleteExpiredDevices(db: Db, now: Date): Promise<void> {
  await sql`
    delete from device as old where expire_time <= ${now} and exists (
      select from device where user_id = old.user_id and (expire_time, hash) > (old.expire_time, old.hash))`.execute(db);
}
