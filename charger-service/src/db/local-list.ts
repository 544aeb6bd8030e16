import { type SelectQueryBuilder, sql } from "kysely";
import type { LocalListMode, LocalListRow, LocalListStatus } from "./configuration-tables.ts";
import type { Database, Db } from "./schema.ts";

const columns = [
  "charger_id",
  "mode",
  "version",
  "charger_version",
  "charger_version_time",
  "is_due",
  "must_replace",
  "command_id",
  "refusal",
  "retry_time",
  "next_expiry_time",
  "omitted",
  "update_time",
] as const;

const select = (db: Db): SelectQueryBuilder<Database, "local_list", LocalListRow> => db.selectFrom("local_list").select(columns);

/** Undefined if nobody ever had to do with it. */
export function localList(db: Db, chargerId: string): Promise<LocalListRow | undefined> {
  return select(db).where("charger_id", "=", chargerId).executeTakeFirst();
}

/** The same, held until the database transaction ends. */
export function lockLocalList(tx: Db, chargerId: string): Promise<LocalListRow | undefined> {
  return select(tx).where("charger_id", "=", chargerId).forUpdate().executeTakeFirst();
}

/** The list that this command is to update. */
export function lockLocalListOf(tx: Db, commandId: string): Promise<LocalListRow | undefined> {
  return select(tx).where("command_id", "=", commandId).forUpdate().executeTakeFirst();
}

/** Whatever of a list may change. */
export type LocalListChange = Partial<Omit<LocalListRow, "charger_id">>;

/** Changes a list, and makes it known if it was not. */
export function putLocalList(tx: Db, chargerId: string, change: LocalListChange): Promise<LocalListRow> {
  return tx
    .insertInto("local_list")
    .values({ charger_id: chargerId, ...change })
    .onConflict((conflict) => conflict.column("charger_id").doUpdateSet({ charger_id: chargerId, ...change }))
    .returning(columns)
    .executeTakeFirstOrThrow();
}

/** How many id tokens a charger has on its list. */
export async function countEntries(db: Db, chargerId: string): Promise<number> {
  const { count } = await db
    .selectFrom("local_list_entry")
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .where("charger_id", "=", chargerId)
    .executeTakeFirstOrThrow();
  return count;
}

/** What is on the list of a charger, by id token, from the one after `afterFolded`. */
export function entriesAfter(db: Db, chargerId: string, afterFolded: string | undefined, limit: number) {
  let query = db
    .selectFrom("local_list_entry")
    .select(["id_token", "folded", "status", "expiry_time", "parent_id_token"])
    .where("charger_id", "=", chargerId)
    .orderBy("folded")
    .limit(limit);
  if (afterFolded !== undefined) query = query.where("folded", ">", afterFolded);
  return query.execute();
}

/** What is on a list, in words of no table. */
export interface NewEntry {
  idToken: string;
  status: LocalListStatus;
  expiryTime: Date | undefined;
  parentIdToken: string;
}

/** Keeps what a charger has taken into its list, in place of all that it had or beside it, and out of it. */
export async function putEntries(
  tx: Db,
  chargerId: string,
  { replaces, entries, removed }: { replaces: boolean; entries: readonly NewEntry[]; removed: readonly string[] },
): Promise<void> {
  const gone = sql<boolean>`folded = any(select lower(gone collate "C") from unnest(${[...removed]}::text[]) as all_gone (gone))`;
  const ofCharger = tx.deleteFrom("local_list_entry").where("charger_id", "=", chargerId);
  await (replaces ? ofCharger : ofCharger.where(gone)).execute();
  // An id token that is named twice is what was said last of it.
  const byName = new Map(entries.map((entry) => [entry.idToken.toLowerCase(), entry]));
  if (byName.size === 0) return;
  await tx
    .insertInto("local_list_entry")
    .values(
      [...byName.values()].map((entry) => ({
        charger_id: chargerId,
        id_token: entry.idToken,
        status: entry.status,
        expiry_time: entry.expiryTime ?? null,
        parent_id_token: entry.parentIdToken,
      })),
    )
    .onConflict((conflict) =>
      conflict.columns(["charger_id", "folded"]).doUpdateSet(({ ref }) => ({
        id_token: ref("excluded.id_token"),
        status: ref("excluded.status"),
        expiry_time: ref("excluded.expiry_time"),
        parent_id_token: ref("excluded.parent_id_token"),
      })),
    )
    .execute();
}

