import { randomUUID } from "node:crypto";
import { UserUpdated } from "@chargemesh/contracts/auth/v1/events";
import { Charger } from "@chargemesh/contracts/charger/v1/charger";
import { JOURNAL } from "@chargemesh/kit/event-streams";
import type { Metadata } from "@grpc/grpc-js";
import type { NatsConnection } from "nats";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../../test/rest.ts";
import { openNats, openSite, type Site } from "../ocpp/site.ts";
import { call, refusal, startService } from "../service.ts";
import { type Hooks, hooksOf, tell } from "./hooks.ts";
import { openReceiver, type Receiver } from "./receiver.ts";

// What becomes of events: which webhooks they are queued for, once and in order, and once more where somebody asks for it.

let site: Site;
let nats: NatsConnection;
/** Takes everything, of whatever webhook. */
let receiver: Receiver;
/** Of one webhook at a time. */
let own: Receiver;
let as: Metadata;
let operator: Hooks;
let admin: Hooks;

beforeAll(async () => {
  site = await openSite({ WEBHOOK_ALLOWED_NETWORKS: "127.0.0.0/8" });
  nats = await openNats(site.place);
  [receiver, own] = [await openReceiver(), await openReceiver()];
  as = site.place.as("OPERATOR");
  operator = hooksOf(site.service, as);
  admin = hooksOf(site.service, site.place.as("ADMIN"));
  // It is queued from when the journal is read on.
  await eventually(async () => (await site.rows("select from webhook_cursor")).length === 1);
});
afterAll(async () => {
  await nats?.close();
  await Promise.all([receiver?.leave(), own?.leave()]);
  await site?.leave();
});

const rename = (id: string, displayName: string) => {
  const request = { charger: Charger.fromPartial({ id, displayName }), updateMask: ["display_name"] };
  return call(site.service.chargers, site.service.chargers.updateCharger, request, as);
};
const short = (type: string): string => type.split(".").at(-1) ?? "";
/** The types and subjects of what is queued for a webhook, the first one first. */
const queuedFor = async (id: string): Promise<string[]> =>
  (await admin.deliveries(id)).map(({ type, subject }) => `${short(type)} ${subject}`).reverse();
/** Resolves when everything that was told up to now has been queued: an event that only this webhook asks for has. */
async function settled(): Promise<void> {
  const { id } = await operator.create({ url: receiver.url, types: ["ChargerCreated"], chargerId: `LAST-${randomUUID().slice(0, 8)}` });
  await site.register((await operator.get(id)).chargerId);
  await eventually(async () => (await operator.deliveries(id)).length === 1);
  await operator.remove(id);
}

test("a webhook gets what it asks for of what happens once it is there", async () => {
  await site.register("A-0");
  const types = ["ChargerCreated", "ChargerUpdated", "ChargerDeleted"];
  const ofAll = await operator.create({ url: receiver.url, types });
  const ofOne = await operator.create({ url: own.url, types, chargerId: "A-1" });
  const disabled = await operator.create({ url: receiver.url, types });
  await operator.disable(disabled.id);
  await site.register("A-1");
  await site.register("A-2");
  await rename("A-1", "one");
  await site.remove("A-2");
  await settled();
  const ofA1 = ["ChargerCreated A-1", "ChargerUpdated A-1"];
  expect((await queuedFor(ofAll.id)).filter((one) => !one.includes("LAST"))).toEqual([
    "ChargerCreated A-1",
    "ChargerCreated A-2",
    "ChargerUpdated A-1",
    "ChargerDeleted A-2",
  ]);
  expect(await queuedFor(ofOne.id)).toEqual(ofA1);
  expect(await queuedFor(disabled.id)).toEqual([]);
  const [first] = (await operator.deliveries(ofOne.id)).reverse();
  await eventually(async () => own.received.length === 2);
  expect(first).toMatchObject({
    event: { specversion: "1.0", source: "charger-service", data: { charger: { id: "A-1" } } },
    cursor: expect.stringMatching(/^\d+$/),
  });
});

test("a webhook of an operator is not told of users, and one of an administrator is", async () => {
  const [ofOperator, ofAdmin] = [await operator.create({ url: receiver.url }), await admin.create({ url: receiver.url })];
  const userId = randomUUID();
  const eventId = await tell(nats, UserUpdated.$type, userId, { user: { id: userId, role: "DRIVER" } });
  await eventually(async () => (await admin.deliveries(ofAdmin.id, { type: "UserUpdated" })).length === 1);
  await settled();
  expect(await admin.deliveries(ofAdmin.id, { type: "UserUpdated" })).toMatchObject([{ eventId, subject: userId }]);
  const types = (await operator.deliveries(ofOperator.id)).map(({ type }) => short(type));
  expect(types).toContain("ChargerCreated");
  expect(types).not.toContain("UserUpdated");
});

test("what others put into the journal holds up nobody", async () => {
  const { id } = await operator.create({ url: receiver.url, types: ["ChargerCreated"] });
  for (const wrong of [
    "no JSON",
    "null",
    "{}",
    JSON.stringify({ id: 1 }),
    JSON.stringify({ id: "x", source: "", type: "", subject: "", time: "soon" }),
  ])
    await nats.jetstream().publish("chargemesh.charger.v1.Nonsense.x", wrong);
  await tell(nats, "chargemesh.charger.v1.OfANewerReplica", "x", {});
  await site.register("B-1");
  await eventually(async () => (await queuedFor(id)).includes("ChargerCreated B-1"));
});

