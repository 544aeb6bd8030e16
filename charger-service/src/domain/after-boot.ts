import type { Clock } from "@chargemesh/kit/clock";
import type { Logger } from "@chargemesh/kit/log";
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

/** Does what follows the boot of a charger. Never throws: what fails is logged. */
export async function afterBoot(deps: AfterBootDeps, chargerId: string, log: Logger): Promise<void> {
  try {
    if (tasks.length === 0 || (await chargerById(deps.db, chargerId))?.registration !== "ACCEPTED") return;
  } catch (err) {
    log.warn({ err, chargerId }, "what follows a boot is left out");
    return;
  }
  for (const task of tasks) {
    await task(deps, chargerId).catch((err: unknown) => log.warn({ err, chargerId }, "a task after a boot has failed"));
  }
}
