import { sql } from "kysely";
import type { Db } from "./schema.ts";

/** What a user is; null for one who is no more, or may not sign in. */
export type Standing = "DRIVER" | "OPERATOR" | "ADMIN" | null;

/** Nobody else asks for, or changes, what this user is until the transaction ends. */
async function lockStanding(tx: Db, userId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`ocpp.user_standing.${userId}`}, 0))`.execute(tx);
}

/** Notes what a user has become, unless something newer is known. */
export async function writeStanding(tx: Db, userId: string, role: Standing, time: Date): Promise<void> {
  await lockStanding(tx, userId);
  await sql`
    insert into user_standing as known (user_id, role, time) values (${userId}, ${role}, ${time})
    on conflict (user_id) do update set role = excluded.role, time = excluded.time where known.time <= excluded.time`.execute(tx);
}

/** What a user was last said to be, and stays until the transaction ends. Undefined if nothing was said lately. */
export async function lockedStanding(tx: Db, userId: string): Promise<Standing | undefined> {
  await lockStanding(tx, userId);
  return (await tx.selectFrom("user_standing").select("role").where("user_id", "=", userId).executeTakeFirst())?.role;
}

/** Forgets what is older than any access token. */
export async function deleteStandingsBefore(db: Db, time: Date): Promise<void> {
  await db.deleteFrom("user_standing").where("time", "<", time).execute();
}
