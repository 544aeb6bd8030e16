import { chargerById } from "../db/charger.ts";
import { beginReading, chargerLimits, keysUnreadSince, noteBoot, unsentKeys } from "../db/configuration.ts";
import type { CommandRow, Db } from "../db/schema.ts";
import type { Commander } from "./command.ts";
import { WantedOtherwise, wantAgain } from "./configuration.ts";

// What is asked of chargers so that we know how they are set, and so that they are set as they are wanted to be.

interface ReadingDeps {
  db: Db;
  commander: Commander;
}

/** How many keys are asked for at once where the charger does not say how many it can take. */
const KEYS_ORDINARY = 20;
/** How many more questions a charger is asked after it has said what it likes to; so many keys has none. */
const PAGES_MAX = 20;
/** How long to wait for an answer where nobody waits for ours, in s: as long as a command waits its turn, and is answered. */
const WAIT_SECONDS = 90;

const byItself = { ttlSeconds: 0, idempotencyKey: "", userId: undefined } as const;

/**
 * Reads all that a charger is set to: first what it tells by itself, then the keys that it has left out, as many at once as it can take.
 * Answers the first command. Waits `waitSeconds` in all, and asks no more than the first if that was not answered by then.
 */
export async function readConfiguration(
  { db, commander }: ReadingDeps,
  chargerId: string,
  waitSeconds: number,
  userId: string | undefined,
): Promise<CommandRow> {
  const until = performance.now() + waitSeconds * 1000;
  const ask = (keys: readonly string[]): Promise<CommandRow> => {
    const left = Math.max(0, (until - performance.now()) / 1000);
    const question = { kind: "readConfiguration", keys } as const;
    return commander.ask({ chargerId, question, field: "charger_id", waitSeconds: left, ttlSeconds: 0, idempotencyKey: "", userId });
  };
  const first = await ask([]);
  if (first.state !== "ACCEPTED" || first.send_time === null) return first;
  const missing = await keysUnreadSince(db, chargerId, first.send_time);
  const size = Math.max(1, (await chargerLimits(db, chargerId))?.keys_per_reading ?? KEYS_ORDINARY);
  for (let at = 0, page = 0; at < missing.length && page < PAGES_MAX; at += size, page++) {
    const { state } = await ask(missing.slice(at, at + size));
    if (state !== "ACCEPTED") break;
  }
  return first;
}

/** Reads what a charger is set to after a boot, but not within `seconds` (0: never), and sends it what it has not answered. */
export async function configureAfterBoot(deps: ReadingDeps & { configurationSeconds: number }, chargerId: string): Promise<void> {
  const { db, configurationSeconds: seconds } = deps;
  const epoch = (await chargerById(db, chargerId))?.epoch;
  await noteBoot(db, chargerId);
  if (seconds > 0 && (await beginReading(db, chargerId, seconds))) await readConfiguration(deps, chargerId, WAIT_SECONDS, undefined);
  for (const row of await unsentKeys(db, chargerId)) {
    const { key, wanted_value: value } = row;
    const charger = await chargerById(db, chargerId);
    // What is under way to a connection that is gone would keep what follows the next boot from sending it.
    if (value === null || charger?.epoch !== epoch || charger?.replica_id === null) return;
    const keep = (tx: Db, command: CommandRow): Promise<void> => wantAgain(tx, command, row);
    const question = { kind: "configure", key, value } as const;
    await deps.commander.ask({ ...byItself, chargerId, question, field: "value", waitSeconds: WAIT_SECONDS, keep }).catch(ignoreChanged);
  }
}

function ignoreChanged(err: unknown): void {
  if (!(err instanceof WantedOtherwise)) throw err;
}
