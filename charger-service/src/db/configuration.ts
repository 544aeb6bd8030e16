import { sql } from "kysely";
import type { ConfigurationKeyRow, ConfigurationState } from "./configuration-tables.ts";
import { folded } from "./id-token.ts";
import type { Db } from "./schema.ts";

const columns = [
  "charger_id",
  "key",
  "folded",
  "value",
  "read_only",
  "is_unknown",
  "read_time",
  "wanted_value",
  "wanted_time",
  "wanted_user_id",
  "wanted_state",
  "unanswered",
  "command_id",
  "state",
] as const;

/** All that is known of a key but its name in lower case, which the database makes. */
export type ConfigurationKeyFacts = Omit<ConfigurationKeyRow, "folded">;

/** Keys of a charger, by name, from the one after `afterFolded`. */
export function configurationKeysAfter(
  db: Db,
  chargerId: string,
  afterFolded: string | undefined,
  limit: number,
  state: ConfigurationState | undefined,
): Promise<ConfigurationKeyRow[]> {
  let query = db.selectFrom("configuration_key").select(columns).where("charger_id", "=", chargerId).orderBy("folded").limit(limit);
  if (afterFolded !== undefined) query = query.where("folded", ">", afterFolded);
  if (state !== undefined) query = query.where("state", "=", state);
  return query.execute();
}

/** How many keys of a charger are known. */
export async function countConfigurationKeys(db: Db, chargerId: string): Promise<number> {
  const { count } = await db
    .selectFrom("configuration_key")
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .where("charger_id", "=", chargerId)
    .executeTakeFirstOrThrow();
  return count;
}

/** Undefined if nothing is known of it. */
export function configurationKey(db: Db, chargerId: string, key: string): Promise<ConfigurationKeyRow | undefined> {
  return db
    .selectFrom("configuration_key")
    .select(columns)
    .where("charger_id", "=", chargerId)
    .where("folded", "=", folded(key))
    .executeTakeFirst();
}

