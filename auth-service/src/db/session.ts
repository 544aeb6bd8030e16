import { type Insertable, type Selectable, sql, type Transaction } from "kysely";
import type { Database, Db, SessionTable } from "./schema.ts";
import { type UserRow, userColumns } from "./user.ts";

/** A person's devices number a dozen; a script that signs in for each call must not fill the table. The oldest session gives way. */
const SESSIONS_PER_USER_MAX = 100;

export type NewSession = Omit<Insertable<SessionTable>, "previous_hash">;

export async function insertSession(db: Db, row: NewSession): Promise<void> {
  await db.insertInto("session").values(row).execute();
}

/** Removes the user's sessions that have run out, and the oldest of too many. */
export async function trimSessions(db: Db, userId: string, now: Date): Promise<void> {
  await db
    .deleteFrom("session")
    .where("user_id", "=", userId)
    .where((eb) =>
      eb.or([
        eb("expire_time", "<=", now),
        eb(
          "id",
          "in",
          eb
            .selectFrom("session")
            .select("id")
            .where("user_id", "=", userId)
            .orderBy("refresh_time", "desc")
            .offset(sql.lit(SESSIONS_PER_USER_MAX)),
        ),
      ]),
    )
    .execute();
}

/** A session and whose it is. */
export interface SessionOfUser {
  session: Pick<Selectable<SessionTable>, "id" | "token_hash" | "previous_hash" | "refresh_time" | "expire_time">;
  user: UserRow;
}

/** The session, which nobody else changes until the transaction ends. */
export async function lockFamily(tx: Transaction<Database>, familyHash: Buffer): Promise<SessionOfUser | undefined> {
  const session = await tx
    .selectFrom("session")
    .select(["id", "user_id", "token_hash", "previous_hash", "refresh_time", "expire_time"])
    .where("family_hash", "=", familyHash)
    .forUpdate()
    .executeTakeFirst();
  if (session === undefined) return undefined;
  const user = await tx.selectFrom("user").select(userColumns).where("id", "=", session.user_id).executeTakeFirst();
  return user && { session, user };
}

/** Puts a new token in the place of the good one. */
export async function rotateToken(
  tx: Transaction<Database>,
  id: string,
  next: Pick<Selectable<SessionTable>, "token_hash" | "previous_hash" | "refresh_time" | "expire_time" | "remote_address" | "user_agent">,
): Promise<void> {
  await tx.updateTable("session").set(next).where("id", "=", id).execute();
}

/** Ends a session: no token of its family is good any more. */
export async function deleteFamily(db: Db, familyHash: Buffer): Promise<void> {
  await db.deleteFrom("session").where("family_hash", "=", familyHash).execute();
}

export type SessionRow = Pick<
  Selectable<SessionTable>,
  "id" | "create_time" | "refresh_time" | "expire_time" | "remote_address" | "user_agent"
>;

/** The user's sessions that have not run out, the one refreshed last first. */
export async function sessionsOf(db: Db, userId: string, now: Date): Promise<SessionRow[]> {
  return db
    .selectFrom("session")
    .select(["id", "create_time", "refresh_time", "expire_time", "remote_address", "user_agent"])
    .where("user_id", "=", userId)
    .where("expire_time", ">", now)
    .orderBy("refresh_time", "desc")
    .orderBy("id")
    .execute();
}

/** Whether a user has this session. */
export async function hasSession(db: Db, userId: string, id: string): Promise<boolean> {
  // What no session ever had need not be a UUID.
  const found = db.selectFrom("session").select("id").where("user_id", "=", userId).where(sql`id::text`, "=", id);
  return (await found.executeTakeFirst()) !== undefined;
}

/** Ends one session of a user, and says whether there was one. */
export async function deleteSessionOf(db: Db, userId: string, id: string): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom("session").where("user_id", "=", userId).where("id", "=", id).executeTakeFirst();
  return numDeletedRows > 0n;
}

/** Ends all sessions of a user, and says how many there were. */
export async function deleteSessionsOf(db: Db, userId: string): Promise<number> {
  const { numDeletedRows } = await db.deleteFrom("session").where("user_id", "=", userId).executeTakeFirst();
  return Number(numDeletedRows);
}
