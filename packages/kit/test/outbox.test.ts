import { setTimeout as sleep } from "node:timers/promises";
import { TransactionUpdated } from "@chargemesh/contracts/charger/v1/events";
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import type { CloudEvent } from "../src/cloud-event.ts";
import { ensureStream } from "../src/event-streams.ts";
import { appendEvent, subjectOf } from "../src/outbox.ts";
import { makeOutboxReader } from "../src/outbox-batch.ts";
import { openPublisher } from "../src/publisher.ts";
import { requestId, withRequestId } from "../src/request-id.ts";
import { subscribe } from "../src/subscribe.ts";
import { type Desk, log, openDesk, type Party, STREAM, TYPE, together } from "./outbox-desk.ts";

// From a row of the outbox to the stream: in order, each once, whoever publishes and whatever breaks on the way.

let desk: Desk;
const parties: Party[] = [];
const present = (party: Party): Party => {
  parties.push(party);
  return party;
};

beforeAll(async () => {
  desk = await openDesk();
});
afterEach(async () => {
  for (const party of parties.splice(0)) await party.leave();
  await desk.rows("delete from outbox");
});
afterAll(() => desk?.leave());

const connected = (party: Party) => vi.waitFor(() => party.nats.connection(), { timeout: 10_000, interval: 10 });

test("an event is told as it was written, as part of the request that caused it, and so is what its readers do", async () => {
  const party = present(desk.publisher());
  const heard = Promise.withResolvers<[CloudEvent, string | undefined]>();
  subscribe(party.nats, "test-reader", TYPE, async (event) => heard.resolve([event, requestId()]), party.stack, log);
  const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  const data = TransactionUpdated.fromPartial({ transaction: { id: "7", chargerId: 'C"\u{1F50C}\u0000', energyWh: 1.5 } });
  await withRequestId(trace, () => party.db.transaction().execute((tx) => appendEvent(tx, TransactionUpdated, "a.b*>", data)));
  const [event, during] = await heard.promise;
  expect(event).toEqual({
    specversion: "1.0",
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    source: "charger-service",
    type: TYPE,
    subject: "a.b*>",
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]{12}Z$/),
    datacontenttype: "application/json",
    data: { transaction: expect.objectContaining({ id: "7", chargerId: 'C"\u{1F50C}\ufffd', energyWh: 1.5 }) },
    requestid: trace,
    traceparent: expect.stringMatching(new RegExp(`^00-${trace}-[0-9a-f]{16}-00$`)),
  });
  expect(during).toBe(trace);
});

test("what is larger than an event may be is refused where it happens, and holds nothing up", async () => {
  const party = present(desk.publisher());
  const append = (chargerId: string) =>
    party.db
      .transaction()
      .execute((tx) => appendEvent(tx, TransactionUpdated, "1", TransactionUpdated.fromPartial({ transaction: { chargerId } })));
  await expect(append("é".repeat(450_000))).rejects.toMatchObject({ code: "resourceExhausted", reason: "EVENT_TOO_LARGE" });
  // Postgres writes numbers out, and it is Postgres's text that is published.
  const exponents = { $type: TYPE, toJSON: (data: number[]) => data };
  const appendAll = (data: number[]) => party.db.transaction().execute((tx) => appendEvent(tx, exponents, "1", data));
  await expect(appendAll(new Array(4_000).fill(1e300))).rejects.toMatchObject({ code: "resourceExhausted", reason: "EVENT_TOO_LARGE" });
  const before = await desk.published();
  // As large as it may be: NATS takes it.
  await append("x".repeat(899_000));
  await desk.drained();
  expect((await desk.published())["1"]).toHaveLength((before["1"] ?? []).length + 1);
});

