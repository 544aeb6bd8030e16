import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import pg from "pg";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { emptyDatabase, type FreshDatabase, type FreshNats, freshNats } from "../../test/servers.ts";

let database: FreshDatabase;
let nats: FreshNats;
let vars: Record<string, string>;
const children: ChildProcess[] = [];

beforeAll(async () => {
  [database, nats] = await Promise.all([emptyDatabase(), freshNats()]);
  vars = {
    AUTH_GRPC_ADDRESS: "127.0.0.1:0",
    MIGRATE_DATABASE_URL: database.ownerUrl,
    AUTH_DATABASE_URL: database.authUrl,
    NATS_URL: nats.url,
    MESH_SECRET: "a secret of the services of this test",
    AUTH_KEY_SECRET: "a secret for the signing keys of this test",
    ADMIN_PASSWORD: "nobody may read this",
  };
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});
afterAll(async () => {
  await nats?.stop();
  await database?.drop();
});

/** Runs a program of the service. Lines are what it has written so far. */
function run(program: string, settings: Record<string, string>) {
  const child = spawn(process.execPath, [join(import.meta.dirname, "../src", program)], {
    env: settings,
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  const lines: string[] = [];
  const written = createInterface({ input: child.stdout });
  written.on("line", (line) => lines.push(line));
  return { child, lines, written, ended: once(child, "close").then(([code]: unknown[]) => code) };
}

test("the tables are made by their owner, and the service may read and write them and no more", async () => {
  expect(await run("migrate.ts", vars).ended).toBe(0);
  expect(await run("migrate.ts", vars).ended).toBe(0);
  const client = new pg.Client({ connectionString: database.authUrl, options: "-c search_path=authentication" });
  await client.connect();
  try {
    expect((await client.query(`select count(*)::int as count from "user"`)).rows).toEqual([{ count: 0 }]);
    const denied = { code: "42501" };
    await expect(client.query(`drop table "user"`)).rejects.toMatchObject(denied);
    await expect(client.query("create table authentication.mine ()")).rejects.toMatchObject(denied);
    await expect(client.query("select * from kysely_migration")).rejects.toMatchObject(denied);
  } finally {
    await client.end();
  }
});

test("the process starts, and ends cleanly when it is told to", async () => {
  const { child, lines, written, ended } = run("main.ts", vars);
  const started = new Promise<void>((resolve) => {
    written.on("line", (line) => {
      if (line.includes('"started"')) resolve();
    });
  });
  await Promise.race([started, ended]);
  expect(lines.at(-1)).toContain('"msg":"started"');
  child.kill("SIGTERM");
  expect(await ended).toBe(0);
  expect(lines.filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([]);
  expect(lines.join()).not.toContain(vars.ADMIN_PASSWORD);
});

test("wrong settings are named all at once, and none of them is repeated", async () => {
  const { lines, ended } = run("main.ts", {
    AUTH_KEY_SECRET: "too short",
    ADMIN_PASSWORD: "short",
    ACCESS_TOKEN_SECONDS: "0",
    AUTH_ARGON2_MEMORY_KIB: "much",
  });
  expect(await ended).toBe(1);
  expect(lines).toHaveLength(1);
  const { level, msg } = JSON.parse(lines[0] ?? "") as { level: string; msg: string };
  expect([level, msg]).toEqual([
    "fatal",
    "bad configuration: AUTH_DATABASE_URL is required; NATS_URL is required; MESH_SECRET must have 32 to 1024 characters; " +
      "AUTH_KEY_SECRET must have 32 to 1024 characters; ADMIN_PASSWORD must have 15 to 256 characters; " +
      "AUTH_ARGON2_MEMORY_KIB must be an integer in 1024..4194304; ACCESS_TOKEN_SECONDS must be an integer in 1..86400",
  ]);
});
