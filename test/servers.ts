import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject } from "vitest";
import { type NatsOptions, startNats } from "../tools/servers/nats.ts";
import { guardFolder } from "../tools/servers/reaper.ts";
import { copyDatabase, type DatabaseUrls, databaseUrls, dropDatabase, makeDatabase, makePassword } from "../tools/servers/roles.ts";

/** A database of a test's own in the Postgres of this run, with the roles that `make up` has too. */
export type FreshDatabase = DatabaseUrls & { drop(): Promise<void> };

/** Makes one that has the tables of every service. */
export function freshDatabase(): Promise<FreshDatabase> {
  return withDatabase((adminUrl, name) => copyDatabase(adminUrl, name, inject("postgres").migrated));
}

/** Makes one that nobody has migrated yet. */
export function emptyDatabase(): Promise<FreshDatabase> {
  return withDatabase(makeDatabase);
}

async function withDatabase(make: (adminUrl: string, name: string) => Promise<void>): Promise<FreshDatabase> {
  const { adminUrl, passwords } = inject("postgres");
  const name = `test_${randomUUID().replaceAll("-", "_")}`;
  await make(adminUrl, name);
  return { ...databaseUrls(adminUrl, name, passwords), drop: () => dropDatabase(adminUrl, name) };
}

/** A NATS server of a test's own. */
export type FreshNats = {
  /** With user and password. It stays the same over a restart. */
  readonly url: string;
  /** Ends it without a chance to say goodbye; what JetStream has stored stays. */
  kill(): Promise<void>;
  /** Starts it again on its port and what it has stored; ends it first if it runs. */
  restart(): Promise<void>;
  /** Ends it and removes what it has stored. */
  stop(): Promise<void>;
};

/** Starts one; takes some 100 ms. */
export async function freshNats(): Promise<FreshNats> {
  const dir = mkdtempSync(join(tmpdir(), "chargemesh-nats-"));
  guardFolder(dir);
  const options: NatsOptions = { dir, port: 0, password: makePassword(), logFile: join(dir, "nats.log"), note: () => undefined };
  let server = await startNats(options);
  const { url, port } = server;
  return {
    url,
    async kill() {
      server.kill("SIGKILL");
      await server.exited;
    },
    async restart() {
      await server.stop();
      server = await startNats({ ...options, port });
    },
    async stop() {
      await server.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
