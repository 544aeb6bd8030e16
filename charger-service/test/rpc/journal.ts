import { randomUUID } from "node:crypto";
import { JOURNAL } from "@chargemesh/kit/event-streams";
import { connect, type NatsConnection } from "nats";
import { vi } from "vitest";
import type { Place } from "../service.ts";

/** A message of an events.proto, as ts-proto makes it. */
interface EventMessage {
  readonly $type: string;
}

/** The journal as a test sees it, beside the service. */
export interface TestJournal {
  readonly nats: NatsConnection;
  /** Has something told, as if a service had: `data` are in JSON. */
  tell(message: EventMessage, subject: string, data: object): Promise<void>;
  /** How many events it has had. */
  last(): Promise<number>;
  /** The names of the consumers of those who watch now. */
  readers(): Promise<string[]>;
  close(): Promise<void>;
}

/** Resolves when the service has made the journal. */
export async function openJournal(place: Place): Promise<TestJournal> {
  const { host, username, password } = new URL(place.nats.url);
  const nats = await connect({ servers: host, user: username, pass: password, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
  const { streams, consumers } = await nats.jetstreamManager();
  await vi.waitFor(() => streams.info(JOURNAL), { timeout: 20_000, interval: 50 });
  return {
    nats,
    async tell({ $type: type }, subject, data) {
      const time = new Date().toISOString();
      const event = {
        specversion: "1.0",
        id: randomUUID(),
        source: "a test",
        type,
        subject,
        time,
        datacontenttype: "application/json",
        data,
      };
      await nats.jetstream().publish(`${type}.x`, JSON.stringify(event));
    },
    last: async () => (await streams.info(JOURNAL)).state.last_seq,
    readers: async () => {
      const all = await consumers.list(JOURNAL).next();
      return all.filter(({ config }) => config.description === "live streams").map(({ name }) => name);
    },
    close: () => nats.close(),
  };
}
