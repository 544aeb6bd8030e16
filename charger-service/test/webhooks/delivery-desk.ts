import { randomBytes, randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import type { Clock } from "@chargemesh/kit/clock";
import type { CloudEvent } from "@chargemesh/kit/cloud-event";
import { makeLogger } from "@chargemesh/kit/log";
import { Stack } from "@chargemesh/kit/main";
import { openPostgres } from "@chargemesh/kit/postgres";
import { makeSealedTexts } from "@chargemesh/kit/sealed-text";
import { sql } from "kysely";
import { Webhook } from "standardwebhooks";
import { eventually } from "../../../test/rest.ts";
import { freshDatabase } from "../../../test/servers.ts";
import { launch, type Running } from "../../../tools/servers/launch.ts";
import { type Database, SCHEMA } from "../../src/db/schema.ts";
import { insertWebhook } from "../../src/db/webhook.ts";
import { queueDeliveries } from "../../src/db/webhook-delivery.ts";
import { readNetworks } from "../../src/webhooks/address.ts";
import { runWebhooks } from "../../src/webhooks/run.ts";
import type { Received, Receiver } from "./receiver.ts";

/** What became of a delivery. */
export interface Sent {
  subject: string;
  state: string;
  attempts: number;
  errors: string[];
  isLeased: boolean;
}

/** A webhook of a test. */
export interface Hook {
  id: string;
  secret: string;
  /** Queues so many events of a subject, and says their ids in order. */
  queue(subject: string, count?: number): Promise<string[]>;
  /** What became of its deliveries, in the order of the events. */
  sent(): Promise<Sent[]>;
  /** Resolves when all of them have ended so. */
  all(state: "DELIVERED" | "FAILED"): Promise<Sent[]>;
  /** How it stands itself. */
  standing(): Promise<{ state: string; reason: string | null; since: Date | null } | undefined>;
  /** The types of the events that tell of it. */
  told(): Promise<string[]>;
}

/** A database with webhooks, and replicas of what delivers to them, by a clock that a test may set forward. */
export interface Desk {
  /** Goes on by itself, and by so many ms at once. */
  forward(ms: number): void;
  /** Sets it right again: the database queues by its own. */
  reset(): void;
  now(): Date;
  hook(url: string, fields?: { in_order?: boolean; sealed_secret?: string }): Promise<Hook>;
  /** Starts one. Its attempts may take so long. */
  replica(timeoutMs?: number, databaseUrl?: string, drainMs?: number): { wake(): void; stop(): Promise<void> };
  /** Starts one in a process of its own, by the real time, which a test may kill. */
  process(): Promise<Running>;
  rows<T>(query: ReturnType<typeof sql<T>>): Promise<T[]>;
  databaseUrl: string;
  sealed: ReturnType<typeof makeSealedTexts>;
  leave(): Promise<void>;
}

const log = makeLogger("webhooks", "silent");
const SECRET = "the secret of the services of this test";
const deliverer = fileURLToPath(new URL("deliverer.ts", import.meta.url));

export async function openDesk(): Promise<Desk> {
  const { chargerUrl, drop } = await freshDatabase();
  const stack = new Stack();
  const db = openPostgres<Database>(chargerUrl, SCHEMA, 4, stack, log);
  const sealed = makeSealedTexts(SECRET, "webhooks");
  const replicas = new Set<() => Promise<void>>();
  let ahead = 0;
  let cursor = 0;
  const clock: Clock = { now: () => new Date(Date.now() + ahead) };

  const queue = async (webhookId: string, subject: string, count: number): Promise<string[]> => {
    const queued = Array.from({ length: count }, () => {
      cursor += 1;
      return { cursor, event: makeEvent(subject, cursor), webhooks: [{ id: webhookId, owner_role: "ADMIN" as const }] };
    });
    await queueDeliveries(db, queued, false);
    return queued.map(({ event }) => event.id);
  };
  const sent = async (webhookId: string): Promise<Sent[]> => {
    const { rows } = await sql<Sent>`
      select subject, state, attempts, lease_time is not null as "isLeased",
        array(select error from webhook_attempt where delivery_id = id order by number) as errors
      from webhook_delivery where webhook_id = ${webhookId} order by cursor`.execute(db);
    return rows;
  };
  const standingOf: (id: string) => ReturnType<Hook["standing"]> = async (id) => {
    const { rows } = await sql<{ state: string; reason: string | null; since: Date | null }>`
      select state, disable_reason as reason, failing_since as since from webhook where id = ${id}`.execute(db);
    return rows[0];
  };
  const toldOf = async (id: string): Promise<string[]> => {
    const { rows } = await sql<{ type: string }>`select type from outbox where aggregate_id = ${id} order by id`.execute(db);
    return rows.map(({ type }) => type);
  };
  return {
    forward(ms) {
      ahead += ms;
    },
    reset() {
      ahead = 0;
    },
    now: clock.now,
    async hook(url, fields = {}) {
      const secret = `whsec_${randomBytes(32).toString("base64")}`;
      const row = { url, types: [], description: "", in_order: false, owner_user_id: randomUUID(), sealed_secret: sealed.seal(secret) };
      const { id } = await insertWebhook(db, { ...row, owner_role: "ADMIN", ...fields });
      return {
        id,
        secret,
        queue: (subject, count = 1) => queue(id, subject, count),
        sent: () => sent(id),
        all: (state) =>
          eventually(async () => {
            const all = await sent(id);
            return all.every((one) => one.state === state) && all;
          }),
        standing: () => standingOf(id),
        told: () => toldOf(id),
      };
    },
    replica(timeoutMs = 20_000, databaseUrl = chargerUrl, drainMs = 20_000) {
      const own = new Stack();
      const ownDb = openPostgres<Database>(databaseUrl, SCHEMA, 4, own, log);
      const allowedNetworks = readNetworks("127.0.0.0/8");
      const { wake } = runWebhooks({ db: ownDb, clock, sealed, allowedNetworks, timeoutMs, drainMs }, own, log);
      const stop = async (): Promise<void> => {
        if (replicas.delete(stop)) await own.close(log);
      };
      replicas.add(stop);
      return { wake, stop };
    },
    process: () =>
      launch({
        command: process.execPath,
        args: [deliverer, chargerUrl, SECRET],
        stopSignal: "SIGTERM",
        output(stdout, stderr) {
          stdout.resume();
          stderr.resume();
        },
      }),
    rows: async (query) => (await query.execute(db)).rows,
    databaseUrl: chargerUrl,
    sealed,
    async leave() {
      for (const stop of replicas) await stop();
      await stack.close(log);
      await drop();
    },
  };
}

function makeEvent(subject: string, number: number): CloudEvent {
  const id = randomUUID();
  const type = "chargemesh.charger.v1.ChargerConnected";
  const traceparent = `00-${id.replaceAll("-", "")}-${id.replaceAll("-", "").slice(0, 16)}-00`;
  const time = "2026-01-01T00:00:00.000Z";
  const data = { chargerId: subject, number, text: "Grüße, 你好 \u2028" };
  const known = { specversion: "1.0", datacontenttype: "application/json" } as const;
  return { ...known, id, source: "charger-service", type, subject, time, data, traceparent };
}

/** Whether the library of Standard Webhooks takes this for sent by whoever has the secret, whenever that was. */
export function isSignedBy({ headers, body }: Received, secret: string): boolean {
  const { "webhook-id": id = "", "webhook-timestamp": timestamp, "webhook-signature": signatures } = headers;
  const signature = new Webhook(secret).sign(id, new Date(Number(timestamp) * 1_000), body);
  return String(signatures).split(" ").includes(signature);
}

/** How often each of these events came. */
export function timesOf(receiver: Receiver, ids: readonly string[]): number[] {
  const came = receiver.ids();
  return ids.map((id) => came.filter((one) => one === id).length);
}
