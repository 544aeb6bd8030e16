import { sql } from "kysely";
import type { Db, IdTokenRow, IdTokenStatus, IdTokenType } from "./schema.ts";

/** Everything of an id token. */
export const columns = [
  "id_token",
  "folded",
  "type",
  "status",
  "expiry_time",
  "parent_id_token",
  "user_id",
  "version",
  "create_time",
  "update_time",
] as const;

/** Id tokens compare without regard to case. */
export const folded = (idToken: string) => sql<string>`lower(${idToken}::text collate "C")`;

/** Undefined if there is none; with `userId`, if it is not that user's. */
export function idTokenByText(db: Db, idToken: string, userId?: string): Promise<IdTokenRow | undefined> {
  let query = db.selectFrom("id_token").select(columns).where("folded", "=", folded(idToken));
  if (userId !== undefined) query = query.where("user_id", "=", userId);
  return query.executeTakeFirst();
}

/** The id token that a user's own starts use: their oldest that may charge. */
export function idTokenOfUser(db: Db, userId: string): Promise<IdTokenRow | undefined> {
  return db
    .selectFrom("id_token")
    .select(columns)
    .where("user_id", "=", userId)
    .where("status", "=", "ACCEPTED")
    .where((eb) => eb.or([eb("expiry_time", "is", null), eb("expiry_time", ">", sql<Date>`now()`)]))
    .orderBy("create_time")
    .orderBy("folded")
    .executeTakeFirst();
}

/** Makes others who ask this of the same user wait until the database transaction ends. */
export async function lockIdTokensOf(tx: Db, userId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended('id_token of ' || ${userId}::text, 0))`.execute(tx);
}

/** Newest first, after the given one. */
export function idTokensBefore(
  db: Db,
  cursor: { createTime: string; folded: string } | undefined,
  limit: number,
  userId: string | undefined,
): Promise<IdTokenRow[]> {
  let query = db.selectFrom("id_token").select(columns).orderBy("create_time", "desc").orderBy("folded", "desc").limit(limit);
  if (userId !== undefined) query = query.where("user_id", "=", userId);
  if (cursor !== undefined)
    query = query.where(sql<boolean>`(create_time, folded) < (${cursor.createTime}::timestamptz, ${cursor.folded})`);
  return query.execute();
}

/** What an id token says beside its text. */
export interface IdTokenFacts {
  type?: IdTokenType;
  status?: IdTokenStatus;
  expiry_time?: Date | null;
  parent_id_token?: string;
  user_id?: string | null;
}

/** Undefined if there is one that differs at most in case. */
export function insertIdToken(db: Db, idToken: string, facts: IdTokenFacts): Promise<IdTokenRow | undefined> {
  return db
    .insertInto("id_token")
    .values({ id_token: idToken, ...facts })
    .onConflict((conflict) => conflict.column("folded").doNothing())
    .returning(columns)
    .executeTakeFirst();
}

/** Undefined if there is none, or if `version` is given and stale: someone else wrote first. */
export function updateIdToken(db: Db, idToken: string, version: number | undefined, change: IdTokenFacts): Promise<IdTokenRow | undefined> {
  let query = db
    .updateTable("id_token")
    .set((eb) => ({ ...change, version: eb("version", "+", 1), update_time: sql<Date>`now()` }))
    .where("folded", "=", folded(idToken));
  if (version !== undefined) query = query.where("version", "=", version);
  return query.returning(columns).executeTakeFirst();
}

/** Undefined if there was none. */
export function deleteIdToken(db: Db, idToken: string): Promise<IdTokenRow | undefined> {
  return db.deleteFrom("id_token").where("folded", "=", folded(idToken)).returning(columns).executeTakeFirst();
}

/** All that decides whether an id token may charge; what charges on the connector `except` does not count as use. Undefined if nobody registered it. */
export async function authorizationFacts(db: Db, idToken: string, except?: { chargerId: string; connectorId: number }) {
  const { rows } = await sql<{
    status: IdTokenStatus;
    expiry_time: Date | null;
    parent_id_token: string;
    user_id: string | null;
    parent_status: IdTokenStatus | null;
    parent_expiry_time: Date | null;
    in_use: boolean;
  }>`
    select own.status, own.expiry_time, own.parent_id_token, own.user_id, parent.status as parent_status, parent.expiry_time as parent_expiry_time,
      exists (select from transaction where lower(transaction.id_token) = own.folded and state = 'ACTIVE'
        and (charger_id, connector_id) is distinct from (${except?.chargerId ?? null}::text, ${except?.connectorId ?? null}::integer)) as in_use
    from id_token own left join id_token parent on parent.folded = lower(own.parent_id_token) and own.parent_id_token <> ''
    where own.folded = ${folded(idToken)}`.execute(db);
  return rows[0];
}
