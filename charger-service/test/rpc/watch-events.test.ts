import { randomUUID } from "node:crypto";
import { UserCreated } from "@chargemesh/contracts/auth/v1/events";
import { Charger } from "@chargemesh/contracts/charger/v1/charger";
import { WatchEventsRequest } from "@chargemesh/contracts/charger/v1/event_service";
import {
  ChargerConnected,
  ChargerCreated,
  ChargerDeleted,
  ChargerUpdated,
  CommandUpdated,
  DataTransferReceived,
  TransactionStarted,
  TransactionStopped,
} from "@chargemesh/contracts/charger/v1/events";
import { MessageSent } from "@chargemesh/contracts/email/v1/events";
import type { Metadata, ServiceError } from "@grpc/grpc-js";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { call, freshPlace, given, type Place, refusal, refusalOf, type Service, startService } from "../service.ts";
import { openJournal, type TestJournal } from "./journal.ts";
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

const create = async (id: string) =>
  given((await call(service.chargers, service.chargers.createCharger, { charger: Charger.fromPartial({ id }) }, operator)).charger);
const update = (id: string, fields: Partial<Charger>, updateMask: string[]) =>
  call(service.chargers, service.chargers.updateCharger, { charger: Charger.fromPartial({ id, ...fields }), updateMask }, operator);
const remove = (id: string) => call(service.chargers, service.chargers.deleteCharger, { id }, operator);

const watch = (request: Partial<WatchEventsRequest> = {}, as = operator, of = service): Promise<Watch> => openWatch(of, as, request);
const subjectsOf = async (watching: Watch, count: number): Promise<string[]> => {
  const subjects: string[] = [];
  for (let i = 0; i < count; i++) subjects.push((await watching.next()).subject);
  return subjects;
};

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

test("several watch at once by one consumer, and one that comes later sees only what is later", async () => {
  const early = await watch();
  await create("W-early");
  expect((await early.next()).subject).toBe("W-early");
  const late = await watch();
  await create("W-late");
  expect((await late.next()).subject).toBe("W-late");
  expect((await early.next()).subject).toBe("W-late");
  expect(await journal.readers()).toHaveLength(1);
  early.cancel();
  late.cancel();
});

test("a stream goes on after a cursor, whether the service still has what followed or must read it, and the request's word counts", async () => {
  const watching = await watch();
  for (const id of ["C-1", "C-2", "C-3"]) await create(id);
  const cursors = [await watching.next(), await watching.next(), await watching.next()].map(({ cursor }) => cursor);
  const [first = "", second = ""] = cursors;
  const browser = operator.clone();
  browser.set("last-event-id", second);
  const resume = async (): Promise<string[][]> => {
    const resumed = [await watch({ cursor: first }), await watch({}, browser), await watch({ cursor: first }, browser)];
    const seen = [await subjectsOf(given(resumed[0]), 2), await subjectsOf(given(resumed[1]), 1), await subjectsOf(given(resumed[2]), 2)];
    for (const one of resumed) one.cancel();
    return seen;
  };
  const expected = [["C-2", "C-3"], ["C-3"], ["C-2", "C-3"]];
  expect(await resume()).toEqual(expected);
  watching.cancel();
  await vi.waitFor(async () => expect(await journal.readers()).toEqual([]), { timeout: 10_000, interval: 10 });
  expect(await resume()).toEqual(expected);
});

const refused = async (request: Partial<WatchEventsRequest>, as = operator) =>
  refusal(watch(request, as).then((watching) => watching.cancel()));

test("a cursor that is none, or means nothing here, is refused", async () => {
  const malformed = { code: "INVALID_ARGUMENT", reason: "INVALID_FIELD", fields: ["cursor"] };
  for (const cursor of ["x", "-1", "1.5", "01", "9".repeat(20)]) expect(await refused({ cursor })).toEqual(malformed);
  const browser = operator.clone();
  browser.set("last-event-id", "an id of somebody else's");
  expect(await refused({}, browser)).toEqual(malformed);
  const end = await journal.last();
  expect(await refused({ cursor: String(end + 1) })).toEqual({ code: "FAILED_PRECONDITION", reason: "CURSOR_UNKNOWN", fields: [] });
});

test("only what is asked for comes, by type, charger and transaction", async () => {
  const [user, charger, others] = [randomUUID(), "F-1", "F-2"];
  const started = { transaction: { id: "71", chargerId: charger, userId: user } };
  const watches = [
    await watch({ types: ["TransactionStarted", ChargerConnected.$type] }),
    await watch({ chargerId: charger }),
    await watch({ transactionId: "71" }),
    await watch({ transactionId: "71", types: ["TransactionStopped"] }),
  ];
  await journal.tell(ChargerConnected, "a", { chargerId: others });
  await journal.tell(ChargerConnected, "b", { chargerId: charger });
  await journal.tell(TransactionStarted, "c", started);
  await journal.tell(TransactionStarted, "d", { transaction: { id: "72", chargerId: others } });
  await journal.tell(TransactionStopped, "e", started);
  const wanted = [["a", "b", "c", "d"], ["b", "c", "e"], ["c", "e"], ["e"]];
  for (const [i, subjects] of wanted.entries()) expect(await subjectsOf(given(watches[i]), subjects.length)).toEqual(subjects);
  for (const one of watches) one.cancel();
  const unknown = { code: "INVALID_ARGUMENT", reason: "INVALID_FIELD", fields: ["types[1]"] };
  expect(await refused({ types: ["TransactionStarted", "NothingSuch"] })).toEqual(unknown);
  // What services tell each other does not exist for others.
  expect(await refused({ types: ["TransactionStarted", "OneTimeTokenIssued"] })).toEqual(unknown);
});

