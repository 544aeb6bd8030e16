import { randomBytes } from "node:crypto";
import pg from "pg";

/** The role that owns the tables and migrates, and those of the services, which may only read and write what is theirs. */
const ROLES = { owner: "chargemesh_owner", auth: "chargemesh_auth", charger: "chargemesh_charger", email: "chargemesh_email" } as const;
/** What makes a role no more than what it is granted, whatever it was before. */
const PLAIN = "nosuperuser nocreatedb nocreaterole noreplication nobypassrls";
const KINDS = ["owner", "auth", "charger", "email"] as const;

export type Passwords = Readonly<Record<(typeof KINDS)[number], string>>;

/** How the owner and each service reach one database. */
export type DatabaseUrls = { readonly ownerUrl: string; readonly authUrl: string; readonly chargerUrl: string; readonly emailUrl: string };

/** A password that needs no escaping in a URL, in SQL or in a configuration: 24 bytes of chance. */
export function makePassword(): string {
  return randomBytes(24).toString("base64url");
}

/** Makes the roles in this server, or gives them these passwords. */
export async function makeRoles(adminUrl: string, passwords: Passwords): Promise<void> {
  await withClient(adminUrl, async (client) => {
    const { rows } = await client.query<{ rolname: string }>("select rolname from pg_roles");
    const there = new Set(rows.map((row) => row.rolname));
    for (const kind of KINDS) {
      const verb = there.has(ROLES[kind]) ? "alter" : "create";
      await client.query(`${verb} role ${ROLES[kind]} with login ${PLAIN} password ${client.escapeLiteral(passwords[kind])}`);
    }
  });
}

/** Makes a database that belongs to the owner and that the services may enter, if it is not there. */
export async function makeDatabase(adminUrl: string, name: string): Promise<void> {
  await withClient(adminUrl, async (client) => {
    const { rowCount } = await client.query("select from pg_database where datname = $1", [name]);
    const database = client.escapeIdentifier(name);
    if (rowCount === 0) await client.query(`create database ${database} owner ${ROLES.owner}`);
    await client.query(`revoke all on database ${database} from public`);
    await withClient(urlOf(adminUrl, name), (inside) => inside.query("revoke all on schema public from public"));
    await client.query(grantConnect(database));
  });
}

/**
 * Makes a database that has what is in another one, made by `makeDatabase`, which nobody may be connected to. For throw-away servers: it
 * copies files as they are, and a crash meanwhile would lose them.
 */
export async function copyDatabase(adminUrl: string, name: string, template: string): Promise<void> {
  await withClient(adminUrl, async (client) => {
    const database = client.escapeIdentifier(name);
    await client.query(`create database ${database} owner ${ROLES.owner} template ${client.escapeIdentifier(template)} strategy file_copy`);
    // Who may connect is not copied.
    await client.query(`revoke all on database ${database} from public; ${grantConnect(database)}`);
  });
}

function grantConnect(database: string): string {
  return `grant connect on database ${database} to ${ROLES.auth}, ${ROLES.charger}, ${ROLES.email}`;
}

/** Removes a database, whoever is connected to it. */
export async function dropDatabase(adminUrl: string, name: string): Promise<void> {
  await withClient(adminUrl, (client) => client.query(`drop database if exists ${client.escapeIdentifier(name)} with (force)`));
}

/** The URLs to a database on the server of `adminUrl`. */
export function databaseUrls(adminUrl: string, database: string, passwords: Passwords): DatabaseUrls {
  const as = (kind: (typeof KINDS)[number]): string => {
    const url = new URL(urlOf(adminUrl, database));
    url.username = ROLES[kind];
    url.password = passwords[kind];
    return url.href;
  };
  return { ownerUrl: as("owner"), authUrl: as("auth"), chargerUrl: as("charger"), emailUrl: as("email") };
}

function urlOf(adminUrl: string, database: string): string {
  const url = new URL(adminUrl);
  url.pathname = database;
  return url.href;
}

async function withClient(url: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  // What a crash takes back is done again by the next start.
  const client = new pg.Client({ connectionString: url, options: "-c synchronous_commit=off" });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
