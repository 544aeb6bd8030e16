import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../../test/rest.ts";
import { openSite, type Site } from "../ocpp/site.ts";
import { layWire } from "../ocpp/wire.ts";
import { type Service, startService } from "../service.ts";
import { type Desk, openDesk, timesOf } from "./delivery-desk.ts";
import { type Hooks, hooksOf } from "./hooks.ts";
import { answers, good, openReceiver, type Receiver } from "./receiver.ts";

// All the way: a charger says something in OCPP, and a receiver is sent what happened, whichever replica sends it, and though replicas die.

const settings = { WEBHOOK_ALLOWED_NETWORKS: "127.0.0.1" };
let site: Site;
let other: Service;
let hooks: Hooks;
/** Replicas of what delivers alone, on a database of their own. */
let desk: Desk;
let receiver: Receiver;
let elsewhere: Receiver;

beforeAll(async () => {
  site = await openSite(settings);
  other = await startService(site.place, settings);
  hooks = hooksOf(site.service, site.place.as("OPERATOR"));
  desk = await openDesk();
  [receiver, elsewhere] = await Promise.all([openReceiver(), openReceiver()]);
});
afterAll(async () => {
  await other?.stop();
  await site?.leave();
  await desk?.leave();
  await Promise.all([receiver?.leave(), elsewhere?.leave()]);
});

test("what happens at a charger comes to a receiver: each once, in order, and signed", async () => {
  const { secret } = await hooks.create({ url: receiver.url, chargerId: "W-1", inOrder: true });
  const station = await site.join("W-1");
  const start = { connectorId: 1, idTag: "A", meterStart: 0, timestamp: new Date().toISOString() };
  const { transactionId } = await station.result("StartTransaction", start);
  await station.result("StopTransaction", { transactionId, meterStop: 1_000, timestamp: new Date().toISOString() });
  // Of others nothing comes.
  await (await site.join("W-2")).leave();
  await station.leave();
  await site.gone("W-1");

  const told = (await site.told()).filter(({ subject, data }) => subject === "W-1" || JSON.stringify(data).includes('"W-1"'));
  const ids = told.map(({ id }) => id);
  expect(told.map(({ type }) => type)).toEqual(
    expect.arrayContaining(["ChargerCreated", "ChargerConnected", "ChargerBooted", "TransactionStarted", "TransactionStopped"]),
  );
  await eventually(async () => receiver.received.length >= ids.length);
  expect(timesOf(receiver, ids)).toEqual(ids.map(() => 1));
  expect(receiver.received).toHaveLength(ids.length);
  for (const subject of new Set(told.map((event) => event.subject))) {
    const inOrder = told.filter((event) => event.subject === subject).map(({ id }) => id);
    expect(receiver.ids().filter((id) => inOrder.includes(id))).toEqual(inOrder);
  }
  for (const { headers, body } of receiver.received) {
    const texts = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
    const { id, data } = told.find((one) => one.id === headers["webhook-id"]) ?? {};
    expect(new Webhook(secret).verify(body, texts)).toMatchObject({ specversion: "1.0", source: "charger-service", id, data });
  }
});

