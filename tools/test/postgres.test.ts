import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { type PostgresOptions, startPostgres } from "../servers/postgres.ts";
import { StartError } from "../servers/start-error.ts";
import { copyInto, freshFolder, makeFolder } from "./folder.ts";

/** Data that a server has laid out; a copy of it is quicker than another. */
let seed = "";
beforeAll(async () => {
  const folder = makeFolder();
  await (await startPostgres(optionsIn(folder))).stop();
  seed = join(folder, "postgres");
});

function usedOptions(): PostgresOptions {
  const folder = freshFolder();
  copyInto(folder, seed);
  return optionsIn(folder);
}

function optionsIn(folder: string): PostgresOptions {
  return { dataDir: join(folder, "postgres"), port: 0, password: "not-a-secret", logFile: join(folder, "postgres.log"), durable: false };
}

async function start(options: PostgresOptions) {
  const server = await startPostgres(options);
  onTestFinished(() => server.stop());
  return server;
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  // The server may be killed while we are connected.
  client.on("error", () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

test("what was committed is there after a kill and a new start", async () => {
  const options = usedOptions();
  const killed = await start(options);
  await query(killed.url, "create table kept (word text)");
  await query(killed.url, "insert into kept values ('yes')");
  killed.kill("SIGKILL");
  expect(await killed.exited).toEqual({ code: null, signal: "SIGKILL" });

  const again = await start({ ...options, port: killed.port });
  expect(again.port).toBe(killed.port);
  expect(await query(again.url, "select word from kept")).toEqual([{ word: "yes" }]);
});

test("a server that was left behind on the same data is ended first", async () => {
  const options = usedOptions();
  const left = await start(options);
  const next = await start(options);
  expect(await left.exited).toEqual({ code: 0, signal: null });
  expect(await query(next.url, "select 1 as one")).toEqual([{ one: 1 }]);
});

test("a pid file that names another process of the same user is no reason not to start", async () => {
  const options = usedOptions();
  const { uid, gid } = statSync(options.dataDir);
  const other = spawn("sleep", ["600"], { uid, gid });
  onTestFinished(() => void other.kill());
  writeFileSync(join(options.dataDir, "postmaster.pid"), `${other.pid}\n${options.dataDir}\n`);
  const server = await start(options);
  expect(await query(server.url, "select 1 as one")).toEqual([{ one: 1 }]);
  expect(other.exitCode).toBeNull();
});

test("only the password lets in, and only on loopback", async () => {
  const server = await start(usedOptions());
  await expect(query(server.url.replace("not-a-secret", "a-guess"), "select 1")).rejects.toThrow("password authentication failed");
  expect(await query(server.url, "show listen_addresses")).toEqual([{ listen_addresses: "127.0.0.1" }]);
  expect(await query(server.url, "show unix_socket_directories")).toEqual([{ unix_socket_directories: "" }]);
});

test("data of another version is left alone, and the sentence says what to do", async () => {
  const options = usedOptions();
  writeFileSync(join(options.dataDir, "PG_VERSION"), "17\n");
  await expect(startPostgres(options)).rejects.toThrow(
    new StartError(
      `${options.dataDir} was made by Postgres 17 and this is 18: move the data with pg_dump of 17, or start anew with \`make reset\`.`,
    ),
  );
  expect(existsSync(join(options.dataDir, "base"))).toBe(true);
});

test("a broken setting is the reason in the sentence", async () => {
  const options = usedOptions();
  writeFileSync(join(options.dataDir, "postgresql.auto.conf"), "shared_buffers = 'plenty'\n");
  await expect(startPostgres(options)).rejects.toThrow(
    /^Postgres did not start: .*configuration file .* contains errors \(log: .*postgres\.log\)\.$/,
  );
});

test.runIf(process.getuid?.() === 0)("root's server runs as another, even where that one cannot come", async () => {
  const closed = join(freshFolder(), "closed");
  mkdirSync(closed);
  chmodSync(closed, 0o700);
  const server = await start(optionsIn(closed));
  expect(await query(server.url, "select pg_read_file('/proc/self/status') ~ 'Uid:\\s+0' as is_root")).toEqual([{ is_root: false }]);
});
