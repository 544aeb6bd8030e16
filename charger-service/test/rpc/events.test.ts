import { randomUUID } from "node:crypto";
import { Charger } from "@chargemesh/contracts/charger/v1/charger";
import { CreateCommandRequest } from "@chargemesh/contracts/charger/v1/command_service";
import type { Event } from "@chargemesh/contracts/charger/v1/event";
import type { WatchEventsResponse } from "@chargemesh/contracts/charger/v1/event_service";
import { ChargerCreated, ChargerDeleted, ChargerUpdated, CommandUpdated } from "@chargemesh/contracts/charger/v1/events";
import { IdToken } from "@chargemesh/contracts/charger/v1/id_token";
import type { ClientReadableStream, Metadata, ServiceError } from "@grpc/grpc-js";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { call, freshPlace, given, type Place, refusalOf, type Service, startService } from "../service.ts";

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

/** All events in the stream up to now, as they are on the wire. */
async function published() {
  const { messages } = (await (await manager()).streams.info(STREAM)).state;
  const all: { seq: number; subject: string; msgId: string | undefined; event: Record<string, unknown> }[] = [];
  if (messages === 0) return all;
  const consumer = await nats.jetstream().consumers.get(STREAM);
  for await (const message of await consumer.consume()) {
    const { seq, subject, headers } = message;
    all.push({ seq, subject, msgId: headers?.get("Nats-Msg-Id"), event: message.json() });
    if (all.length === messages) break;
  }
  await consumer.delete();
  return all;
}

const create = async (id: string) =>
  given((await call(service.chargers, service.chargers.createCharger, { charger: Charger.fromPartial({ id }) }, operator)).charger);
const update = (id: string, fields: Partial<Charger>, updateMask: string[]) =>
  call(service.chargers, service.chargers.updateCharger, { charger: Charger.fromPartial({ id, ...fields }), updateMask }, operator);
const remove = (id: string) => call(service.chargers, service.chargers.deleteCharger, { id }, operator);

/** A stream of events being read. */
interface Watch {
  next(): Promise<Event>;
  cancel(): void;
  /** How it ended. */
  ended: Promise<ServiceError | undefined>;
  stream: ClientReadableStream<WatchEventsResponse>;
}

/** Begins to watch, and resolves when the stream has its place among the events; its metadata come a moment before that. */
async function watch(as = operator): Promise<Watch> {
  const before = await readers();
  const stream = service.events.watchEvents({}, as);
  const ended = new Promise<ServiceError | undefined>((resolve) => {
    stream.on("error", resolve);
    stream.on("end", () => resolve(undefined));
  });
  const live = Promise.withResolvers<void>();
  stream.once("metadata", () => live.resolve());
  void ended.then((err) => live.reject(err));
  await live.promise;
  await vi.waitFor(async () => expect(await readers()).toBeGreaterThan(before), { timeout: 20_000, interval: 10 });
  const received: Event[] = [];
  let arrived = Promise.withResolvers<void>();
  stream.on("data", ({ event }: WatchEventsResponse) => {
    received.push(given(event));
    arrived.resolve();
  });
  return {
    async next() {
      while (received.length === 0) {
        arrived = Promise.withResolvers<void>();
        await arrived.promise;
      }
      return given(received.shift());
    },
    cancel: () => stream.cancel(),
    ended,
    stream,
  };
}

const uuid = expect.stringMatching(/^[0-9a-f-]{36}$/);

test("each change is told once, in order, and what was refused is not told", async () => {
  const before = (await published()).length;
  await create("E-1");
  await create("E-1").catch(() => undefined);
  await update("E-1", { displayName: "Hof" }, ["display_name"]);
  await update("E-1", { displayName: "Hof", etag: "1" }, ["display_name"]).catch(() => undefined);
  await update("E-1", {}, []).catch(() => undefined);
  const request = CreateCommandRequest.fromPartial({ chargerId: "E-1", action: "Reset", payload: { type: "Soft" } });
  const { command } = await call(service.commands, service.commands.createCommand, request, operator);
  // Nothing is told of id tokens.
  await call(service.idTokens, service.idTokens.createIdToken, { idToken: IdToken.fromPartial({ idToken: "E-1" }) }, operator);
  await remove("E-1");
  await remove("E-1").catch(() => undefined);
  await create("E-last");
  await expect.poll(async () => (await published()).length, { timeout: 10_000 }).toBe(before + 6);

  const told = (await published()).slice(before);
  const { id = "" } = given(command);
  expect(told.map(({ event }) => [String(event.type).split(".").at(-1), event.subject])).toEqual([
    ["ChargerCreated", "E-1"],
    ["ChargerUpdated", "E-1"],
    ["CommandUpdated", id],
    ["CommandUpdated", id],
    ["ChargerDeleted", "E-1"],
    ["ChargerCreated", "E-last"],
  ]);
  expect(told[1]).toEqual({
    seq: before + 2,
    subject: `chargemesh.charger.v1.ChargerUpdated.${Buffer.from("E-1").toString("base64url")}`,
    msgId: told[1]?.event.id,
    event: {
      specversion: "1.0",
      id: uuid,
      source: expect.any(String),
      type: "chargemesh.charger.v1.ChargerUpdated",
      subject: "E-1",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      datacontenttype: "application/json",
      requestid: expect.any(String),
      data: { charger: expect.objectContaining({ id: "E-1", displayName: "Hof", etag: "2" }) },
    },
  });
  expect(told.map(({ event }) => (event.data as { command?: { state: string } }).command?.state)).toEqual([
    undefined,
    undefined,
    "QUEUED",
    "EXPIRED",
    undefined,
    undefined,
  ]);
  // No password, not even hashed, leaves this service by its events.
  expect(JSON.stringify(told)).not.toMatch(/password":"[^"]/);
});

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
  expect(ChargerCreated.decode(given(first))).toEqual({ charger: { ...created, password: "" } });
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
  watching.cancel();
  expect(await watching.ended).toMatchObject({ code: 1 });
  const since = performance.now();
  await expect.poll(readers, { timeout: 10_000, interval: 20 }).toBe(0);
  // Long before a request for more events would have ended by itself.
  expect(performance.now() - since).toBeLessThan(2_000);
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
  const stream = service.events.watchEvents({}, place.as("DRIVER"));
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

test("without NATS a stream does not begin, and everything else goes on", async () => {
  await place.nats.kill();
  const refused = async () => {
    const stream = service.events.watchEvents({}, operator);
    const err = await new Promise<ServiceError>((resolve) => stream.once("error", resolve));
    return refusalOf(err);
  };
  expect(await refused()).toEqual({ code: "UNAVAILABLE", reason: "NATS_UNAVAILABLE", fields: [] });
  expect(await create("N-1")).toMatchObject({ id: "N-1" });
  await place.nats.restart();
});