test("a receiver that leads elsewhere is not followed, and each attempt says why; once it recovers, everything comes", async () => {
  receiver.behave(answers(307, { location: elsewhere.url }));
  const { id } = await hooks.create({ url: receiver.url, chargerId: "W-3" });
  await site.register("W-3");
  const station = await site.connect("W-3");
  await station.boot();
  await station.leave();
  await site.gone("W-3");
  const failed = await eventually(async () => {
    const deliveries = await hooks.deliveries(id);
    return deliveries.length >= 4 && deliveries.every(({ attemptCount }) => attemptCount > 0) && deliveries;
  });
  expect(elsewhere.received).toEqual([]);
  const { attempts, state, nextAttemptTime } = await hooks.delivery(id, failed[0]?.id ?? "");
  expect(state).toBe("PENDING");
  expect(nextAttemptTime?.getTime()).toBeGreaterThan(attempts[0]?.time?.getTime() ?? 0);
  expect(attempts[0]).toMatchObject({ number: 1, httpStatus: 307 });
  expect(attempts[0]?.error).toBe(`answered 307: redirects, to ${elsewhere.url}, are not followed`);
  expect((await hooks.get(id)).failingTime).toBeInstanceOf(Date);

  // Where it led when it was made, and may not lead any more.
  await site.rows("update webhook set url = 'https://0x7f.2/' where id = $1", [id]);
  const [first] = failed;
  await hooks.redeliver(id, first?.id ?? "");
  const refused = await eventually(async () => {
    const delivery = await hooks.delivery(id, first?.id ?? "");
    return delivery.attempts.at(-1)?.httpStatus === 0 && delivery;
  });
  expect(refused.attempts.at(-1)?.error).toBe("refused: 127.0.0.2, which is no public address");

  await hooks.update({ id, url: receiver.url }, ["url"]);
  receiver.behave(good);
  receiver.received.length = 0;
  for (const delivery of failed) await hooks.redeliver(id, delivery.id);
  await eventually(async () => (await hooks.deliveries(id)).every((delivery) => delivery.state === "DELIVERED"));
  const ids = failed.map(({ eventId }) => eventId);
  expect(timesOf(receiver, ids)).toEqual(ids.map(() => 1));
  expect((await hooks.get(id)).failingTime).toBeUndefined();
});

test("replicas do not send twice, and keep the order where that is asked for", async () => {
  receiver.behave(good);
  const own = await Promise.all([true, false, true].map((in_order) => desk.hook(receiver.url, { in_order })));
  const subjects = Array.from({ length: 10 }, (_, i) => `C-${i}`);
  const queues = await Promise.all(own.map((hook) => Promise.all(subjects.map((subject) => hook.queue(subject, 4)))));
  const replicas = [desk.replica(), desk.replica(), desk.replica()];
  for (const hook of own) await hook.all("DELIVERED");
  const ids = queues.flat(2);
  expect(timesOf(receiver, ids)).toEqual(ids.map(() => 1));
  const came = receiver.ids();
  for (const ordered of [queues[0], queues[2]].flatMap((queue = []) => queue))
    expect(came.filter((id) => ordered.includes(id))).toEqual(ordered);
  for (const { stop } of replicas) await stop();
});

test("what a replica was killed over is sent once more by another, under the same id, and nothing else is", async () => {
  const hook = await desk.hook(receiver.url, { in_order: true });
  const [first = "", last = ""] = await hook.queue("C", 2);
  const doomed = await desk.process();
  receiver.behave({
    answer(_request, response) {
      doomed.kill("SIGKILL");
      response.end();
    },
  });
  await doomed.exited;
  expect((await hook.sent()).map(({ state, attempts, isLeased }) => [state, attempts, isLeased])).toEqual([
    ["PENDING", 0, true],
    ["PENDING", 0, false],
  ]);
  receiver.behave(good);
  const replica = desk.replica();
  // Nobody knows yet that the other is dead.
  const beside = await desk.hook(receiver.url);
  await beside.queue("C");
  await beside.all("DELIVERED");
  expect(timesOf(receiver, [first, last])).toEqual([1, 0]);
  desk.forward(60_000);
  replica.wake();
  await hook.all("DELIVERED");
  expect(timesOf(receiver, [first, last])).toEqual([2, 1]);
  await replica.stop();
});

test("nothing is lost while the database is away, nor sent again", async () => {
  const wire = await layWire(desk.databaseUrl);
  const waiting: (() => void)[] = [];
  receiver.behave({ answer: (_request, response) => void waiting.push(() => response.end()) });
  const hook = await desk.hook(receiver.url);
  const ids = await hook.queue("C", 2);
  const replica = desk.replica(30_000, wire.url);
  await eventually(async () => waiting.length === 2);
  wire.cut();
  for (const answer of waiting) answer();
  // It tries, and fails, to say that they were delivered.
  const refused = wire.refused;
  await eventually(async () => wire.refused >= refused + 3);
  expect((await hook.sent()).map(({ state }) => state)).toEqual(["PENDING", "PENDING"]);
  receiver.behave(good);
  wire.mend();
  const more = await hook.queue("C", 2);
  await hook.all("DELIVERED");
  expect(timesOf(receiver, [...ids, ...more])).toEqual([1, 1, 1, 1]);
  await replica.stop();
  await wire.close();
});