test("publishers that lose the database in the middle, and others that take over, keep the order and say nothing twice", async () => {
  const before = await desk.published();
  const ids = await desk.fill(6_000);
  present(desk.publisher());
  present(desk.publisher());
  const { db } = present(desk.join());
  const cut = sql`select pg_terminate_backend(pid) from pg_stat_activity join pg_locks using (pid)
    where locktype = 'advisory' and datname = current_database()`;
  const drained = desk.drained().then(() => true);
  let cuts = 0;
  // At shorter intervals at first than a publisher needs for all.
  while (!(await Promise.race([drained, sleep(100 + 50 * cuts, false)]))) cuts += (await cut.execute(db)).rows.length;
  expect(cuts).toBeGreaterThan(1);
  expect(await desk.published()).toEqual(together(before, ids));
});

test("what is about one charger waits for what was before it, and goes no further where that was not taken", async () => {
  const party = present(desk.join());
  const connection = await connected(party);
  await ensureStream(party.nats, STREAM, "charger-service", log);
  const publisher = openPublisher(party.nats, connection, "charger-service");
  const { last_seq: end } = (await desk.manager.streams.info(STREAM.name)).state;
  const publication = (id: string, line: string, subject = subjectOf(TYPE, id)) => ({ subject, id: `line-${end}-${id}`, text: "{}", line });
  // Nobody keeps the second one.
  const all = [publication("a", "1"), publication("b", "1", "nobody.listens"), publication("c", "1"), publication("d", "2")];
  const [a, b, c, d] = await publisher.publish(all);
  expect([a, b, c, d]).toEqual([{ sequence: expect.any(Number) }, expect.any(Error), b, { sequence: expect.any(Number) }]);
  // Said again, what was taken is what it was.
  expect(await publisher.publish([publication("a", "1"), publication("b", "1"), publication("c", "1"), publication("d", "2")])).toEqual([
    a,
    { sequence: end + 3 },
    { sequence: end + 4 },
    d,
  ]);
  publisher.close();
});

test("what NATS took before a long absence, and could not say, is not said again", async () => {
  const party = present(desk.join());
  const connection = await connected(party);
  await ensureStream(party.nats, STREAM, "charger-service", log);
  const ids = Object.values(await desk.fill(20)).flat();
  await desk.rows("update outbox set create_time = now() - interval '1 hour'");
  const lost = openPublisher(party.nats, connection, "charger-service");
  await lost.publish(ids.slice(0, 12).map((id) => ({ subject: subjectOf(TYPE, "1"), id, text: "{}" })));
  lost.close();
  // What the stream would know again by itself is seen here all the same.
  const said: string[] = [];
  desk.connection.subscribe("chargemesh.charger.v1.>", {
    callback: (_err, message) => said.push(message.headers?.get("Nats-Msg-Id") ?? ""),
  });
  await desk.connection.flush();
  present(desk.publisher());
  await desk.drained();
  await desk.connection.flush();
  expect(said.toSorted()).toEqual(ids.slice(12).toSorted());
  expect(Object.values(await desk.published()).flat()).toEqual(expect.arrayContaining(ids));
});

test("a killed NATS that comes back gets the rest, in order, each once", async () => {
  const before = await desk.published();
  present(desk.publisher());
  const ids = await desk.fill(5_000);
  await vi.waitFor(async () => expect((await desk.rows("select from outbox")).length).toBeLessThan(4_600), {
    timeout: 10_000,
    interval: 5,
  });
  await desk.nats.kill();
  const more = await desk.fill(1_000);
  await desk.nats.restart();
  await desk.drained();
  expect(await desk.published()).toEqual(together(before, ids, more));
});

test("what is committed late is published all the same, though the reader begins behind what is long gone", async () => {
  const party = present(desk.join());
  const late = await desk.pool.connect();
  await late.query("begin");
  await late.query("insert into outbox (type, aggregate_id, data) values ($1, 'late', '{}')", [TYPE]);
  await desk.fill(3);
  let now = 0;
  const read = makeOutboxReader(party.db, () => now);
  const aggregates = async (): Promise<string[]> => (await read()).map((row) => row.aggregate_id);
  expect(await aggregates()).toEqual(["1", "2", "3"]);
  now += 60_001;
  await aggregates();
  now += 60_001;
  await aggregates();
  await late.query("commit");
  late.release();
  expect(await aggregates()).toEqual([]);
  now += 60_001;
  expect(await aggregates()).toEqual(["late", "1", "2", "3"]);
});
