import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Pool } from "pg";
import type { Random } from "../../charger-service/test/ocpp/random.ts";
import { launch, type Running } from "../../tools/servers/launch.ts";
import { type FreshDatabase, type FreshNats, freshDatabase, freshNats } from "../servers.ts";

/** A program of programs/. */
export type Program = "publisher" | "follower" | "subscriber";

/** Postgres, NATS, and the programs that publish and read, each a process. */
export interface Servers {
  database: FreshDatabase;
  nats: FreshNats;
  /** Rows of what consumers did, by SQL. */
  books<T>(sql: string, values?: unknown[]): Promise<T[]>;
  start(program: Program, nodeFlags?: readonly string[]): Promise<Running>;
  /** Ends one of all this, as harshly as can be, and brings it back after `awayMs` at most. Answers what it was. */
  strike(fate: Random, awayMs: number): Promise<string>;
  stop(): Promise<void>;
}

/** Longer than Postgres lets a publisher be silent, in ms. */
const FROZEN_MS = 12_000;

/** Starts all, of which only the `mortal` programs are ever struck. What they write is in the file `output`. */
export async function startServers(mortal: readonly Program[], spared: readonly Program[], output: string): Promise<Servers> {
  const [database, nats] = await Promise.all([freshDatabase(), freshNats()]);
  const pool = new Pool({ connectionString: database.ownerUrl, max: 3 });
  const running: { program: Program; process: Running }[] = [];
  const env = { ...process.env, CHARGER_DATABASE_URL: database.chargerUrl, NATS_URL: nats.url, BOOKS_URL: database.ownerUrl };
  const start: Servers["start"] = (program, nodeFlags = []) =>
    launch({
      command: process.execPath,
      args: [...nodeFlags, join(import.meta.dirname, "programs", `${program}.ts`)],
      env,
      stopSignal: "SIGKILL",
      output,
    });
  await pool.query(`create schema chaos;
    create table chaos.cursor (sequence bigint not null);
    insert into chaos.cursor values (0);
    create table chaos.effect (
      position bigint generated always as identity, consumer text, event_id uuid, charger_id text, what text, primary key (consumer, event_id)
    );
    create table chaos.tally (consumer text, charger_id text, count integer, primary key (consumer, charger_id))`);
  for (const program of [...mortal, ...spared]) running.push({ program, process: await start(program) });

  const strikeNats = async (away: number): Promise<string> => {
    await nats.kill();
    await sleep(away);
    await nats.restart();
    return "NATS";
  };
  const strikeProgram = async (fate: Random, away: number): Promise<string> => {
    const one = fate.pick(running.slice(0, mortal.length));
    one.process.kill("SIGKILL");
    await one.process.exited;
    await sleep(away);
    one.process = await start(one.program);
    return one.program;
  };
  /** One that hangs for so long that another publishes in its place, and then goes on as if nothing had been. */
  const freezePublisher = async (fate: Random): Promise<string> => {
    const { process: one } = fate.pick(running.filter(({ program }) => program === "publisher"));
    one.kill("SIGSTOP");
    await sleep(FROZEN_MS);
    one.kill("SIGCONT");
    return "a publisher, for a while";
  };
  /** Whoever publishes loses its lock, and does not know. */
  const strikeSession = async (): Promise<string> => {
    const own = new Pool({ connectionString: database.chargerUrl, max: 1 });
    await own.query(`select pg_terminate_backend(pid) from pg_stat_activity join pg_locks using (pid)
      where locktype = 'advisory' and datname = current_database()`);
    await own.end();
    return "the publisher's session";
  };
  return {
    database,
    nats,
    books: async (sql, values) => (await pool.query(sql, values)).rows,
    start,
    async strike(fate, awayMs) {
      const away = fate.below(awayMs);
      const share = fate();
      if (share < 0.3) return strikeNats(away);
      if (share < 0.85) return strikeProgram(fate, away);
      return share < 0.9 && awayMs >= 1_000 ? freezePublisher(fate) : strikeSession();
    },
    async stop() {
      await Promise.all(running.map(({ process: one }) => one.stop(0)));
      await pool.end();
      await Promise.all([nats.stop(), database.drop()]);
    },
  };
}
