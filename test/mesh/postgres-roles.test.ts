import { makeLogger } from "@chargemesh/kit/log";
import { migrate } from "@chargemesh/kit/migrate";
import { migrations as authMigrations } from "auth-service/src/db/migrations.ts";
import { migrations as chargerMigrations } from "charger-service/src/db/migrations.ts";
import { migrations as emailMigrations } from "email-service/src/db/migrations.ts";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { emptyDatabase, type FreshDatabase } from "../servers.ts";

// What the role of each service may do in the database, found out by doing it.

const services = {
  auth: { schema: "authentication", migrations: authMigrations },
  charger: { schema: "ocpp", migrations: chargerMigrations },
  email: { schema: "email", migrations: emailMigrations },
} as const;
type Service = keyof typeof services;
const names = Object.keys(services) as Service[];

let database: FreshDatabase;
let owner: pg.Client;
let clients: Record<Service, pg.Client>;

beforeAll(async () => {
  database = await emptyDatabase();
  const urls = { auth: database.authUrl, charger: database.chargerUrl, email: database.emailUrl };
  const log = makeLogger("test", "silent");
  for (const name of names) {
    const { schema, migrations } = services[name];
    await migrate(database.ownerUrl, schema, migrations, new URL(urls[name]).username, log);
  }
  owner = await connect(database.ownerUrl);
  clients = { auth: await connect(urls.auth), charger: await connect(urls.charger), email: await connect(urls.email) };
});
afterAll(async () => {
  for (const client of [owner, ...Object.values(clients)]) await client.end();
  await database.drop();
});

async function connect(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  return client;
}

/** How Postgres answers: "OK", or the class of what it says instead. What was done is undone. */
async function answerTo(client: pg.Client, sql: string): Promise<string> {
  await client.query("begin");
  try {
    await client.query(sql);
    return "OK";
  } catch (err) {
    return err instanceof pg.DatabaseError && err.code === "42501" ? "DENIED" : String(err);
  } finally {
    await client.query("rollback");
  }
}

interface Table {
  name: string;
  isAppendOnly: boolean;
}

const MIGRATIONS = ["kysely_migration", "kysely_migration_lock"];

async function tablesOf(schema: string): Promise<Table[]> {
  const { rows } = await owner.query(
    `select relname as name, coalesce(obj_description(oid, 'pg_class') like 'append-only%', false) as "isAppendOnly"
     from pg_class where relnamespace = $1::regnamespace and relkind in ('r', 'p')`,
    [schema],
  );
  return rows.filter(({ name }) => !MIGRATIONS.includes(name));
}

test.each(names)(
  "%s reads and writes its own tables, adds to those that are only added to, and changes none of their shapes",
  async (name) => {
    const { schema } = services[name];
    const tables = await tablesOf(schema);
    expect(tables.length).toBeGreaterThan(2);
    const wrong: string[] = [];
    for (const { name: table, isAppendOnly } of tables) {
      const at = `${schema}."${table}"`;
      const rewriting = isAppendOnly ? "DENIED" : "OK";
      const attempts: [sql: string, expected: string][] = [
        [`select * from ${at} limit 1`, "OK"],
        [`delete from ${at} where false`, rewriting],
        [`truncate ${at}`, "DENIED"],
        [`create trigger mine before insert on ${at} for each row execute function suppress_redundant_updates_trigger()`, "DENIED"],
      ];
      // It may lack values, but not the right.
      if ((await answerTo(clients[name], `insert into ${at} default values`)) === "DENIED") wrong.push(`insert into ${at}`);
      for (const [sql, expected] of attempts) {
        const answer = await answerTo(clients[name], sql);
        if (answer !== expected) wrong.push(`${sql}: ${answer}`);
      }
      for (const sql of [`drop table ${at}`, `alter table ${at} add mine int`, `create index mine on ${at} ((1))`]) {
        const answer = await answerTo(clients[name], sql);
        if (!/must be owner of table|DENIED/.test(answer)) wrong.push(`${sql}: ${answer}`);
      }
    }
    expect(wrong).toEqual([]);
  },
);

test("only auth-service has the audit log, and cannot rewrite it", async () => {
  const appendOnly: string[] = [];
  for (const name of names) {
    for (const table of await tablesOf(services[name].schema)) if (table.isAppendOnly) appendOnly.push(table.name);
  }
  expect(appendOnly).toEqual(["audit_entry"]);
  expect(await answerTo(clients.auth, "update authentication.audit_entry set action = ''")).toBe("DENIED");
});

test.each(names)("%s makes nothing, and is nobody but itself", async (name) => {
  const { schema } = services[name];
  const client = clients[name];
  const others = names.filter((other) => other !== name);
  const denied = [
    `create table ${schema}.mine (id int)`,
    `create function ${schema}.mine() returns int language sql as 'select 1'`,
    "create table public.mine (id int)",
    "create schema mine",
    "create temporary table mine (id int)",
    "create role mine",
    "set role postgres",
    "set role chargemesh_owner",
    ...others.map((other) => `set role chargemesh_${other}`),
    "set session_replication_role = replica",
    "copy (select 1) to program 'true'",
    "copy (select 1) to '/tmp/mine'",
    "select pg_read_file('PG_VERSION')",
    "select * from pg_authid",
    "select pg_reload_conf()",
    `select * from ${schema}.kysely_migration`,
    `update ${schema}.kysely_migration_lock set is_locked = 1`,
    `grant select on all tables in schema ${schema} to chargemesh_${others[0]}`,
  ];
  const wrong: string[] = [];
  for (const sql of denied) {
    const answer = await answerTo(client, sql);
    if (answer !== "DENIED") wrong.push(`${sql}: ${answer}`);
  }
  expect(wrong).toEqual([]);
  const { rows } = await owner.query(
    "select rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls from pg_roles where rolname = $1",
    [`chargemesh_${name}`],
  );
  expect(rows).toEqual([{ rolsuper: false, rolcreaterole: false, rolcreatedb: false, rolreplication: false, rolbypassrls: false }]);
});

test.each(names)("%s sees nothing of the other services", async (name) => {
  const wrong: string[] = [];
  for (const other of names.filter((one) => one !== name)) {
    const { schema } = services[other];
    for (const { name: table } of await tablesOf(schema)) {
      const answer = await answerTo(clients[name], `select * from ${schema}."${table}" limit 1`);
      if (answer !== "DENIED") wrong.push(`${schema}.${table}: ${answer}`);
    }
    const { rows } = await owner.query("select proname as name from pg_proc where pronamespace = $1::regnamespace", [schema]);
    for (const { name: routine } of rows) {
      const answer = await answerTo(clients[name], `select ${schema}."${routine}"()`);
      if (answer !== "DENIED") wrong.push(`${schema}.${routine}(): ${answer}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("an update of the tables again leaves every right as it was", async () => {
  const { schema, migrations } = services.auth;
  await migrate(database.ownerUrl, schema, migrations, "chargemesh_auth", makeLogger("test", "silent"));
  expect(await answerTo(clients.auth, "delete from authentication.audit_entry")).toBe("DENIED");
  expect(await answerTo(clients.auth, 'select * from authentication."user"')).toBe("OK");
});
