import { randomUUID } from "node:crypto";
import { TransactionStopped } from "@chargemesh/contracts/charger/v1/events";
import type { PowerSample, Transaction } from "@chargemesh/contracts/charger/v1/transaction";
import type { Clock } from "@chargemesh/kit/clock";
import type { Logger } from "@chargemesh/kit/log";
import { requestId } from "@chargemesh/kit/request-id";
import { isEmail } from "@chargemesh/kit/rules";
import type { Handle } from "@chargemesh/kit/subscribe";
import { insertMessage } from "../db/message.ts";
import { recipientById } from "../db/recipient.ts";
import type { Db } from "../db/schema.ts";
import { render } from "../mail/document.ts";
import { queuedAt } from "../mail/schedule.ts";
import type { Sender } from "../mail/sender.ts";
import type { Charge } from "../mail/templates/charge.ts";
import { templates } from "../mail/templates/index.ts";

/**
 * Users and transactions come in streams of their own, so that a transaction may be here before its user, most of all while we catch up
 * after a long time away. It comes again after 1, 5, 15 and then every 60 s; the 8th time is some 4 minutes later, in which
 * we read more users than sign up in a day. Counted in deliveries, because an event that waited for us for days is not late.
 */
const DELIVERIES_MAX = 8;

/** Sends a receipt to the user who charged, if they have an address. */
export const transactionStopped =
  ({ db, clock, sender, log }: { db: Db; clock: Clock; sender: Sender; log: Logger }): Handle =>
  async (event, deliveries) => {
    const { transaction, powerCurve } = TransactionStopped.fromJSON(event.data ?? {});
    if (transaction === undefined) return log.error({ event }, "an event without its transaction was dropped");
    const { id, userId } = transaction;
    if (userId === "") return;
    const recipient = await recipientById(db, userId);
    if (recipient === undefined) {
      if (deliveries < DELIVERIES_MAX) throw new Error(`user ${userId} is not known yet`);
      return log.error({ transaction: id, userId }, "no receipt: no event has told us of this user");
    }
    if (!isEmail(recipient.email)) return;
    const now = clock.now();
    const message = await insertMessage(db, {
      id: randomUUID(),
      to_address: recipient.email,
      ...render(templates.receipt.write(toCharge(transaction, powerCurve, recipient.username), "en"), { language: "en" }),
      template: "receipt",
      event_id: event.id,
      request_id: requestId() ?? null,
      create_time: now,
      ...queuedAt(now),
    });
    if (message !== undefined) sender.wake();
  };

function toCharge(transaction: Transaction, powerCurve: readonly PowerSample[], username: string): Charge {
  const { id, chargerId, connectorId, startTime, stopTime, energyWh, flags } = transaction;
  const has = (...any: Transaction["flags"]): boolean => any.some((flag) => flags.includes(flag));
  return {
    transactionId: id,
    chargerId,
    connectorId,
    username,
    startTime: has("NO_START") ? undefined : startTime,
    stopTime,
    energyWh: has("METER_WENT_BACKWARDS", "NO_START") ? undefined : energyWh,
    clockIsWrong: has("CLOCK_UNSET", "STOP_BEFORE_START"),
    powerCurve: powerCurve.flatMap(({ time, powerW }) => (time === undefined ? [] : [{ time, powerW }])),
    stopIsMissing: has("STOP_MISSING"),
  };
}
