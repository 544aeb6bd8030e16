import { OneTimeTokenIssued, SecurityNoticeRaised, UserCreated, UserDeleted, UserUpdated } from "@chargemesh/contracts/auth/v1/events";
import {
  ChargerConnected,
  ChargerDeleted,
  ChargerDisconnected,
  ChargerFaulted,
  ChargerRecovered,
  ReservationExpiring,
  TransactionStarted,
  TransactionStopped,
  WebhookDisabled,
} from "@chargemesh/contracts/charger/v1/events";
import type { Clock } from "@chargemesh/kit/clock";
import type { Logger } from "@chargemesh/kit/log";
import type { Stack } from "@chargemesh/kit/main";
import type { Nats } from "@chargemesh/kit/nats";
import { type Handle, subscribe } from "@chargemesh/kit/subscribe";
import type { Db } from "./db/schema.ts";
import type { Links } from "./mail/links.ts";
import type { Sender } from "./mail/sender.ts";
import { chargerConnected } from "./subscribers/charger-connected.ts";
import { chargerDeleted } from "./subscribers/charger-deleted.ts";
import { chargerDisconnected } from "./subscribers/charger-disconnected.ts";
import { chargerFaulted } from "./subscribers/charger-faulted.ts";
import { chargerRecovered } from "./subscribers/charger-recovered.ts";
import { oneTimeTokenIssued } from "./subscribers/one-time-token-issued.ts";
import { reservationExpiring } from "./subscribers/reservation-expiring.ts";
import { securityNoticeRaised } from "./subscribers/security-notice-raised.ts";
import { transactionStarted } from "./subscribers/transaction-started.ts";
import { transactionStopped } from "./subscribers/transaction-stopped.ts";
import { userCreated } from "./subscribers/user-created.ts";
import { userDeleted } from "./subscribers/user-deleted.ts";
import { userUpdated } from "./subscribers/user-updated.ts";
import { webhookDisabled } from "./subscribers/webhook-disabled.ts";

/** What subscribers need. */
interface Needs {
  db: Db;
  clock: Clock;
  sender: Sender;
  links: Links;
  log: Logger;
  /** How long a charger may be offline before operators hear of it, and how far their mails of a kind are apart, in ms. */
  offlineMs: number;
  digestMs: number;
}

/** Every event that a mail follows from, each with a durable consumer of its own, which deploy/nats.conf allows us. */
const subscriptions: readonly [durable: string, type: string, subscriber: (needs: Needs) => Handle][] = [
  ["email-user-created", UserCreated.$type, userCreated],
  ["email-user-updated", UserUpdated.$type, userUpdated],
  ["email-user-deleted", UserDeleted.$type, userDeleted],
  ["email-one-time-token-issued", OneTimeTokenIssued.$type, oneTimeTokenIssued],
  ["email-security-notice-raised", SecurityNoticeRaised.$type, securityNoticeRaised],
  ["email-transaction-started", TransactionStarted.$type, transactionStarted],
  ["email-transaction-stopped", TransactionStopped.$type, transactionStopped],
  ["email-reservation-expiring", ReservationExpiring.$type, reservationExpiring],
  ["email-charger-connected", ChargerConnected.$type, chargerConnected],
  ["email-charger-disconnected", ChargerDisconnected.$type, chargerDisconnected],
  ["email-charger-deleted", ChargerDeleted.$type, chargerDeleted],
  ["email-charger-faulted", ChargerFaulted.$type, chargerFaulted],
  ["email-charger-recovered", ChargerRecovered.$type, chargerRecovered],
  ["email-webhook-disabled", WebhookDisabled.$type, webhookDisabled],
];

/** Handles them until the process stops. */
export function subscribeToAll(nats: Nats, needs: Needs, stack: Stack, log: Logger): void {
  for (const [durable, type, subscriber] of subscriptions) subscribe(nats, durable, type, subscriber(needs), stack, log);
}
