import { randomBytes } from "node:crypto";
import { Charger } from "@chargemesh/contracts/charger/v1/charger";
import { WatchEventsRequest } from "@chargemesh/contracts/charger/v1/event_service";
import { ChargerCreated } from "@chargemesh/contracts/charger/v1/events";
import { JOURNAL } from "@chargemesh/kit/event-streams";
import type { Metadata, ServiceError } from "@grpc/grpc-js";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { call, freshPlace, given, type Place, refusal, refusalOf, type Service, startService } from "../service.ts";
import { openJournal, type TestJournal } from "./journal.ts";
import { openLink } from "./link.ts";
import { openWatch, type Watch } from "./watch.ts";

let place: Place;
let service: Service;
let operator: Metadata;
let journal: TestJournal;

beforeAll(async () => {
  place = await freshPlace();
  service = await startService(place);
  operator = place.as("OPERATOR");
  journal = await openJournal(place);
});
// Streams of the test before have ended.
beforeEach(() => vi.waitFor(async () => expect(await journal.readers()).toEqual([]), { timeout: 20_000, interval: 10 }));
afterAll(async () => {
  await journal?.close();
  await service?.stop();
  await place?.leave();
});

const manager = () => journal.nats.jetstreamManager();
/** What NATS knows of the one who reads now. */
const reader = async () => {
  const [name] = await journal.readers();
  return name === undefined ? undefined : (await manager()).consumers.info(JOURNAL, name);
};

const create = async (id: string) =>
  given((await call(service.chargers, service.chargers.createCharger, { charger: Charger.fromPartial({ id }) }, operator)).charger);

const watch = (request: Partial<WatchEventsRequest> = {}, of = service): Promise<Watch> => openWatch(of, operator, request);
const nextSubjects = async (watching: Watch, count: number): Promise<string[]> => {
  const subjects: string[] = [];
  for (let i = 0; i < count; i++) subjects.push((await watching.next()).subject);
  return subjects;
};

test("who reads slowly misses nothing and holds up nobody, though what is kept for all has moved on", async () => {
  const [slow, fast] = [await watch(), await watch()];
  slow.stream.pause();
  // Some 9 MB: more than anything on the way holds, and more than the service keeps.
  const displayName = randomBytes(10_000).toString("hex");
  const subjects = Array.from({ length: 450 }, (_, i) => `S-${i}`);
  for (const id of subjects) await journal.tell(ChargerCreated, id, { charger: { id, displayName } });
  expect(await nextSubjects(fast, subjects.length)).toEqual(subjects);
  slow.stream.resume();
  const cursors: number[] = [];
  for (const subject of subjects) {
    const event = await slow.next();
    expect(event.subject).toBe(subject);
    cursors.push(Number(event.cursor));
  }
  expect(cursors).toEqual(cursors.map((_, i) => given(cursors[0]) + i));
  // It is back among the others, and reads nothing by itself any more.
  await create("S-end");
  expect([(await slow.next()).subject, (await fast.next()).subject]).toEqual(["S-end", "S-end"]);
  await expect.poll(journal.readers, { timeout: 10_000 }).toHaveLength(1);
  for (const watching of [slow, fast]) watching.cancel();
});

test("a stream goes on when NATS has forgotten who reads", async () => {
  const watching = await watch();
  await create("G-1");
  expect((await watching.next()).subject).toBe("G-1");
  const { consumers } = await manager();
  for (const name of await journal.readers()) await consumers.delete(JOURNAL, name);
  await create("G-2");
  expect((await watching.next()).subject).toBe("G-2");
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
  for (const watching of [seeing, waiting]) expect(await nextSubjects(watching, 3)).toEqual(["R-2", "R-3", "R-4"]);
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
    const watching = await vi.waitFor(() => watch({}, far), { timeout: 20_000, interval: 100 });
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
  const cursor = String(await journal.last());
  await place.nats.kill();
  const stream = service.events.watchEvents(WatchEventsRequest.fromPartial({}), operator);
  // It was never live, and does not seem so.
  stream.once("metadata", () => stream.emit("error", new Error("has metadata")));
  const err = await new Promise<ServiceError>((resolve) => stream.once("error", resolve));
  expect(refusalOf(err)).toEqual({ code: "UNAVAILABLE", reason: "NATS_UNAVAILABLE", fields: [] });
  expect(await create("N-1")).toMatchObject({ id: "N-1" });
  await place.nats.restart();
  const watching = await vi.waitFor(() => watch({ cursor }), { timeout: 20_000, interval: 50 });
  expect((await watching.next()).subject).toBe("N-1");
  watching.cancel();
});

test("a service that stops ends its streams, and leaves nothing behind", async () => {
  const other = await startService(place);
  const watching = await vi.waitFor(() => watch({}, other), { timeout: 20_000, interval: 50 });
  await create("X-1");
  expect((await watching.next()).subject).toBe("X-1");
  await other.stop();
  expect(refusalOf(given(await watching.ended))).toEqual({ code: "UNAVAILABLE", reason: "STOPPING", fields: [] });
  await expect.poll(journal.readers, { timeout: 10_000 }).toEqual([]);
});

const refused = (cursor: number) => refusal(watch({ cursor: String(cursor) }).then((watching) => watching.cancel()));

test("who comes too late is told so", async () => {
  const { streams } = await manager();
  const last = await journal.last();
  await streams.purge(JOURNAL, { seq: last });
  expect(await refused(last - 2)).toEqual({ code: "FAILED_PRECONDITION", reason: "CURSOR_EXPIRED", fields: [] });
  const watching = await watch({ cursor: String(last - 1) });
  await create("P-1");
  expect(await nextSubjects(watching, 2)).toHaveLength(2);
  watching.cancel();
});

test("a journal that was made anew ends streams, and begins again for those who come without a cursor", async () => {
  const watching = await watch();
  const { streams } = await manager();
  const last = await journal.last();
  await streams.delete(JOURNAL);
  const err = given(await watching.ended);
  const unknown = { code: "FAILED_PRECONDITION", reason: "CURSOR_UNKNOWN", fields: [] };
  expect(refusalOf(err)).toEqual(unknown);
  expect(await refused(last + 1_000)).toEqual(unknown);
  // NATS copies into it what it has.
  await expect.poll(journal.last, { timeout: 10_000 }).toBe(last);
  const again = await watch();
  await create("J-1");
  expect((await again.next()).subject).toBe("J-1");
  again.cancel();
});
