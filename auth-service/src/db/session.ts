import { type Insertable, type Selectable, sql } from "kysely";
import type { Db, SessionTable } from "./schema.ts";
import type { UserRow } from "./user.ts";

/** A person's devices number a dozen; a script that signs in for each call must not fill the table. The oldest session gives way. */
const SESSIONS_PER_USER_MAX = 100;

export type NewSession = Insertable<SessionTable>;

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
  session: Pick<Selectable<SessionTable>, "id" | "token_hash" | "expire_time">;
  user: UserRow;
}

export async function sessionByFamily(db: Db, familyHash: Buffer): Promise<SessionOfUser | undefined> {
  const row = await db
    .selectFrom("session")
    .innerJoin("user", "user.id", "session.user_id")
    .select(["session.id as session_id", "token_hash", "expire_time"])
    .select(["user.id", "username", "email", "role", "user.create_time"])
    .where("family_hash", "=", familyHash)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { session_id, token_hash, expire_time, ...user } = row;
  return { session: { id: session_id, token_hash, expire_time }, user };
}

/** Puts a new token in the place of the good one. Of several who show the same token at once, one is answered true. */
export async function rotateToken(
  db: Db,
  id: string,
  shownHash: Buffer,
  next: Pick<NewSession, "token_hash" | "refresh_time" | "expire_time">,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("session")
    .set(next)
    .where("id", "=", id)
    .where("token_hash", "=", shownHash)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Ends a session: no token of its family is good any more. */
export async function deleteFamily(db: Db, familyHash: Buffer): Promise<void> {
  await db.deleteFrom("session").where("family_hash", "=", familyHash).execute();
}
