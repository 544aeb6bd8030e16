import { TransactionStopped } from "@chargemesh/contracts/charger/v1/events";
import type { PowerSample, Transaction } from "@chargemesh/contracts/charger/v1/transaction";
import type { Clock } from "@chargemesh/kit/clock";
import type { Logger } from "@chargemesh/kit/log";
import type { Handle } from "@chargemesh/kit/subscribe";
import type { Db } from "../db/schema.ts";
import type { Sender } from "../mail/sender.ts";
import type { Charge } from "../mail/templates/charge.ts";
import { templates } from "../mail/templates/index.ts";
import { mailUser } from "../mail/to-user.ts";

/** Sends a receipt to the user who charged, however late; or one mail in its place that also says why, if something broke the charge off. */
export const transactionStopped =
  (needs: { db: Db; clock: Clock; sender: Sender; log: Logger }): Handle =>
  async (event, deliveries) => {
    const { transaction, interrupted, powerCurve } = TransactionStopped.fromJSON(event.data ?? {});
    if (transaction === undefined) return needs.log.error({ event }, "an event without its transaction was dropped");
    const { userId, stopReason } = transaction;
    const charge = (username: string): Charge => toCharge(transaction, powerCurve, username);
    const delivery = { event, deliveries };
    if (!interrupted) return mailUser(needs, delivery, userId, templates.receipt, charge);
    await mailUser(needs, delivery, userId, templates["charging-interrupted"], (username) => ({ ...charge(username), stopReason }));
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
