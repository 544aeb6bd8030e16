import { Kysely, PostgresDialect, sql } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import { Pool } from "pg";
import { readEnv, readProcessConfig, type Vars } from "./config.ts";
import type { Logger } from "./log.ts";

export type { Migration } from "kysely/migration";

/** Who migrates and for whom; `serviceUrl` names the setting with the service's own URL. DATABASE_URL stands in for what is not set. */
export function readMigrateConfig(vars: Vars, serviceUrl: string) {
  const env = readEnv(vars);
  const common = env.optional("DATABASE_URL");
  const url = env.string(serviceUrl, common);
  return env.done({
    ...readProcessConfig(env),
    ownerUrl: env.string("MIGRATE_DATABASE_URL", common),
    /** Who may read and write the tables. */
    role: URL.canParse(url) ? decodeURIComponent(new URL(url).username) : "",
  });
}

/**
 * Brings a schema up to date: creates it, runs the numbered migrations that have not run, and lets `role` read and write.
 * Several may try at once; one does it and the others wait. Throws if a migration fails; what it did is undone.
 */
export async function migrate(
  url: string,
  schema: string,
  migrations: Record<string, Migration>,
  role: string,
  log: Logger,
): Promise<void> {
  const pool = new Pool({ connectionString: url, max: 1, options: `-c search_path=${schema}`, application_name: `${schema}-migrate` });
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations }, migrationTableSchema: schema });
    const { error, results = [] } = await migrator.migrateToLatest();
    for (const { migrationName, status } of results) log.info({ schema, migration: migrationName, status }, "migration");
    if (error !== undefined) throw error;
    // At once, or for a moment the service might change what it may only add to.
    await db.transaction().execute((tx) => grant(tx, schema, role));
  } finally {
    await db.destroy();
  }
}

/** Tables whose rows the service may neither change nor remove; their comments say so. */
async function appendOnlyTables(db: Kysely<unknown>, schema: string): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select relname as name from pg_class
    where relnamespace = ${schema}::regnamespace and relkind in ('r', 'p') and obj_description(oid, 'pg_class') like 'append-only%'`.execute(
    db,
  );
  return rows.map(({ name }) => name);
}

async function grant(db: Kysely<unknown>, schema: string, role: string): Promise<void> {
  const { rows } = await sql<{ same: boolean }>`select current_user = ${role} as same`.execute(db);
  if (rows[0]?.same === true) return;
  const s = sql.id(schema);
  const r = sql.id(role);
  await sql`grant usage on schema ${s} to ${r}`.execute(db);
  await sql`grant select, insert, update, delete on all tables in schema ${s} to ${r}`.execute(db);
  for (const table of await appendOnlyTables(db, schema))
    await sql`revoke update, delete on ${sql.id(schema, table)} from ${r}`.execute(db);
  await sql`grant usage on all sequences in schema ${s} to ${r}`.execute(db);
  // What migrations have run is the owner's business.
  await sql`revoke all on ${sql.id(schema, "kysely_migration")}, ${sql.id(schema, "kysely_migration_lock")} from ${r}`.execute(db);
}
