import { numberOf } from "./configuration.ts";
import { type Outcome, type Outgoing, send } from "./link.ts";
import type { Response } from "./messages.ts";
import { type Charger, emit, type TransactionMessage } from "./state.ts";

/** Past this, meter values of a long time offline are left out, as OCPP 1.6 allows; starts and stops never are. */
const MESSAGES_MAX = 1_000;

/** What a StopTransaction says of a transaction that the CSMS never gave a number. */
const NO_ID = -1;

/** Keeps a message of a transaction until the CSMS has it, after all those before it (OCPP 1.6 sections 3.7 and 4.8 to 4.10). */
export function deliver(charger: Charger, message: TransactionMessage): void {
  if (message.action === "MeterValues" && charger.queue.length >= MESSAGES_MAX) return;
  charger.queue.push(message);
  send(charger.link);
}

/** The next message of a transaction to be sent now, if there is one. */
export function nextDelivery(charger: Charger): Outgoing | undefined {
  const message = charger.queue[0];
  if (message === undefined || charger.registration !== "Accepted" || charger.nextTry !== undefined) return undefined;
  nameTransaction(message);
  return { action: message.action, payload: message.payload, done: (outcome) => settle(charger, message, outcome) };
}

/** What was said about a transaction before the CSMS had given it a number now gets that number. */
function nameTransaction({ action, payload, transaction: { id } }: TransactionMessage): void {
  if (action === "StopTransaction") payload.transactionId = id ?? NO_ID;
  if (action === "MeterValues" && id !== undefined) payload.transactionId = id;
}

function settle(charger: Charger, message: TransactionMessage, outcome: Outcome<object>): void {
  switch (outcome.kind) {
    case "lost":
      // Not the CSMS's fault: it counts for nothing, and goes out again as it is over the next connection.
      message.settled?.();
      return;
    case "answered":
      charger.queue.shift();
      if (message.action === "StartTransaction") takeStart(message, outcome.response);
      emit(charger, { type: "delivered", message, response: outcome.response });
      message.settled?.();
      return;
    default:
      retry(charger, message);
  }
}

/** OCPP 1.6 section 3.7.1: each further wait is longer by TransactionMessageRetryInterval, up to TransactionMessageAttempts. */
function retry(charger: Charger, message: TransactionMessage): void {
  message.attempts++;
  if (message.attempts >= numberOf(charger, "TransactionMessageAttempts")) {
    charger.queue.shift();
    emit(charger, { type: "abandoned", message });
    message.settled?.();
    return;
  }
  const seconds = numberOf(charger, "TransactionMessageRetryInterval") * message.attempts;
  charger.nextTry = charger.time.after(seconds * 1000, () => {
    charger.nextTry = undefined;
    send(charger.link);
  });
}

function takeStart({ transaction }: TransactionMessage, response: object): void {
  // Its schema was checked when it came.
  const { transactionId, idTagInfo } = response as Response<"StartTransaction">;
  transaction.id = transactionId;
  transaction.idTagStatus = idTagInfo.status;
}
