import { type Selectable, sql } from "kysely";
import type { MessageTables } from "./message-tables.ts";
import type { Db, Relaxation } from "./schema.ts";

export type VendorRelaxationRow = Selectable<MessageTables["vendor_relaxation"]>;
export type RelaxationUseRow = Selectable<MessageTables["relaxation_use"]>;

/** Who made a charger, by its own word. */
export interface Maker {
  vendor: string;
  model: string;
}

/** What is allowed of the messages of a charger, itself or by its vendor. `maker` is what it says now; else what it said when it booted counts. */
export async function allowedRelaxations(db: Db, chargerId: string, maker: Maker | undefined): Promise<ReadonlySet<Relaxation>> {
  const { rows } = await sql<{ relaxations: Relaxation[] }>`
    select relaxations from charger where id = ${chargerId}
    union all
    select own.relaxations from charger
      join vendor_relaxation own on lower(own.vendor) = lower(coalesce(${maker?.vendor ?? null}::text, charger.vendor))
        and lower(own.model) in ('', lower(coalesce(${maker?.model ?? null}::text, charger.model)))
      where charger.id = ${chargerId}`.execute(db);
  return new Set(rows.flatMap(({ relaxations }) => relaxations));
}

/** Adds to how often relaxations were used, all in one statement; each of a charger may be there once. Those of chargers that are gone are left out. */
export async function addRelaxationUses(db: Db, uses: readonly RelaxationUseRow[]): Promise<void> {
  const all = <Name extends keyof RelaxationUseRow>(name: Name): RelaxationUseRow[Name][] => uses.map((use) => use[name]);
  await sql`
    insert into relaxation_use (charger_id, relaxation, allowed, count, last_time, last_action, last_field)
    select one.* from unnest(${all("charger_id")}::text[], ${all("relaxation")}::text[], ${all("allowed")}::boolean[], ${all("count")}::bigint[],
      ${all("last_time")}::timestamptz[], ${all("last_action")}::text[], ${all("last_field")}::text[])
      as one (charger_id, relaxation, allowed, count, last_time, last_action, last_field) join charger on charger.id = one.charger_id
    order by one.charger_id, one.relaxation, one.allowed
    on conflict (charger_id, relaxation, allowed) do update set count = relaxation_use.count + excluded.count,
      last_time = excluded.last_time, last_action = excluded.last_action, last_field = excluded.last_field`.execute(db);
}

/** By relaxation, those that were not allowed first. */
export function relaxationUsesOf(db: Db, chargerId: string): Promise<RelaxationUseRow[]> {
  return db.selectFrom("relaxation_use").selectAll().where("charger_id", "=", chargerId).orderBy("relaxation").orderBy("allowed").execute();
}

/** Undefined if there is one of this vendor and model. */
export function insertVendorRelaxation(
  tx: Db,
  relaxation: { vendor: string; model: string; relaxations: Relaxation[] },
): Promise<VendorRelaxationRow | undefined> {
  return tx
    .insertInto("vendor_relaxation")
    .values(relaxation)
    .onConflict((conflict) => conflict.expression(sql`lower(vendor), lower(model)`).doNothing())
    .returningAll()
    .executeTakeFirst();
}

/** Undefined if there is none. */
export function vendorRelaxationById(db: Db, id: string): Promise<VendorRelaxationRow | undefined> {
  return db.selectFrom("vendor_relaxation").selectAll().where("id", "=", id).executeTakeFirst();
}

/** Newest first, after the given one. */
export function vendorRelaxationsBefore(
  db: Db,
  cursor: { createTime: string; id: string } | undefined,
  limit: number,
): Promise<VendorRelaxationRow[]> {
  const query = db.selectFrom("vendor_relaxation").selectAll().orderBy("create_time", "desc").orderBy("id", "desc").limit(limit);
  if (cursor === undefined) return query.execute();
  return query.where(sql<boolean>`(create_time, id) < (${cursor.createTime}::timestamptz, ${cursor.id}::uuid)`).execute();
}

/** Undefined if there is none, or if `version` is given and stale: someone else wrote first. */
export function updateVendorRelaxation(
  tx: Db,
  id: string,
  version: number | undefined,
  relaxations: Relaxation[],
): Promise<VendorRelaxationRow | undefined> {
  let query = tx
    .updateTable("vendor_relaxation")
    .set((eb) => ({ relaxations, version: eb("version", "+", 1), update_time: sql<Date>`now()` }))
    .where("id", "=", id);
  if (version !== undefined) query = query.where("version", "=", version);
  return query.returningAll().executeTakeFirst();
}

/** Undefined if there was none. */
export function deleteVendorRelaxation(tx: Db, id: string): Promise<VendorRelaxationRow | undefined> {
  return tx.deleteFrom("vendor_relaxation").where("id", "=", id).returningAll().executeTakeFirst();
}
