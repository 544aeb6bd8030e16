import { randomUUID } from "node:crypto";
import { JOURNAL } from "@chargemesh/kit/event-streams";
import { connect, type NatsConnection } from "nats";
import { expect, vi } from "vitest";
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
  /** The same, and resolves when the journal has it: what services tell each for themselves, it has in no order. */
  tellInTurn(message: EventMessage, subject: string, data: object): Promise<void>;
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
  const tell = async ({ $type: type }: EventMessage, subject: string, data: object): Promise<string> => {
    const event = {
      specversion: "1.0",
      id: randomUUID(),
      source: "a test",
      type,
      subject,
      time: new Date().toISOString(),
      datacontenttype: "application/json",
      data,
    };
    const text = JSON.stringify(event);
    await nats.jetstream().publish(`${type}.x`, text);
    return text;
  };
  return {
    nats,
    async tell(message, subject, data) {
      await tell(message, subject, data);
    },
    async tellInTurn(message, subject, data) {
      const text = await tell(message, subject, data);
      const newest = async () => (await streams.getMessage(JOURNAL, { last_by_subj: `${message.$type}.x` })).string();
      await vi.waitFor(async () => expect(await newest()).toBe(text), { timeout: 20_000, interval: 5 });
    },
    last: async () => (await streams.info(JOURNAL)).state.last_seq,
    readers: async () => {
      const all = await consumers.list(JOURNAL).next();
      return all.filter(({ config }) => config.description === "live streams").map(({ name }) => name);
    },
    close: () => nats.close(),
  };
}
