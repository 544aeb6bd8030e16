import { mkdtempSync, rmSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { makeLogger } from "@chargemesh/kit/log";
import { migrate } from "@chargemesh/kit/migrate";
import { migrations as authMigrations } from "auth-service/src/db/migrations.ts";
import { SCHEMA as AUTH_SCHEMA } from "auth-service/src/db/schema.ts";
import { migrations as chargerMigrations } from "charger-service/src/db/migrations.ts";
import { SCHEMA as CHARGER_SCHEMA } from "charger-service/src/db/schema.ts";
import { migrations as emailMigrations } from "email-service/src/db/migrations.ts";
import { SCHEMA as EMAIL_SCHEMA } from "email-service/src/db/schema.ts";
import type { TestProject } from "vitest/node";
import { startPostgres } from "../tools/servers/postgres.ts";
import { guardFolder } from "../tools/servers/reaper.ts";
import { databaseUrls, makeDatabase, makePassword, makeRoles, type Passwords } from "../tools/servers/roles.ts";
import { scratchFolder } from "./scratch.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The one Postgres of this run. Tests make databases in it with `freshDatabase`, copies of the one that is named `migrated`. */
    postgres: { adminUrl: string; passwords: Passwords; migrated: string };
  }
}

const MIGRATED = "migrated";

/** Starts a throw-away Postgres for the whole run, on a free port, in a folder of its own. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(scratchFolder(), "chargemesh-test-"));
  guardFolder(folder);
  // As root, Postgres runs as somebody else, who must be able to pass.
  await chmod(folder, 0o711);
  const postgres = await startPostgres({
    dataDir: join(folder, "postgres"),
    port: 0,
    password: makePassword(),
    logFile: join(folder, "postgres.log"),
    durable: false,
  });
  const passwords = { owner: makePassword(), auth: makePassword(), charger: makePassword(), email: makePassword() };
  await makeRoles(postgres.url, passwords);
  await makeMigrated(postgres.url, passwords);
  project.provide("postgres", { adminUrl: postgres.url, passwords, migrated: MIGRATED });
  return async () => {
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  };
}

/** Migrates once what every test copies. */
async function makeMigrated(adminUrl: string, passwords: Passwords): Promise<void> {
  await makeDatabase(adminUrl, MIGRATED);
  const urls = databaseUrls(adminUrl, MIGRATED, passwords);
  const log = makeLogger("test", "silent");
  for (const [schema, migrations, url] of [
    [AUTH_SCHEMA, authMigrations, urls.authUrl],
    [CHARGER_SCHEMA, chargerMigrations, urls.chargerUrl],
    [EMAIL_SCHEMA, emailMigrations, urls.emailUrl],
  ] as const)
    await migrate(urls.ownerUrl, schema, migrations, new URL(url).username, log);
}
