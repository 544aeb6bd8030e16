import type { Clock } from "@chargemesh/kit/clock";
import type { Logger } from "@chargemesh/kit/log";
import { newRequestId, requestId, withRequestId } from "@chargemesh/kit/request-id";
import { chargerById } from "../db/charger.ts";
import type { Db } from "../db/schema.ts";
import type { Commander } from "./command.ts";
import { configureAfterBoot } from "./configuration-reading.ts";
import { checkListAfterBoot } from "./local-list-sending.ts";

export interface AfterBootDeps {
  db: Db;
  commander: Commander;
  clock: Clock;
  /** How long after its configuration was read a charger that boots is not asked for it again, in seconds; 0: it is never asked. */
  configurationSeconds: number;
}

/** Each is done for a charger whose boot has just been answered with ACCEPTED, whether or not the one before it went well. */
const tasks: readonly ((deps: AfterBootDeps, chargerId: string) => Promise<void>)[] = [configureAfterBoot, checkListAfterBoot];

/** Of so many chargers at once what follows their boots is done: thousands may boot in one moment, and what they say of money comes first. */
const CHARGERS_AT_ONCE = 32;

/** Has done what follows the boot of a charger, when it is its turn. */
export type AfterBoot = (chargerId: string) => void;

/** A charger that boots again and again waits once, and one boot after the other is followed up. */
export function makeAfterBoot(deps: AfterBootDeps, log: Logger): AfterBoot {
  /** With the request that the boot was. */
  const waiting = new Map<string, string>();
  const inHand = new Set<string>();
  let working = 0;
  const work = async (): Promise<void> => {
    working++;
    // Also those that come meanwhile. One that is in hand comes again to whoever has it.
    for (const [chargerId, traceId] of waiting) {
      if (inHand.has(chargerId)) continue;
      waiting.delete(chargerId);
      inHand.add(chargerId);
      await withRequestId(traceId, () => followUp(deps, chargerId, log));
      inHand.delete(chargerId);
    }
    working--;
  };
  return (chargerId) => {
    waiting.set(chargerId, requestId() ?? newRequestId());
    if (working < CHARGERS_AT_ONCE) void work();
  };
}

/** Never throws: what fails is logged. */
async function followUp(deps: AfterBootDeps, chargerId: string, log: Logger): Promise<void> {
  try {
    if ((await chargerById(deps.db, chargerId))?.registration !== "ACCEPTED") return;
  } catch (err) {
    log.warn({ err, chargerId }, "what follows a boot is left out");
    return;
  }
  for (const task of tasks) {
    await task(deps, chargerId).catch((err: unknown) => log.warn({ err, chargerId }, "a task after a boot has failed"));
  }
}
