import { randomUUID } from "node:crypto";
import { Charger } from "@chargemesh/contracts/charger/v1/charger";
import { WatchEventsRequest } from "@chargemesh/contracts/charger/v1/event_service";
import { ChargerCreated, ChargerDeleted, ChargerUpdated, CommandUpdated } from "@chargemesh/contracts/charger/v1/events";
import type { Metadata, ServiceError } from "@grpc/grpc-js";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { call, freshPlace, given, type Place, refusalOf, type Service, startService } from "../service.ts";
import { openLink } from "./link.ts";
import { openWatch, type Watch } from "./watch.ts";

const STREAM = "chargemesh_charger_v1";
let place: Place;
let service: Service;
let operator: Metadata;
let nats: NatsConnection;

beforeAll(async () => {
  place = await freshPlace();
  service = await startService(place);
  operator = place.as("OPERATOR");
  const { host, username, password } = new URL(place.nats.url);
  nats = await connect({ servers: host, user: username, pass: password, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
  // The service makes the stream as soon as it has NATS.
  await vi.waitFor(async () => (await manager()).streams.info(STREAM), { timeout: 20_000, interval: 50 });
});
// Streams of the test before have ended.
beforeEach(() => vi.waitFor(async () => expect(await readers()).toBe(0), { timeout: 20_000, interval: 10 }));
afterAll(async () => {
  await nats?.close();
  await service?.stop();
  await place?.leave();
});

const manager = () => nats.jetstreamManager();
/** How many read the stream now. */
const readers = async (): Promise<number> => (await (await manager()).streams.info(STREAM)).state.consumer_count;

/** What NATS knows of the one who reads now. */
const reader = async () => (await (await manager()).consumers.list(STREAM).next())[0];

const create = async (id: string) =>
  given((await call(service.chargers, service.chargers.createCharger, { charger: Charger.fromPartial({ id }) }, operator)).charger);
const update = (id: string, fields: Partial<Charger>, updateMask: string[]) =>
  call(service.chargers, service.chargers.updateCharger, { charger: Charger.fromPartial({ id, ...fields }), updateMask }, operator);
const remove = (id: string) => call(service.chargers, service.chargers.deleteCharger, { id }, operator);

const watch = (as = operator, of = service): Promise<Watch> => openWatch(of, as);

const uuid = expect.stringMatching(/^[0-9a-f-]{36}$/);

test("who watches sees what happens from now on, as the messages that the contract names", async () => {
  const watching = await watch();
  const created = await create("W-1");
  await update("W-1", { availability: "UNAVAILABLE" }, ["availability"]);
  await remove("W-1");
  const events = [await watching.next(), await watching.next(), await watching.next(), await watching.next()];
  const types = [ChargerCreated, ChargerUpdated, CommandUpdated, ChargerDeleted].map(({ $type }) => $type);
  expect(events.map(({ type }) => type)).toEqual(types);
  expect(events.map(({ data }) => data?.typeUrl)).toEqual(types.map((type) => `type.googleapis.com/${type}`));
  const [first, second, third, last] = events.map(({ data }) => given(data).value);
  expect(ChargerCreated.decode(given(first))).toEqual({ charger: { ...created, password: undefined } });
  expect(ChargerUpdated.decode(given(second)).charger).toMatchObject({ id: "W-1", availability: "UNAVAILABLE" });
  expect(CommandUpdated.decode(given(third)).command).toMatchObject({
    action: "ChangeAvailability",
    payload: { connectorId: 0, type: "Inoperative" },
  });
  expect(ChargerDeleted.decode(given(last))).toEqual({ chargerId: "W-1" });
  expect(events[0]).toMatchObject({ id: uuid, source: expect.any(String), subject: "W-1", time: expect.any(Date) });
  const cursors = events.map(({ cursor }) => Number(cursor));
  expect(cursors).toEqual([0, 1, 2, 3].map((i) => given(cursors[0]) + i));
  watching.cancel();
});

test("several watch at once, and one that comes later sees only what is later", async () => {
  const early = await watch();
  await create("W-early");
  expect((await early.next()).subject).toBe("W-early");
  const late = await watch();
  await create("W-late");
  expect((await late.next()).subject).toBe("W-late");
  expect((await early.next()).subject).toBe("W-late");
  early.cancel();
  late.cancel();
});

test("a stream that is cancelled leaves nothing behind", async () => {
  const watching = await watch();
  await expect.poll(readers, { timeout: 10_000 }).toBe(1);
  watching.cancel();
  expect(await watching.ended).toMatchObject({ code: 1 });
  const since = performance.now();
  await expect.poll(readers, { timeout: 10_000, interval: 20 }).toBe(0);
  // Long before a request for more events would have ended by itself.
  expect(performance.now() - since).toBeLessThan(2_000);
});

test("neither do streams that are cancelled before we know who called", async () => {
  const fresh = await startService(place);
  try {
    await new Promise((resolve) => fresh.events.waitForReady(Date.now() + 20_000, resolve));
    // The keys that verify the token have not been fetched yet.
    const streams = Array.from({ length: 20 }, () => fresh.events.watchEvents(WatchEventsRequest.fromPartial({}), operator));
    const ended = streams.map((stream) => new Promise((resolve) => stream.once("error", resolve)));
    for (const stream of streams) setImmediate(() => stream.cancel());
    await Promise.all(ended);
    // One that came later is live, so those that were to begin before it have.
    const watching = await watch(operator, fresh);
    watching.cancel();
    await expect.poll(readers, { timeout: 10_000 }).toBe(0);
  } finally {
    await fresh.stop();
  }
});

test("a stream ends with the token that opened it", async () => {
  const expireTime = (Math.floor(Date.now() / 1000) + 2) * 1000;
  const watching = await watch(place.as("OPERATOR", randomUUID(), 2));
  await create("W-token");
  expect((await watching.next()).subject).toBe("W-token");
  const err = given(await watching.ended);
  expect(refusalOf(err)).toEqual({ code: "UNAUTHENTICATED", reason: "TOKEN_EXPIRED", fields: [] });
  expect(Date.now() - expireTime).toBeGreaterThan(-50);
  expect(Date.now() - expireTime).toBeLessThan(2_000);
});

test("only operators may watch", async () => {
  const stream = service.events.watchEvents(WatchEventsRequest.fromPartial({}), place.as("DRIVER"));
  const err = await new Promise<ServiceError>((resolve) => stream.once("error", resolve));
  expect(refusalOf(err)).toEqual({ code: "PERMISSION_DENIED", reason: "ACCESS_DENIED", fields: [] });
});

test("what is no event, or none that we know, does not end a stream", async () => {
  const watching = await watch();
  const js = nats.jetstream();
  const event = { specversion: "1.0", id: randomUUID(), source: "tomorrow", type: "chargemesh.charger.v1.Tomorrow", subject: "x" };
  const bad = ["garbage", "null", "{}", JSON.stringify({ ...event, time: "soon" }), JSON.stringify({ ...event, id: 7 })];
  for (const payload of bad) await js.publish("chargemesh.charger.v1.Garbage.x", payload);
  const created = { ...event, type: ChargerCreated.$type, time: "2026-01-01T00:00:00.000Z" };
  await js.publish("chargemesh.charger.v1.ChargerCreated.x", JSON.stringify(created));
  await js.publish("chargemesh.charger.v1.Tomorrow.x", JSON.stringify({ ...event, time: "2026-01-01T00:00:00.000Z", data: { a: 1 } }));
  await create("W-after");
  expect(await watching.next()).toMatchObject({ type: "chargemesh.charger.v1.Tomorrow", source: "tomorrow", data: undefined });
  expect((await watching.next()).subject).toBe("W-after");
  watching.cancel();
});

test("who reads slowly misses nothing", async () => {
  const watching = await watch();
  watching.stream.pause();
  const count = 3_000;
  const js = nats.jetstream();
  // Some 6 MB: more than anything on the way holds back.
  const displayName = "x".repeat(2_000);
  const publish = (i: number) => {
    const charger = { id: `S-${i}`, displayName };
    const time = new Date().toISOString();
    const event = {
      specversion: "1.0",
      id: randomUUID(),
      source: "a test",
      type: ChargerCreated.$type,
      subject: charger.id,
      time,
      data: { charger },
    };
    return js.publish(`${ChargerCreated.$type}.x`, JSON.stringify(event));
  };
  for (let i = 0; i < count; i += 250) await Promise.all(Array.from({ length: 250 }, (_, j) => publish(i + j)));
  watching.stream.resume();
  const subjects: string[] = [];
  const cursors: number[] = [];
  for (let i = 0; i < count; i++) {
    const { subject, cursor } = await watching.next();
    subjects.push(subject);
    cursors.push(Number(cursor));
  }
  expect(subjects.toSorted()).toEqual(Array.from({ length: count }, (_, i) => `S-${i}`).sort());
  expect(cursors).toEqual(cursors.map((_, i) => given(cursors[0]) + i));
  watching.cancel();
});

test("a stream goes on without a gap or a repeat when NATS comes back, whether or not it had seen an event", async () => {
  const seeing = await watch();
  await create("R-1");
  expect((await seeing.next()).subject).toBe("R-1");
  const waiting = await watch();
  await place.nats.kill();
  await create("R-2");
  await create("R-3");
  await place.nats.restart();
  await create("R-4");
  for (const watching of [seeing, waiting]) {
    const subjects = [await watching.next(), await watching.next(), await watching.next()].map(({ subject }) => subject);
    expect(subjects).toEqual(["R-2", "R-3", "R-4"]);
  }
  // And again, at once.
  await place.nats.restart();
  await create("R-5");
  for (const watching of [seeing, waiting]) expect((await watching.next()).subject).toBe("R-5");
  seeing.cancel();
  waiting.cancel();
});

test("what was on its way when a connection broke comes all the same, though nothing follows it", async () => {
  const link = await openLink(place.nats.url);
  const far = await startService(place, { NATS_URL: link.url });
  try {
    // Who watches as soon as it starts is told to try again.
    const watching = await vi.waitFor(() => watch(operator, far), { timeout: 20_000, interval: 100 });
    await expect.poll(async () => (await reader())?.num_waiting, { timeout: 20_000 }).toBe(1);
    link.stall();
    await create("L-1");
    // NATS has sent it, into a connection that passes nothing on.
    await expect.poll(async () => (await reader())?.delivered.consumer_seq, { timeout: 20_000 }).toBe(1);
    link.drop();
    expect((await watching.next()).subject).toBe("L-1");
    watching.cancel();
  } finally {
    await far.stop();
    await link.close();
  }
});

test("without NATS a stream does not begin, and everything else goes on", async () => {
  await place.nats.kill();
  const refused = async () => {
    const stream = service.events.watchEvents(WatchEventsRequest.fromPartial({}), operator);
    // It was never live, and does not seem so.
    stream.once("metadata", () => stream.emit("error", new Error("has metadata")));
    const err = await new Promise<ServiceError>((resolve) => stream.once("error", resolve));
    return refusalOf(err);
  };
  expect(await refused()).toEqual({ code: "UNAVAILABLE", reason: "NATS_UNAVAILABLE", fields: [] });
  expect(await create("N-1")).toMatchObject({ id: "N-1" });
  await place.nats.restart();
});
