import { randomUUID } from "node:crypto";
import { OneTimeTokenIssued, SecurityNoticeRaised, UserCreated, UserDeleted, UserUpdated } from "@chargemesh/contracts/auth/v1/events";
import { User } from "@chargemesh/contracts/auth/v1/user";
import { TransactionStopped } from "@chargemesh/contracts/charger/v1/events";
import { Transaction } from "@chargemesh/contracts/charger/v1/transaction";
import type { CloudEvent } from "@chargemesh/kit/cloud-event";
import { readEnv } from "@chargemesh/kit/config";
import { ensureStream, streamOf } from "@chargemesh/kit/event-streams";
import { makeLogger } from "@chargemesh/kit/log";
import { Stack } from "@chargemesh/kit/main";
import { openNats } from "@chargemesh/kit/nats";
import { readNatsConfig } from "@chargemesh/kit/nats-access";
import { subjectOf } from "@chargemesh/kit/outbox";
import { until } from "./service.ts";

/** An event as the outbox of a service would publish it. */
export function userCreated(user: Partial<User>, event: Partial<CloudEvent> = {}): CloudEvent {
  const whole = User.fromPartial({ id: randomUUID(), role: "DRIVER", ...user });
  return cloudEvent(UserCreated.$type, whole.id, UserCreated.toJSON({ user: whole }), event);
}

export function userUpdated(user: Partial<User>, event: Partial<CloudEvent> = {}): CloudEvent {
  const whole = User.fromPartial({ id: randomUUID(), role: "DRIVER", ...user });
  return cloudEvent(UserUpdated.$type, whole.id, UserUpdated.toJSON({ user: whole }), event);
}

export function securityNoticeRaised(notice: Partial<SecurityNoticeRaised>, event: Partial<CloudEvent> = {}): CloudEvent {
  const whole = SecurityNoticeRaised.fromPartial({ userId: randomUUID(), ...notice });
  return cloudEvent(SecurityNoticeRaised.$type, whole.userId, SecurityNoticeRaised.toJSON(whole), event);
}

export function oneTimeTokenIssued(issued: Partial<OneTimeTokenIssued>, event: Partial<CloudEvent> = {}): CloudEvent {
  const whole = OneTimeTokenIssued.fromPartial({ userId: randomUUID(), username: "ada", ...issued });
  return cloudEvent(OneTimeTokenIssued.$type, whole.userId || randomUUID(), OneTimeTokenIssued.toJSON(whole), event);
}

export function userDeleted(userId: string, event: Partial<CloudEvent> = {}): CloudEvent {
  return cloudEvent(UserDeleted.$type, userId, UserDeleted.toJSON({ userId }), event);
}

/** A charge of 1 h 2 min 3 s and 12.346 kWh. */
export function transactionStopped(transaction: Partial<Transaction>, event: Partial<CloudEvent> = {}): CloudEvent {
  const whole = Transaction.fromPartial({
    id: "4711",
    chargerId: "CP-1",
    evseId: 1,
    connectorId: 2,
    idToken: "04A1",
    state: "STOPPED",
    startTime: new Date("2026-11-03T17:05:09Z"),
    stopTime: new Date("2026-11-03T18:07:12Z"),
    meterStartWh: 1000,
    meterStopWh: 13_345.6,
    energyWh: 12_345.6,
    stopReason: "Local",
    ...transaction,
  });
  return cloudEvent(
    TransactionStopped.$type,
    whole.id,
    TransactionStopped.toJSON(TransactionStopped.fromPartial({ transaction: whole })),
    event,
  );
}

export function cloudEvent(type: string, subject: string, data: unknown, more: Partial<CloudEvent>): CloudEvent {
  const time = new Date().toISOString();
  return { specversion: "1.0", id: randomUUID(), source: "test", type, subject, time, datacontenttype: "application/json", data, ...more };
}

/** How many email-service has. */
const CONSUMERS = 14;

/** Publishes events, each as often as it is given: JetStream is not told that it knows them. */
export async function openPublisher(url: string) {
  const log = makeLogger("test", "silent");
  const stack = new Stack();
  const nats = openNats(readNatsConfig(readEnv({ NATS_URL: url }), "NATS_URL"), "test", stack, log);
  await until(() => nats.check().then(() => true));
  for (const name of ["chargemesh.auth.v1", "chargemesh.charger.v1"]) await ensureStream(nats, streamOf(name), "", log);
  const jetstream = nats.connection().jetstream();
  const manager = await jetstream.jetstreamManager();
  const publishRaw = (subject: string, data: string) => jetstream.publish(subject, data);
  return {
    jetstream,
    manager,
    publishRaw,
    async publish(...events: CloudEvent[]): Promise<void> {
      for (const event of events) await publishRaw(subjectOf(event.type, event.subject), JSON.stringify(event));
    },
    /** Waits until email-service has handled all that was published. */
    allHandled: () =>
      until(async () => {
        const all = [
          ...(await manager.consumers.list("chargemesh_auth_v1").next()),
          ...(await manager.consumers.list("chargemesh_charger_v1").next()),
        ];
        const consumers = all.filter(({ name }) => name.startsWith("email-"));
        const areDone = consumers.every(({ num_pending, num_ack_pending }) => num_pending === 0 && num_ack_pending === 0);
        return (consumers.length === CONSUMERS && areDone) || undefined;
      }),
    close: () => stack.close(log),
  };
}

export type Publisher = Awaited<ReturnType<typeof openPublisher>>;
