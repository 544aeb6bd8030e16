import { makeLogger } from "@chargemesh/kit/log";
import { Stack } from "@chargemesh/kit/main";
import { openPostgres } from "@chargemesh/kit/postgres";
import { type Database, SCHEMA } from "charger-service/src/db/schema.ts";
import { recordReadings, registerReading } from "charger-service/src/domain/metering.ts";
import { startTransaction } from "charger-service/src/domain/transaction-start.ts";
import { stopTransaction } from "charger-service/src/domain/transaction-stop.ts";
import { Pool } from "pg";

// Chargers that charge, as charger-service writes that down, without their sockets.

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
  const db = openPostgres<Database>(urls.chargerUrl, SCHEMA, chargers + 3, stack, log);
  await prepare(urls.ownerUrl, chargers);
  const told: Told = new Map();
  let begun = 0;
  const one = async (chargerId: string, tell: (what: string) => void): Promise<void> => {
    const place = { chargerId, evseId: 1, connectorId: 1 };
    const [startTime, meterStartWh, idToken] = [new Date(), begun, tokenOf(chargerId)];
    const report = { ...place, epoch: 0, idToken, startTime, meterStartWh, reservationNumber: undefined };
    const { transactionId } = await startTransaction(db, report, startTime);
    tell(`TransactionStarted ${transactionId} 0`);
    await recordReadings(db, place, transactionId, [registerReading(new Date(), meterStartWh + 100, "Sample.Periodic")]);
    tell(`TransactionUpdated ${transactionId} 100`);
    const stop = { reason: "Local", interrupted: false, idToken, readings: [] };
    await stopTransaction(db, { chargerId, transactionId, stopTime: new Date(), meterStopWh: meterStartWh + 250, ...stop }, new Date());
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
