import { join } from "node:path";
import { type Nats, startNats } from "../servers/nats.ts";
import { type Postgres, startPostgres } from "../servers/postgres.ts";
import { databaseUrls, makeDatabase, makeRoles } from "../servers/roles.ts";
import { StartError } from "../servers/start-error.ts";
import type { Folders } from "./folders.ts";
import type { Secrets } from "./secrets.ts";
import type { Settings } from "./settings.ts";
import { startTask, type Task } from "./task.ts";
import type { Terminal } from "./terminal.ts";

const DATABASE = "chargemesh";

/** Starts our own Postgres. When it has to be started again, it is on the same port, which everybody knows by then. */
export function startOwnPostgres(folders: Folders, secrets: Secrets, terminal: Terminal): Promise<Task<Postgres>> {
  const options = { dataDir: folders.postgres, password: secrets.postgres, logFile: join(folders.logs, "postgres.log"), durable: true };
  return startTask({
    name: "postgres",
    start: (first) => startPostgres({ ...options, port: first?.port ?? 0 }),
    report: (text) => terminal.warn("postgres", text),
  });
}

/** Makes the database and the roles that are not there, and says how they are reached. */
export async function makeOwnDatabase(adminUrl: string, secrets: Secrets): Promise<Settings> {
  await makeRoles(adminUrl, secrets.roles);
  await makeDatabase(adminUrl, DATABASE);
  const { ownerUrl, authUrl, chargerUrl, emailUrl } = databaseUrls(adminUrl, DATABASE, secrets.roles);
  return { MIGRATE_DATABASE_URL: ownerUrl, AUTH_DATABASE_URL: authUrl, CHARGER_DATABASE_URL: chargerUrl, EMAIL_DATABASE_URL: emailUrl };
}

/** How each service reaches our own NATS, as the user that it is there. */
export function natsUrls(port: number, { nats }: Secrets): Settings {
  const as = (user: keyof Secrets["nats"]): string => `nats://${user}-service:${nats[user]}@127.0.0.1:${port}`;
  return { AUTH_NATS_URL: as("auth"), CHARGER_NATS_URL: as("charger"), EMAIL_NATS_URL: as("email") };
}

/** Starts our own NATS, in the same manner. */
export function startOwnNats(folders: Folders, secrets: Secrets, terminal: Terminal): Promise<Task<Nats>> {
  const note = (text: string): void => terminal.fact("nats", text);
  const options = { dir: folders.nats, password: secrets.nats, logFile: join(folders.logs, "nats.log"), note };
  return startTask({
    name: "nats",
    start: (first) => startNats({ ...options, port: first?.port ?? 0 }),
    report: (text) => terminal.warn("nats", text),
  });
}

const DATABASE_SETTINGS = ["MIGRATE_DATABASE_URL", "AUTH_DATABASE_URL", "CHARGER_DATABASE_URL", "EMAIL_DATABASE_URL"] as const;

/**
 * How the owner and the services reach the database that the settings name: DATABASE_URL for those that have no setting of their own.
 * Undefined if they name none. Throws StartError if they name some and not all.
 */
export function givenDatabase(settings: Settings): Settings | undefined {
  const urls = DATABASE_SETTINGS.map((name) => ({ name, url: settings[name] ?? settings.DATABASE_URL }));
  const missing = urls.filter(({ url }) => url === undefined).map(({ name }) => name);
  if (missing.length === urls.length) return undefined;
  if (missing.length > 0)
    throw new StartError(`There is a database of your own but for ${missing.join(", ")}: set those, or DATABASE_URL for all.`);
  return Object.fromEntries(urls.map(({ name, url }) => [name, url ?? ""]));
}

const NATS_SETTINGS = ["AUTH_NATS_URL", "CHARGER_NATS_URL", "EMAIL_NATS_URL"] as const;

/** Whether the settings name a NATS server. Throws StartError if they do for some services and not for all. */
export function givenNats(settings: Settings): boolean {
  const missing = NATS_SETTINGS.filter((name) => (settings[name] ?? settings.NATS_URL) === undefined);
  if (missing.length > 0 && missing.length < NATS_SETTINGS.length)
    throw new StartError(`There is a NATS of your own but for ${missing.join(", ")}: set those, or NATS_URL for all.`);
  return missing.length === 0;
}
