import type { Logger } from "@chargemesh/kit/log";
import type { Stack } from "@chargemesh/kit/main";
import { transact } from "@chargemesh/kit/postgres";
import { keepDoing } from "@chargemesh/kit/rounds";
import { chargersToTell, markLists } from "./db/local-list-choice.ts";
import { type ListDeps, updateList } from "./domain/local-list-sending.ts";

/** How often lists are looked at, in ms: so long changes of id tokens are gathered into one update. */
const LOOK_MS = 2_000;
/** How many chargers are told of changes at once: each holds a command, and a connection of the database now and then. */
const CHARGERS_AT_ONCE = 16;

/** Keeps the lists of the chargers that this replica holds in step with the id tokens. */
export function keepLocalLists(deps: ListDeps, replicaId: string, stack: Stack, log: Logger): void {
  const telling = new Set<string>();
  const look = async (): Promise<void> => {
    await transact(deps.db, markLists);
    // Those that are being told may be due as well.
    for (const chargerId of await chargersToTell(deps.db, replicaId, CHARGERS_AT_ONCE + telling.size)) {
      if (telling.has(chargerId) || telling.size >= CHARGERS_AT_ONCE) continue;
      telling.add(chargerId);
      void updateList(deps, chargerId)
        .catch((err: unknown) => log.warn({ err, chargerId }, "a local list could not be updated"))
        .finally(() => telling.delete(chargerId));
    }
  };
  keepDoing("local lists", { everyMs: LOOK_MS }, look, stack, log);
}
