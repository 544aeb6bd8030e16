import { sql } from "kysely";
import { folded } from "./id-token.ts";
import type { Db } from "./schema.ts";

// Which id tokens are chosen for lists, and which lists have to be looked at again.

/** Chooses an id token for the list of a charger. False if there is no such id token. */
export async function chooseToken(tx: Db, chargerId: string, idToken: string): Promise<boolean> {
  const found = await tx.selectFrom("id_token").select("folded").where("folded", "=", folded(idToken)).forShare().executeTakeFirst();
  if (found === undefined) return false;
  await tx
    .insertInto("local_list_token")
    .values({ charger_id: chargerId, folded: found.folded })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return true;
}

/** False if it was not chosen. */
export async function unchooseToken(tx: Db, chargerId: string, idToken: string): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom("local_list_token")
    .where("charger_id", "=", chargerId)
    .where("folded", "=", folded(idToken))
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

/** The id tokens that are chosen for a list, by name, from the one after `afterFolded`. */
export function chosenTokensAfter(db: Db, chargerId: string, afterFolded: string | undefined, limit: number) {
  let query = db
    .selectFrom("local_list_token")
    .innerJoin("id_token", "id_token.folded", "local_list_token.folded")
    .select(["id_token.id_token", "id_token.folded"])
    .where("charger_id", "=", chargerId)
    .orderBy("id_token.folded")
    .limit(limit);
  if (afterFolded !== undefined) query = query.where("id_token.folded", ">", afterFolded);
  return query.execute();
}

/**
 * Marks the lists that id tokens which have changed, or expired, may be on. After a change also those that are marked already: of one of them
 * may just be noted that it has all that was known before, and we wait for that.
 */
export async function markLists(tx: Db): Promise<void> {
  const gone = await tx.deleteFrom("id_token_change").returning("folded").execute();
  const changed = sql`select distinct folded from unnest(${gone.map(({ folded }) => folded)}::text[]) as change (folded)`;
  await sql`
    with changed as (${changed})
    update local_list set is_due = true
    where mode <> 'OFF' and (not is_due or ${gone.length > 0}::boolean) and (
      next_expiry_time <= now()
      or (mode = 'ALL' and exists (select from changed))
      or exists (select from local_list_entry entry join changed on changed.folded in (entry.folded, lower(entry.parent_id_token))
        where entry.charger_id = local_list.charger_id)
      or exists (select from local_list_token chosen join id_token own on own.folded = chosen.folded
        join changed on changed.folded in (own.folded, lower(own.parent_id_token))
        where chosen.charger_id = local_list.charger_id))`.execute(tx);
}

/** The chargers of this replica that are to be told of a change, the longest untold first. */
export async function chargersToTell(db: Db, replicaId: string, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom("local_list")
    .innerJoin("charger", "charger.id", "local_list.charger_id")
    .select("charger.id")
    .where("charger.replica_id", "=", replicaId)
    .where("charger.registration", "=", "ACCEPTED")
    .where("is_due", "=", true)
    .where("command_id", "is", null)
    .where("refusal", "<>", "NotSupported")
    .where((eb) => eb.or([eb("retry_time", "is", null), eb("retry_time", "<=", sql<Date>`now()`)]))
    .orderBy("local_list.update_time", (order) => order.nullsFirst())
    .limit(limit)
    .execute();
  return rows.map(({ id }) => id);
}