/** Lets nobody else begin to change what is known of a charger's keys until the database transaction ends: also of those that nothing is known of yet. */
export async function lockConfiguration(tx: Db, chargerId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended('configuration of ' || ${chargerId}::text, 0))`.execute(tx);
}

/** The key, held until the database transaction ends. Undefined if nothing is known of it. */
export async function lockConfigurationKey(tx: Db, chargerId: string, key: string): Promise<ConfigurationKeyRow | undefined> {
  const [row] = await lockConfigurationKeys(tx, chargerId, [key]);
  return row;
}

/** Those of these keys that are known, held until the database transaction ends. */
export function lockConfigurationKeys(tx: Db, chargerId: string, keys: readonly string[]): Promise<ConfigurationKeyRow[]> {
  return tx
    .selectFrom("configuration_key")
    .select(columns)
    .where("charger_id", "=", chargerId)
    .where("folded", "=", sql<string>`any(select lower(key collate "C") from unnest(${[...keys]}::text[]) as keys (key))`)
    .orderBy("folded")
    .forUpdate()
    .execute();
}

/** The key whose wanted value this command carries, held until the database transaction ends. Undefined if it carries none, or not the newest. */
export function lockConfigurationKeyOf(tx: Db, commandId: string): Promise<ConfigurationKeyRow | undefined> {
  return tx.selectFrom("configuration_key").select(columns).where("command_id", "=", commandId).forUpdate().executeTakeFirst();
}

/** Keeps all this of keys, whether or not they were known before. Each key may be there once. */
export async function putConfigurationKeys(tx: Db, rows: readonly ConfigurationKeyFacts[]): Promise<ConfigurationKeyRow[]> {
  if (rows.length === 0) return [];
  return tx
    .insertInto("configuration_key")
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(["charger_id", "folded"]).doUpdateSet(({ ref }) => ({
        key: ref("excluded.key"),
        value: ref("excluded.value"),
        read_only: ref("excluded.read_only"),
        is_unknown: ref("excluded.is_unknown"),
        read_time: ref("excluded.read_time"),
        wanted_value: ref("excluded.wanted_value"),
        wanted_time: ref("excluded.wanted_time"),
        wanted_user_id: ref("excluded.wanted_user_id"),
        wanted_state: ref("excluded.wanted_state"),
        unanswered: ref("excluded.unanswered"),
        command_id: ref("excluded.command_id"),
        state: ref("excluded.state"),
      })),
    )
    .returning(columns)
    .execute();
}

/** Forgets all that is known of a key. */
export async function deleteConfigurationKey(tx: Db, { charger_id, folded: name }: ConfigurationKeyRow): Promise<void> {
  await tx.deleteFrom("configuration_key").where("charger_id", "=", charger_id).where("folded", "=", name).execute();
}

/** Notes that a charger has booted: what it was to take up then is its to say now. */
export async function noteBoot(tx: Db, chargerId: string): Promise<void> {
  await tx
    .updateTable("configuration_key")
    .set({ wanted_state: "BOOTED" })
    .where("charger_id", "=", chargerId)
    .where("wanted_state", "=", "REBOOT")
    .execute();
}

/** What a charger was wanted to have and has not answered, and nothing is under way to it that says it. */
export function unsentKeys(db: Db, chargerId: string): Promise<ConfigurationKeyRow[]> {
  return db
    .selectFrom("configuration_key")
    .select(columns)
    .where("charger_id", "=", chargerId)
    .where("wanted_state", "=", "WAITING")
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom("command")
            .select("id")
            .whereRef("command.id", "=", "configuration_key.command_id")
            .where("command.state", "in", ["QUEUED", "SENT"]),
        ),
      ),
    )
    .orderBy("folded")
    .execute();
}

/** Keys that the charger has said nothing of since then. Those that it does not know only if somebody wants them. */
export async function keysUnreadSince(db: Db, chargerId: string, time: Date): Promise<string[]> {
  const rows = await db
    .selectFrom("configuration_key")
    .select("key")
    .where("charger_id", "=", chargerId)
    .where((eb) => eb.or([eb("read_time", "is", null), eb("read_time", "<", time)]))
    .where((eb) => eb.or([eb("is_unknown", "=", false), eb("wanted_value", "is not", null)]))
    .orderBy("folded")
    .execute();
  return rows.map(({ key }) => key);
}

/**
 * Begins a reading of all that a charger is set to. False if one has begun within the last `seconds`, and no value waits to be read after a boot.
 */
export async function beginReading(db: Db, chargerId: string, seconds: number): Promise<boolean> {
  const { rows } = await sql`
    insert into configuration_reading (charger_id, begin_time) values (${chargerId}, now())
    on conflict (charger_id) do update set begin_time = now()
      where configuration_reading.begin_time <= now() - make_interval(secs => ${seconds})
        or exists (select from configuration_key k where k.charger_id = ${chargerId} and k.wanted_state = 'BOOTED')
    returning charger_id`.execute(db);
  return rows.length > 0;
}

/** How much may be asked of a charger at once, as far as it says. */
export interface ChargerLimits {
  keys_per_reading?: number;
  list_entries?: number;
  list_entries_per_update?: number;
}

/** Undefined if the charger says nothing of it. */
export function chargerLimits(db: Db, chargerId: string) {
  return db
    .selectFrom("charger_limit")
    .select(["keys_per_reading", "list_entries", "list_entries_per_update"])
    .where("charger_id", "=", chargerId)
    .executeTakeFirst();
}

/** Keeps what a charger says of its limits; those that it does not name stay. */
export async function putChargerLimits(tx: Db, chargerId: string, limits: ChargerLimits): Promise<void> {
  if (Object.keys(limits).length === 0) return;
  await tx
    .insertInto("charger_limit")
    .values({ charger_id: chargerId, ...limits })
    .onConflict((conflict) => conflict.column("charger_id").doUpdateSet(limits))
    .execute();
}
