import { setTimeout as sleep } from "node:timers/promises";
import { makeLogger } from "@chargemesh/kit/log";
import { Stack } from "@chargemesh/kit/main";
import { openPostgres } from "@chargemesh/kit/postgres";
import { type Database, SCHEMA } from "charger-service/src/db/schema.ts";
import { recordReadings, registerReading } from "charger-service/src/domain/metering.ts";
import { startTransaction } from "charger-service/src/domain/transaction-start.ts";
import { stopTransaction } from "charger-service/src/domain/transaction-stop.ts";
import { Pool } from "pg";

// Chargers that charge, as charger-service writes that down, without their sockets.

const TRIES_MAX = 20;
const RETRY_MS = 500;

/** What must be told of each charger, in order. */
export type Told = Map<string, string[]>;

/**
 * Lets `chargers` charge at the same time, one transaction after the other, until there are so many. Each is three database transactions with
 * an event in it: start, reading, stop. `done` is called after each.
 */
export async function charge(
  urls: { ownerUrl: string; chargerUrl: string },
  chargers: number,
  transactions: number,
  done: () => void,
): Promise<Told> {
  const log = makeLogger("chaos", "silent");
  const stack = new Stack();
  const db = openPostgres<Database>(urls.chargerUrl, SCHEMA, 20, stack, log);
  await prepare(urls.ownerUrl, chargers);
  const told: Told = new Map();
  let begun = 0;
  const one = async (chargerId: string, tell: (what: string) => void): Promise<void> => {
    const place = { chargerId, evseId: 1, connectorId: 1 };
    const [startTime, meterStartWh, idToken] = [new Date(), begun, tokenOf(chargerId)];
    const report = { ...place, epoch: 0, idToken, startTime, meterStartWh, reservationNumber: undefined };
    const { transactionId } = await insist(() => startTransaction(db, report, startTime));
    tell(`TransactionStarted ${transactionId} 0`);
    const reading = registerReading(new Date(), meterStartWh + 100, "Sample.Periodic");
    await insist(() => recordReadings(db, place, transactionId, [reading]));
    tell(`TransactionUpdated ${transactionId} 100`);
    const end = { stopTime: new Date(), meterStopWh: meterStartWh + 250, reason: "Local", interrupted: false };
    await insist(() => stopTransaction(db, { chargerId, transactionId, idToken, readings: [], ...end }, new Date()));
    tell(`TransactionStopped ${transactionId} 250`);
  };
  const run = async (chargerId: string): Promise<void> => {
    const mine: string[] = [];
    told.set(chargerId, mine);
    for (; begun < transactions; done()) {
      begun++;
      await one(chargerId, (what) => mine.push(what));
    }
  };
  await Promise.all(Array.from({ length: chargers }, (_, i) => run(`C-${i}`)));
  await stack.close(log);
  return told;
}

/** As chargers do: what a busy database did not take is said again in the same words, and counts once. */
async function insist<T>(say: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await say();
    } catch (err) {
      if (tries === TRIES_MAX) throw err;
      await sleep(RETRY_MS);
    }
  }
}

/** One each, or it would be noted that they are used in several places at once. */
function tokenOf(chargerId: string): string {
  return `TOKEN-${chargerId}`;
}

async function prepare(ownerUrl: string, chargers: number): Promise<void> {
  const pool = new Pool({ connectionString: ownerUrl, max: 1, options: `-c search_path=${SCHEMA}` });
  await pool.query("insert into charger (id) select 'C-' || i from generate_series(0, $1 - 1) i", [chargers]);
  await pool.query("insert into id_token (id_token) select $1 || id from charger", [tokenOf("")]);
  await pool.end();
}