test("replicas queue each event once and in order, also when one takes over from another", async () => {
  const { id } = await operator.create({ url: own.url, types: ["ChargerUpdated"], chargerId: "C-1", inOrder: true });
  await site.register("C-1");
  const settings = { WEBHOOK_ALLOWED_NETWORKS: "127.0.0.0/8" };
  const other = await startService(site.place, settings);
  const sessions = new Client({ connectionString: site.place.vars.CHARGER_DATABASE_URL });
  sessions.on("error", () => undefined);
  await sessions.connect();
  const cut = `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted
    and database = (select oid from pg_database where datname = current_database())`;
  const names = Array.from({ length: 40 }, (_, i) => `name ${i}`);
  for (const [i, name] of names.entries()) {
    await rename("C-1", name);
    // Whoever queues, and who publishes, is cut off, and one of the two goes on.
    if (i % 20 === 10) await sessions.query(cut);
  }
  const namesOf = async () => (await operator.deliveries(id)).map(({ event }) => event?.data.charger.displayName).reverse();
  await eventually(async () => (await operator.deliveries(id, { state: "DELIVERED" })).length === names.length);
  expect(await namesOf()).toEqual(names);
  const came = own.received.map(({ body }) => JSON.parse(body)).filter(({ subject }) => subject === "C-1");
  expect(came.map(({ data }) => data.charger.displayName)).toEqual(names);
  await sessions.end();
  await other.stop();
});

test("a replay sends once more what happened in a time, and what was missed, under the same ids", async () => {
  const { id } = await operator.create({ url: own.url, types: ["ChargerCreated", "ChargerUpdated"], chargerId: "D-1" });
  await site.register("D-1");
  await eventually(async () => (await operator.deliveries(id, { state: "DELIVERED" })).length === 1);
  await operator.disable(id);
  await rename("D-1", "one");
  await settled();
  await operator.enable(id);
  expect(await queuedFor(id)).toEqual(["ChargerCreated D-1"]);
  const [event] = await operator.deliveries(id);
  const startTime = new Date(Date.parse(String(event?.event?.time)));
  const replayed = await operator.replay({ id, startTime });
  expect(replayed.replay).toMatchObject({ state: "RUNNING", startTime, types: [], eventCount: 0 });
  const ended = await eventually(async () => {
    const { replay } = await operator.get(id);
    return replay?.state === "ENDED" && replay;
  });
  expect(ended.eventCount).toBe(2);
  await eventually(async () => (await operator.deliveries(id, { state: "DELIVERED" })).length === 2);
  expect(await queuedFor(id)).toEqual(["ChargerCreated D-1", "ChargerUpdated D-1"]);
  expect(await operator.delivery(id, event?.id ?? "")).toMatchObject({ attemptCount: 2, attempts: [{ number: 1 }, { number: 2 }] });
  expect(own.ids().filter((one) => one === event?.eventId)).toHaveLength(2);
  const later = new Date(startTime.getTime() + 1);
  await operator.replay({ id, startTime: later, types: ["ChargerUpdated"] });
  await eventually(async () => (await operator.get(id)).replay?.state === "ENDED");
  expect((await operator.get(id)).replay).toMatchObject({ eventCount: 1, types: ["chargemesh.charger.v1.ChargerUpdated"] });
  await operator.replay({ id, startTime: new Date(0), endTime: startTime });
  await eventually(async () => (await operator.get(id)).replay?.state === "ENDED");
  expect((await operator.get(id)).replay?.eventCount).toBe(0);
});

test("a replay that cannot be is refused", async () => {
  const { id } = await operator.create({ url: receiver.url });
  const fieldsOf = async (fields: object) => (await refusal(operator.replay({ id, ...fields }))).fields;
  const [now, later] = [new Date(), new Date(Date.now() + 3_600_000)];
  expect(await fieldsOf({})).toEqual(["start_time"]);
  expect(await fieldsOf({ startTime: later })).toEqual(["start_time"]);
  expect(await fieldsOf({ startTime: now, endTime: now })).toEqual(["start_time"]);
  expect(await fieldsOf({ startTime: new Date(0), types: ["UserCreated"] })).toEqual(["types[0]"]);
  await site.rows(
    "insert into webhook_replay (webhook_id, start_time, end_time, types, cursor, end_cursor) values ($1, now(), now(), '{}', 0, 0)",
    [id],
  );
  const refused = await operator.replay({ id, startTime: new Date(0) }).then(
    () => undefined,
    (err: unknown) => String(err),
  );
  // It may have ended in between.
  if (refused !== undefined) expect(refused).toContain("has not ended yet");
});

test("a journal that was made anew is read from its beginning", async () => {
  const { id } = await operator.create({ url: receiver.url, types: ["ChargerCreated"], chargerId: "E-1" });
  await (await nats.jetstreamManager()).streams.delete(JOURNAL);
  await site.register("E-1");
  await eventually(async () => (await queuedFor(id)).includes("ChargerCreated E-1"));
  await settled();
  expect(await queuedFor(id)).toEqual(["ChargerCreated E-1"]);
});
