import { randomUUID } from "node:crypto";
import { readEnv } from "@chargemesh/kit/config";
import { AppError } from "@chargemesh/kit/errors";
import { ensureJournal } from "@chargemesh/kit/event-streams";
import { makeLogger } from "@chargemesh/kit/log";
import { Stack } from "@chargemesh/kit/main";
import { type Nats, openNats } from "@chargemesh/kit/nats";
import { readNatsConfig } from "@chargemesh/kit/nats-access";
import { openPostgres } from "@chargemesh/kit/postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../../test/rest.ts";
import { type FreshDatabase, type FreshNats, freshDatabase, freshNats } from "../../../test/servers.ts";
import { type Database, type Db, SCHEMA } from "../../src/db/schema.ts";
import { insertReplay, insertWebhook, replaysOf } from "../../src/db/webhook.ts";
import { journalState } from "../../src/live/journal.ts";
import { keepReplays } from "../../src/webhooks/replay.ts";
import { tell } from "./hooks.ts";

// Replays where not all goes well: the bus goes away in the middle, and the journal has an event twice.

const log = makeLogger("replays", "silent");
const TYPE = "chargemesh.charger.v1.ChargerDeleted";
const stack = new Stack();
let database: FreshDatabase;
let server: FreshNats;
let nats: Nats;
let db: Db;
/** How often the bus is still there when it is asked for. */
let asksLeft = Number.POSITIVE_INFINITY;

beforeAll(async () => {
  [database, server] = await Promise.all([freshDatabase(), freshNats()]);
  db = openPostgres<Database>(database.chargerUrl, SCHEMA, 4, stack, log);
  nats = openNats(readNatsConfig(readEnv({ NATS_URL: server.url }), "NATS_URL"), "charger-service", stack, log);
  await eventually(async () => nats.isConnected());
  await ensureJournal(nats, "charger-service", log);
  const unsteady = {
    ...nats,
    connection() {
      if (asksLeft-- > 0) return nats.connection();
      throw new AppError("unavailable", "NATS_UNAVAILABLE", "The message bus is not available. Try again.");
    },
  };
  keepReplays({ db, nats: unsteady, wake: () => undefined }, stack, log);
});
afterAll(async () => {
  await stack.close(log);
  await Promise.all([server?.stop(), database?.drop()]);
});

async function replay() {
  const owner = { owner_user_id: randomUUID(), owner_role: "ADMIN", in_order: false } as const;
  const { id } = await insertWebhook(db, { ...owner, url: "https://receiver.example", types: [TYPE], description: "", sealed_secret: "" });
  const { last } = await journalState(nats, log);
  const times = { start_time: new Date(0), end_time: new Date(Date.now() + 60_000) };
  await insertReplay(db, { webhook_id: id, ...times, types: [], cursor: 0, end_cursor: last });
  return async () => (await replaysOf(db, [id]))[0];
}

test("a replay goes on where it was when the bus comes back", async () => {
  for (const subject of ["A", "B", "C"]) await tell(nats.connection(), TYPE, subject, { chargerId: subject });
  await eventually(async () => (await journalState(nats, log)).last === 3);
  // Just for how the journal stands.
  asksLeft = 1;
  const standing = await replay();
  await eventually(async () => asksLeft < 0);
  // The step that has begun gives up.
  const asksThen = asksLeft;
  await eventually(async () => asksLeft < asksThen - 12);
  asksLeft = Number.POSITIVE_INFINITY;
  await eventually(async () => (await standing())?.state === "ENDED");
  expect(await standing()).toMatchObject({ events: 3 });
}, 20_000);

test("an event that the journal has twice is queued once, and holds up no replay", async () => {
  asksLeft = Number.POSITIVE_INFINITY;
  const id = randomUUID();
  const event = { specversion: "1.0", id, source: "charger-service", type: TYPE, subject: "D", time: new Date(), data: { chargerId: "D" } };
  for (const _ of [1, 2]) await nats.connection().jetstream().publish(`${TYPE}.RA`, JSON.stringify(event));
  await eventually(async () => (await journalState(nats, log)).last === 5);
  const standing = await replay();
  await eventually(async () => (await standing())?.state === "ENDED");
  expect(await standing()).toMatchObject({ events: 4 });
});
