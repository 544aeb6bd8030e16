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
import { Reservation } from "@chargemesh/contracts/charger/v1/reservation";
import { Transaction } from "@chargemesh/contracts/charger/v1/transaction";
import type { CloudEvent } from "@chargemesh/kit/cloud-event";
import { cloudEvent } from "./events.ts";

const place = { chargerId: "CP-1", evseId: 1, connectorId: 1 };

/** A charge that has just begun. */
export function transactionStarted(transaction: Partial<Transaction>, event: Partial<CloudEvent> = {}): CloudEvent {
  const whole = Transaction.fromPartial({ id: "4711", ...place, state: "ACTIVE", startTime: new Date(), ...transaction });
  return cloudEvent(TransactionStarted.$type, whole.id, TransactionStarted.toJSON({ transaction: whole }), event);
}

/** A charge that something broke off. */
export function transactionInterrupted(transaction: Partial<Transaction>): CloudEvent {
  const stopTime = new Date();
  const startTime = new Date(stopTime.getTime() - 600_000);
  const whole = Transaction.fromPartial({ id: "4711", ...place, state: "STOPPED", startTime, stopTime, energyWh: 1_500, ...transaction });
  const powerCurve = [3, 6, 9].map((minutes) => ({ time: new Date(startTime.getTime() + minutes * 60_000), powerW: 9_000 }));
  const data = TransactionStopped.fromPartial({ transaction: whole, interrupted: true, powerCurve });
  return cloudEvent(TransactionStopped.$type, whole.id, TransactionStopped.toJSON(data), {});
}

export function reservationExpiring(reservation: Partial<Reservation>): CloudEvent {
  const whole = Reservation.fromPartial({ id: "1f0a49c7-7d0e-4c8e-9a54-0f1f5f3f8a11", ...place, state: "ACTIVE", ...reservation });
  return cloudEvent(ReservationExpiring.$type, whole.id, ReservationExpiring.toJSON({ reservation: whole }), {});
}

export function webhookDisabled(ownerUserId: string): CloudEvent {
  const webhook = { id: "2e0a49c7-7d0e-4c8e-9a54-0f1f5f3f8a11", url: "https://hooks.example/mesh", state: "DISABLED" } as const;
  const data = WebhookDisabled.fromPartial({ webhook, reason: "FAILING", ownerUserId });
  return cloudEvent(WebhookDisabled.$type, webhook.id, WebhookDisabled.toJSON(data), {});
}

export function chargerConnected(chargerId: string, event: Partial<CloudEvent>): CloudEvent {
  const data = ChargerConnected.fromPartial({ chargerId, protocol: "ocpp1.6" });
  return cloudEvent(ChargerConnected.$type, chargerId, ChargerConnected.toJSON(data), event);
}

export function chargerDisconnected(chargerId: string, event: Partial<CloudEvent>, reason = "CONNECTION_LOST"): CloudEvent {
  return cloudEvent(ChargerDisconnected.$type, chargerId, ChargerDisconnected.toJSON({ chargerId, reason }), event);
}

export function chargerDeleted(chargerId: string, event: Partial<CloudEvent>): CloudEvent {
  return cloudEvent(ChargerDeleted.$type, chargerId, ChargerDeleted.toJSON({ chargerId }), event);
}

export function chargerFaulted(chargerId: string, fault: Partial<ChargerFaulted>, event: Partial<CloudEvent>): CloudEvent {
  const data = ChargerFaulted.fromPartial({ ...place, errorCode: "GroundFailure", ...fault, chargerId });
  return cloudEvent(ChargerFaulted.$type, chargerId, ChargerFaulted.toJSON(data), event);
}

export function chargerRecovered(chargerId: string, fault: Partial<ChargerRecovered>, event: Partial<CloudEvent>): CloudEvent {
  const data = ChargerRecovered.fromPartial({ ...place, ...fault, chargerId });
  return cloudEvent(ChargerRecovered.$type, chargerId, ChargerRecovered.toJSON(data), event);
}
