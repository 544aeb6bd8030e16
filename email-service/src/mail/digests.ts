import type { Clock } from "@chargemesh/kit/clock";
import type { Logger } from "@chargemesh/kit/log";
import type { Stack } from "@chargemesh/kit/main";
import { transact } from "@chargemesh/kit/postgres";
import { keepDoing } from "@chargemesh/kit/rounds";
import { type Alarm, addAlarm, markDigestSent, scheduleDigest, takeAlarms, takeDueDigest } from "../db/alarm.ts";
import { chargersWithOutage, takeLastingOutages } from "../db/outage.ts";
import { listOperators } from "../db/recipient.ts";
import type { AlarmRow, Db, OutageKind, RecipientRow } from "../db/schema.ts";
import { queueMail } from "./queue.ts";
import type { Sender } from "./sender.ts";
import { templates } from "./templates/index.ts";

/** How often is looked for what is due, in ms. */
const LOOK_MS = 1_000;
/** The first alarm after a quiet time waits so long for others, in ms: what brings one charger down often brings down its neighbours. */
const GATHER_MS = 60_000;
/** What was over so long ago when we could tell of it, because we or the events were late, is no news, in ms. */
const NEWS_MS = 3_600_000;
/** How many outages become alarms in one transaction. */
const OUTAGES_MAX = 500;

/** Has operators told of an alarm: with the next mail of its kind, of which there is one in `digestMs` at most. */
export async function raiseAlarm(tx: Db, alarm: Alarm, digestMs: number, now: Date): Promise<void> {
  await scheduleDigest(tx, alarm.kind, new Date(now.getTime() + Math.min(GATHER_MS, digestMs)), digestMs);
  await addAlarm(tx, alarm);
}

/**
 * Makes alarms of outages that last, and mails of alarms when they are due, until the process stops. Whichever replica takes one does both in
 * one transaction, so that each alarm is told once, whoever is killed meanwhile.
 */
export function keepDigests(
  { db, clock, sender, digestMs }: { db: Db; clock: Clock; sender: Sender; digestMs: number },
  stack: Stack,
  log: Logger,
): void {
  const raiseLasting = (): Promise<boolean> =>
    transact(db, async (tx) => {
      const now = clock.now();
      const outages = await takeLastingOutages(tx, now, OUTAGES_MAX);
      for (const outage of outages) await raiseAlarm(tx, { ...outage, connector_ids: [], error_codes: [] }, digestMs, now);
      return outages.length === OUTAGES_MAX;
    });
  const mailDue = (): Promise<boolean> =>
    transact(db, async (tx) => {
      const now = clock.now();
      const kind = await takeDueDigest(tx, now);
      if (kind === undefined) return false;
      if (await mailOperators(tx, kind, now)) await markDigestSent(tx, kind, now);
      return true;
    });
  const round = async (): Promise<void> => {
    while (await raiseLasting());
    while (await mailDue()) sender.wake();
  };
  keepDoing("digests", { everyMs: LOOK_MS }, round, stack, log);
}

/** Says false if there is nothing to tell. */
async function mailOperators(tx: Db, kind: OutageKind, now: Date): Promise<boolean> {
  const alarms = await takeAlarms(tx, kind);
  const down = await chargersWithOutage(
    tx,
    kind,
    alarms.map(({ charger_id }) => charger_id),
  );
  const news = alarms.filter(({ charger_id, last_time }) => down.has(charger_id) || now.getTime() - last_time.getTime() < NEWS_MS);
  const [first] = news;
  if (first === undefined) return false;
  const chargers = news.map((alarm) => toFaulted(alarm, !down.has(alarm.charger_id)));
  for (const operator of await listOperators(tx)) await mailOperator(tx, operator, kind, chargers, { eventId: first.event_id, now });
  return true;
}

async function mailOperator(
  tx: Db,
  { user_id: userId, username, email, language }: RecipientRow,
  kind: OutageKind,
  chargers: readonly ReturnType<typeof toFaulted>[],
  cause: { eventId: string; now: Date },
): Promise<void> {
  const envelope = { userId, email, language, ...cause };
  if (kind === "OFFLINE") await queueMail(tx, templates["charger-offline"], { username, chargers }, envelope);
  else await queueMail(tx, templates["charger-faulted"], { username, chargers }, envelope);
}

function toFaulted({ charger_id, first_time, last_time, count, connector_ids, error_codes }: AlarmRow, isBack: boolean) {
  return {
    chargerId: charger_id,
    firstTime: first_time,
    lastTime: last_time,
    count,
    isBack,
    connectorIds: connector_ids,
    errorCodes: error_codes,
  };
}
