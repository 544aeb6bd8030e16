import { transact } from "@chargemesh/kit/postgres";
import type { LocalListRow } from "../db/configuration-tables.ts";
import { listDifferences, listOutlook, localList, lockLocalList, putLocalList } from "../db/local-list.ts";
import type { CommandRow, Db } from "../db/schema.ts";
import type { Commander } from "./command.ts";
import { listRule, NOT_SUPPORTED, toUpdate } from "./local-list.ts";

// What chargers are told of their lists.

export interface ListDeps {
  db: Db;
  commander: Commander;
}

/** So many parts has no list that a charger could keep. */
const PARTS_MAX = 2_000;
/** How long to wait for an answer where nobody waits for ours, in s: as long as a command waits its turn, and is answered. */
const WAIT_SECONDS = 90;
/** How often we look whether an update of somebody else has ended, in ms. */
const LOOK_MS = 50;
/** How long after a boot a list is left to what follows the boot. */
const BOOT_SECONDS = 30;

/** Thrown if somebody else tells the charger already, or something else is to be told by now. */
class OvertakenBySomebody extends Error {}

/** Tells a charger part by part what its list lacks, until nothing is missing or it does not take one. Waits `waitSeconds` for each answer. */
export async function updateList(
  deps: ListDeps,
  chargerId: string,
  waitSeconds = WAIT_SECONDS,
  userId: string | undefined = undefined,
): Promise<void> {
  for (let part = 0; part < PARTS_MAX; part++) {
    const sent = await sendPart(deps, chargerId, waitSeconds, userId);
    if (sent === undefined) return;
    // A part that is refused makes the next one replace everything; if that is refused as well, there is no more to say.
    if (sent.command.state !== "ACCEPTED" && (sent.replaced || sent.command.state !== "REJECTED")) return;
  }
}

async function sendPart(
  { db, commander }: ListDeps,
  chargerId: string,
  waitSeconds: number,
  userId: string | undefined,
): Promise<{ command: CommandRow; replaced: boolean } | undefined> {
  const row = await localList(db, chargerId);
  if (row === undefined || !row.is_due || row.command_id !== null || row.refusal === NOT_SUPPORTED) return undefined;
  const rule = await listRule(db, row, await commander.idTokenLengthMax(chargerId));
  const now = new Date();
  const differences = await listDifferences(db, rule, row.must_replace, now, rule.entriesPerUpdate);
  if (!row.must_replace && differences.length === 0) {
    await settleIfInStep(db, row, rule, now);
    return undefined;
  }
  const update = toUpdate(row, differences);
  const keep = async (tx: Db, command: CommandRow): Promise<void> => {
    const locked = await lockLocalList(tx, chargerId);
    const isSame = locked?.command_id === null && locked.version === row.version && locked.must_replace === row.must_replace;
    if (!isSame) throw new OvertakenBySomebody(`the list of ${chargerId} is being told`);
    await putLocalList(tx, chargerId, { command_id: command.id });
  };
  const asking = { chargerId, waitSeconds, ttlSeconds: 0, idempotencyKey: "", userId, keep };
  try {
    const question = { kind: "updateLocalList", ...update } as const;
    return { command: await commander.ask({ ...asking, question, field: "id_token" }), replaced: update.replaces };
  } catch (err) {
    if (err instanceof OvertakenBySomebody) return undefined;
    throw err;
  }
}

/** Notes that a list has what it should have, unless it was marked again meanwhile. */
async function settleIfInStep(db: Db, row: LocalListRow, rule: Awaited<ReturnType<typeof listRule>>, now: Date): Promise<void> {
  await transact(db, async (tx) => {
    // Whoever marks it waits for us, or we see what they have marked it for.
    const locked = await lockLocalList(tx, row.charger_id);
    if (locked === undefined || locked.must_replace || locked.mode !== row.mode) return;
    if ((await listDifferences(tx, rule, false, now, 1)).length > 0) return;
    const { omitted, nextExpiryTime } = await listOutlook(tx, rule, now);
    await putLocalList(tx, row.charger_id, { is_due: false, retry_time: null, omitted, next_expiry_time: nextExpiryTime ?? null });
  });
}

/** Makes a list due, whatever the charger has said before, and so long only for whoever says so: others would tell it at the same time. */
function leftToUs(seconds: number): Partial<LocalListRow> {
  return { is_due: true, refusal: "", retry_time: new Date(Date.now() + seconds * 1000) };
}

/** Asks a charger which version its list is of, and tells it what that lacks. With `replace` it is told everything, whatever it says. */
export async function syncList(
  deps: ListDeps,
  chargerId: string,
  replace: boolean,
  waitSeconds: number,
  userId: string | undefined,
): Promise<void> {
  await untilNobodyTells(deps.db, chargerId, waitSeconds);
  await putLocalList(deps.db, chargerId, { ...leftToUs(waitSeconds), ...(replace ? { must_replace: true } : {}) });
  await askForVersion(deps, chargerId, waitSeconds, userId);
  await updateList(deps, chargerId, waitSeconds, userId);
  await untilNobodyTells(deps.db, chargerId, waitSeconds);
}

/** Waits until no update is under way, but no longer than this. */
async function untilNobodyTells(db: Db, chargerId: string, waitSeconds: number): Promise<void> {
  const until = performance.now() + waitSeconds * 1000;
  while (performance.now() < until && (await localList(db, chargerId))?.command_id != null) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** After a boot a charger that keeps a list may have lost it, or have learnt to keep one. */
export async function checkListAfterBoot(deps: ListDeps, chargerId: string): Promise<void> {
  const row = await localList(deps.db, chargerId);
  if (row === undefined || (row.mode === "OFF" && !row.is_due)) return;
  await putLocalList(deps.db, chargerId, leftToUs(BOOT_SECONDS));
  await askForVersion(deps, chargerId, WAIT_SECONDS, undefined);
  await updateList(deps, chargerId);
}

async function askForVersion({ commander }: ListDeps, chargerId: string, waitSeconds: number, userId: string | undefined): Promise<void> {
  const question = { kind: "localListVersion" } as const;
  await commander.ask({ chargerId, question, field: "charger_id", waitSeconds, ttlSeconds: 0, idempotencyKey: "", userId });
}