/** An id token that a list has too much, too little or otherwise than it should be. */
export interface Difference extends NewEntry {
  /** Whether it should be on the list at all. */
  belongs: boolean;
}

/** What decides which id tokens are on a list. */
export interface ListRule {
  chargerId: string;
  mode: LocalListMode;
  idTokenLengthMax: number;
  entriesMax: number;
}

/** Every id token that a list should have, those that may charge first; `place` counts them from 1. A parent that is too long is left out. */
function wantedEntries({ chargerId, mode, idTokenLengthMax }: ListRule, now: Date) {
  const chosen = sql`exists (select from local_list_token chosen where chosen.charger_id = ${chargerId} and chosen.folded = own.folded)`;
  const isOn = { OFF: sql`false`, ALL: sql`true`, SELECTED: chosen }[mode];
  return sql`
    select own.id_token, own.folded, facts.status, facts.expiry_time, facts.parent_id_token,
      row_number() over (order by facts.status <> 'ACCEPTED', own.create_time desc, own.folded) as place
    from id_token own
    left join id_token parent on parent.folded = lower(own.parent_id_token) and own.parent_id_token <> ''
    cross join lateral (select
      least(own.expiry_time, parent.expiry_time) as expiry_time,
      case when length(own.parent_id_token) <= ${idTokenLengthMax} then own.parent_id_token else '' end as parent_id_token,
      case when 'BLOCKED' in (own.status, parent.status) then 'BLOCKED'
        when least(own.expiry_time, parent.expiry_time) <= ${now}::timestamptz then 'EXPIRED'
        else 'ACCEPTED' end as status) facts
    where length(own.id_token) <= ${idTokenLengthMax} and ${isOn}`;
}

/**
 * Where the list of a charger is not what it should be: at most `limit` of what does not belong there, and then of what is missing or otherwise.
 * With `whole` all that should be on it.
 */
export async function listDifferences(db: Db, rule: ListRule, whole: boolean, now: Date, limit: number): Promise<Difference[]> {
  const listed = sql`select * from local_list_entry where charger_id = ${rule.chargerId} and not ${whole}::boolean`;
  const { rows } = await sql<{
    id_token: string;
    belongs: boolean;
    status: LocalListStatus;
    expiry_time: Date | null;
    parent_id_token: string;
  }>`
    with wanted as (${wantedEntries(rule, now)}), fitting as (select * from wanted where place <= ${rule.entriesMax})
    select coalesce(fitting.id_token, listed.id_token) as id_token, fitting.folded is not null as belongs,
      coalesce(fitting.status, listed.status) as status, fitting.expiry_time, coalesce(fitting.parent_id_token, '') as parent_id_token
    from fitting full join (${listed}) listed on listed.folded = fitting.folded
    where (fitting.folded, fitting.status, fitting.expiry_time, fitting.parent_id_token)
      is distinct from (listed.folded, listed.status, listed.expiry_time, listed.parent_id_token)
    order by fitting.place nulls first, listed.folded
    limit ${limit}`.execute(db);
  return rows.map((row) => ({
    idToken: row.id_token,
    belongs: row.belongs,
    status: row.status,
    expiryTime: row.expiry_time ?? undefined,
    parentIdToken: row.parent_id_token,
  }));
}

/** How many id tokens should be on a list and have no room, and when the next of those that are on it expires. */
export async function listOutlook(db: Db, rule: ListRule, now: Date): Promise<{ omitted: number; nextExpiryTime: Date | undefined }> {
  const anyLength = { ...rule, idTokenLengthMax: 2 ** 31 - 1 };
  const { rows } = await sql<{ fitting: number; all: number; next: Date | null }>`
    with wanted as (${wantedEntries(rule, now)}), fitting as (select * from wanted where place <= ${rule.entriesMax})
    select (select count(*) from fitting) as fitting, (select count(*) from (${wantedEntries(anyLength, now)}) every) as all,
      (select min(expiry_time) from fitting where expiry_time > ${now}::timestamptz) as next`.execute(db);
  const [{ fitting, all, next } = { fitting: 0, all: 0, next: null }] = rows;
  return { omitted: all - fitting, nextExpiryTime: next ?? undefined };
}
