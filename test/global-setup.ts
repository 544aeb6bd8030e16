import { mkdtempSync, rmSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { startPostgres } from "../tools/servers/postgres.ts";
import { guardFolder } from "../tools/servers/reaper.ts";
import { makePassword, makeRoles, type Passwords } from "../tools/servers/roles.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The one Postgres of this run. Tests make databases in it with `freshDatabase`. */
    postgres: { adminUrl: string; passwords: Passwords };
  }
}

/** Starts a throw-away Postgres for the whole run, on a free port, in a folder of its own. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), "chargemesh-test-"));
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
  project.provide("postgres", { adminUrl: postgres.url, passwords });
  return async () => {
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  };
}