test("drivers see their own, operators what chargers and drivers do, administrators users, and nobody what is between services", async () => {
  const userId = randomUUID();
  const watches = [await watch({}, place.as("DRIVER", userId)), await watch(), await watch({}, place.as("ADMIN"))];
  const own = { transaction: { id: "81", chargerId: "D-1", userId } };
  await journal.tellInTurn({ $type: "chargemesh.auth.v1.OneTimeTokenIssued" }, "secret", { userId, token: "very secret" });
  await journal.tellInTurn(UserCreated, "user", { user: { id: userId } });
  await journal.tellInTurn(TransactionStarted, "other", { transaction: { id: "82", chargerId: "D-1", userId: randomUUID() } });
  await journal.tellInTurn(TransactionStarted, "nobody", { transaction: { id: "83", chargerId: "D-1" } });
  await journal.tellInTurn(ChargerConnected, "charger", { chargerId: "D-1" });
  await journal.tellInTurn(TransactionStarted, "own", own);
  await journal.tellInTurn(MessageSent, "mail", {});
  await journal.tellInTurn(TransactionStopped, "end", own);
  const seen = ["own", "end"];
  const operators = ["other", "nobody", "charger", "own", "mail", "end"];
  expect(await subjectsOf(given(watches[0]), seen.length)).toEqual(seen);
  expect(await subjectsOf(given(watches[1]), operators.length)).toEqual(operators);
  const administrator = given(watches[2]);
  const { type, data } = await administrator.next();
  expect([type, UserCreated.decode(given(data).value).user?.id]).toEqual([UserCreated.$type, userId]);
  expect(await subjectsOf(administrator, operators.length)).toEqual(operators);
  for (const one of watches) one.cancel();
});

test("a stream that is cancelled leaves nothing behind", async () => {
  const watching = await watch();
  // One that has something to catch up with reads by itself.
  const behind = await watch({ cursor: "0" });
  behind.stream.pause();
  await expect.poll(journal.readers, { timeout: 10_000 }).not.toEqual([]);
  watching.cancel();
  behind.cancel();
  expect(await watching.ended).toMatchObject({ code: 1 });
  const since = performance.now();
  await expect.poll(journal.readers, { timeout: 10_000, interval: 20 }).toEqual([]);
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
    const watching = await watch({}, operator, fresh);
    watching.cancel();
    await expect.poll(journal.readers, { timeout: 10_000 }).toEqual([]);
  } finally {
    await fresh.stop();
  }
});

test("who asks for all that was, again and again, has it read for them a few times at once, and others do not wait for that", async () => {
  const since = String(await journal.last());
  const data = "x".repeat(100_000);
  for (let i = 0; i < 40; i++) await journal.tell(DataTransferReceived, `M-${i}`, { dataTransfer: { id: String(i), data } });
  await vi.waitFor(async () => expect(await journal.last()).toBe(Number(since) + 40), { timeout: 10_000, interval: 10 });
  const greedy: Watch[] = [];
  for (let i = 0; i < 12; i++) {
    const one = await watch({ cursor: since });
    one.stream.pause();
    greedy.push(one);
  }
  const [other, own] = [await watch({ cursor: since }, place.as("OPERATOR", randomUUID())), given(greedy.at(-1))];
  const all = Array.from({ length: 40 }, (_, i) => `M-${i}`);
  expect(await subjectsOf(other, 40)).toEqual(all);
  // One reads for all who have caught up.
  await vi.waitFor(async () => expect(await journal.readers()).toHaveLength(8 + 1), { timeout: 10_000, interval: 10 });
  for (const one of greedy) if (one !== own) one.cancel();
  own.stream.resume();
  expect(await subjectsOf(own, 40)).toEqual(all);
  for (const one of [own, other]) one.cancel();
}, 30_000);

test("a stream ends with the token that opened it", async () => {
  const expireTime = (Math.floor(Date.now() / 1000) + 2) * 1000;
  const watching = await watch({}, place.as("OPERATOR", randomUUID(), 2));
  await journal.tell(ChargerConnected, "W-token", { chargerId: "W-token" });
  expect((await watching.next()).subject).toBe("W-token");
  const err = given(await watching.ended);
  expect(refusalOf(err)).toEqual({ code: "UNAUTHENTICATED", reason: "TOKEN_EXPIRED", fields: [] });
  expect(Date.now() - expireTime).toBeGreaterThan(-50);
  expect(Date.now() - expireTime).toBeLessThan(2_000);
});

test("nobody watches without saying who they are", async () => {
  const stream = service.events.watchEvents(WatchEventsRequest.fromPartial({}));
  const err = await new Promise<ServiceError>((resolve) => stream.once("error", resolve));
  expect(refusalOf(err)).toEqual({ code: "UNAUTHENTICATED", reason: "TOKEN_MISSING", fields: [] });
});

test("what is no event, or none that we know, does not end a stream", async () => {
  const watching = await watch();
  const js = journal.nats.jetstream();
  const event = { specversion: "1.0", id: randomUUID(), source: "tomorrow", type: ChargerCreated.$type, subject: "x" };
  const bad = ["garbage", "null", "{}", JSON.stringify({ ...event, time: "soon" }), JSON.stringify({ ...event, id: 7 })];
  for (const payload of bad) await js.publish("chargemesh.charger.v1.Garbage.x", payload);
  await journal.tell(ChargerCreated, "unreadable", { charger: { createTime: "soon" } });
  await journal.tell({ $type: "chargemesh.charger.v1.Tomorrow" }, "tomorrow", { a: 1 });
  await create("W-after");
  expect((await watching.next()).subject).toBe("W-after");
  watching.cancel();
});
