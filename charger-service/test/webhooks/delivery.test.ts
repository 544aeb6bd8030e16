import { sql } from "kysely";
import { Webhook } from "standardwebhooks";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { eventually } from "../../../test/rest.ts";
import { type Desk, isSignedBy, openDesk, timesOf } from "./delivery-desk.ts";
import { answers, good, type Manner, openReceiver, type Receiver, refuses, silent, writes } from "./receiver.ts";

// Whatever receivers do, every event is delivered once they recover, and nobody waits for anybody else's.

const HOUR_MS = 3_600_000;
let desk: Desk;
const opened: { leave?(): Promise<void>; stop?(): Promise<void> }[] = [];

beforeAll(async () => {
  desk = await openDesk();
});
afterEach(async () => {
  for (const one of opened.splice(0)) await (one.leave ?? one.stop)?.();
  desk.reset();
  await desk.rows(sql`update webhook set state = 'DISABLED', disable_reason = 'REQUESTED' where state = 'ENABLED'`);
});
afterAll(() => desk?.leave());

async function open(manner: Manner = good): Promise<Receiver> {
  const receiver = await openReceiver(manner);
  opened.push(receiver);
  return receiver;
}
/** In order: what is closed first is opened last. */
function start(...args: Parameters<Desk["replica"]>): ReturnType<Desk["replica"]> {
  const replica = desk.replica(...args);
  opened.unshift(replica);
  return replica;
}
test("what a receiver is sent: a CloudEvent, which the library of Standard Webhooks takes for ours", async () => {
  const receiver = await open();
  const hook = await desk.hook(receiver.url);
  const [id = ""] = await hook.queue("C-1");
  start();
  await hook.all("DELIVERED");
  const [received] = receiver.received;
  const event = JSON.parse(received?.body ?? "");
  expect(event).toMatchObject({ specversion: "1.0", id, subject: "C-1", type: "chargemesh.charger.v1.ChargerConnected" });
  expect(event.data).toEqual({ chargerId: "C-1", number: expect.any(Number), text: "Grüße, 你好 \u2028" });
  expect(received?.headers).toMatchObject({
    "webhook-id": id,
    "content-type": "application/cloudevents+json",
    traceparent: event.traceparent,
    "user-agent": "chargemesh-webhooks",
  });
  expect(received?.headers).not.toHaveProperty("cookie");
  const headers = Object.fromEntries(Object.entries(received?.headers ?? {}).map(([name, value]) => [name, String(value)]));
  expect(new Webhook(hook.secret).verify(received?.body ?? "", headers)).toEqual(event);
  expect(() => new Webhook(hook.secret).verify(`${received?.body} `, headers)).toThrow("No matching signature");
  const [attempt] = await desk.rows(sql<object>`
    select number, http_status, error, response, duration_ms >= 0 as lasted from webhook_attempt join webhook_delivery on id = delivery_id
    where event_id = ${id}`);
  expect(attempt).toEqual({ number: 1, http_status: 200, error: "", response: "thanks", lasted: true });
});

test("every event is delivered once its receiver recovers, whatever that did before", async () => {
  const ok = "HTTP/1.1 200 OK\r\n";
  const manners: [manner: Manner, error: string][] = [
    [answers(500), "answered 500"],
    [answers(301, { location: "http://127.0.0.1:1/" }), "answered 301: redirects, to http://127.0.0.1:1/, are not followed"],
    [writes(`${ok}content-length: 99\r\n\r\nhi`, (socket) => socket.end()), "closed the connection before the answer was whole"],
    [writes("nonsense\r\n\r\n"), "answered no HTTP: Parse Error: Expected HTTP/, RTSP/ or ICE/"],
    [writes("", (socket) => socket.destroy()), "closed the connection before the answer was whole"],
    [silent, "no answer within 2 s"],
  ];
  const cases = await Promise.all(
    manners.map(async ([manner, error]) => {
      const receiver = await open(manner);
      const hook = await desk.hook(receiver.url);
      return { error, receiver, hook, ids: await hook.queue("C", 3) };
    }),
  );
  const replica = start(2_000);
  for (const { error, hook } of cases) {
    const failed = await eventually(async () => {
      const sent = await hook.sent();
      return sent.every(({ attempts }) => attempts > 0) && sent;
    });
    expect(failed.map(({ state, errors }) => [state, errors[0]])).toEqual(Array(3).fill(["PENDING", error]));
    expect((await hook.standing())?.since).toBeInstanceOf(Date);
  }
  const before = cases.map(({ receiver, ids }) => timesOf(receiver, ids));
  for (const { receiver } of cases) receiver.behave(good);
  desk.forward(HOUR_MS);
  replica.wake();
  for (const [i, { receiver, hook, ids }] of cases.entries()) {
    await hook.all("DELIVERED");
    expect(timesOf(receiver, ids)).toEqual(before[i]?.map((times) => times + 1));
    expect(receiver.received.every((received) => isSignedBy(received, hook.secret))).toBe(true);
    expect(await hook.standing()).toEqual({ state: "ENABLED", reason: null, since: null });
  }
});

test("those that are slow do not delay the others", async () => {
  const slow = await Promise.all(Array.from({ length: 3 }, () => open(silent)));
  const hooks = await Promise.all(slow.map(({ url }) => desk.hook(url)));
  for (const hook of hooks) await hook.queue("C", 50);
  const quick = await open();
  const other = await desk.hook(quick.url);
  const ids = await other.queue("C", 50);
  const replica = start(60_000, desk.databaseUrl, 200);
  await other.all("DELIVERED");
  expect(timesOf(quick, ids)).toEqual(ids.map(() => 1));
  // Each of them has as many under way as it may, and none has ended.
  for (const [i, hook] of hooks.entries()) {
    await eventually(async () => slow[i]?.received.length === 8);
    const sent = await hook.sent();
    expect(sent.filter(({ attempts }) => attempts > 0)).toEqual([]);
    expect(sent.filter(({ isLeased }) => isLeased)).toHaveLength(8);
  }
  // What the drain does not see the end of is given back, for others to send at once.
  await replica.stop();
  for (const hook of hooks)
    expect((await hook.sent()).map(({ state, attempts, isLeased }) => ({ state, attempts, isLeased }))).toEqual(
      Array(50).fill({ state: "PENDING", attempts: 0, isLeased: false }),
    );
});

test("in order where that is asked for: of each subject, and only behind those of the same", async () => {
  const refusing = new Set<string>();
  const receiver = await open(refuses(503, refusing));
  const hook = await desk.hook(receiver.url, { in_order: true });
  const [a = [], b = []] = [await hook.queue("A", 3), await hook.queue("B", 3)];
  refusing.add(a[1] ?? "");
  const replica = start();
  await eventually(async () => (await hook.sent())[1]?.attempts === 1 && receiver.ids().includes(b[2] ?? ""));
  const came = (ids: readonly string[]) => receiver.ids().filter((id) => ids.includes(id));
  expect(came(b)).toEqual(b);
  expect(came(a)).toEqual([a[0], a[1]]);
  desk.forward(10_000);
  replica.wake();
  await eventually(async () => (await hook.sent())[1]?.attempts === 2);
  refusing.clear();
  desk.forward(20_000);
  replica.wake();
  await hook.all("DELIVERED");
  expect(came(a)).toEqual([a[0], a[1], a[1], a[1], a[2]]);

  // Without order, the same holds up only itself.
  const loose = await desk.hook(receiver.url);
  const [first = "", ...rest] = await loose.queue("A", 3);
  refusing.add(first);
  replica.wake();
  await eventually(async () => (await loose.sent()).filter(({ state }) => state === "DELIVERED").length === 2);
  expect(timesOf(receiver, rest)).toEqual([1, 1]);
});

test("an event is given up after a day, and those behind it come then", async () => {
  const refusing = new Set<string>();
  const receiver = await open(refuses(400, refusing));
  const hook = await desk.hook(receiver.url, { in_order: true });
  const [bad = "", behind = ""] = await hook.queue("A", 2);
  refusing.add(bad);
  const replica = start();
  await eventually(async () => (await hook.sent())[0]?.attempts === 1);
  desk.forward(23 * HOUR_MS);
  // It is not the receiver that is at fault.
  await hook.queue("B");
  replica.wake();
  await eventually(async () => (await hook.sent())[0]?.attempts === 2 && (await hook.sent())[2]?.state === "DELIVERED");
  expect((await hook.sent())[1]?.attempts).toBe(0);
  desk.forward(HOUR_MS);
  replica.wake();
  await eventually(async () => (await hook.sent())[1]?.state === "DELIVERED");
  expect((await hook.sent()).map(({ state, attempts }) => [state, attempts])).toEqual([
    ["FAILED", 3],
    ["DELIVERED", 1],
    ["DELIVERED", 1],
  ]);
  expect(timesOf(receiver, [bad, behind])).toEqual([3, 1]);
  expect((await hook.standing())?.state).toBe("ENABLED");
});

test("a receiver that fails for a day, or is gone, is sent nothing more, and that is told", async () => {
  const failing = await open(answers(500));
  const hook = await desk.hook(failing.url);
  await hook.queue("C", 2);
  const replica = start();
  await eventually(async () => (await hook.sent()).every(({ attempts }) => attempts === 1));
  desk.forward(24 * HOUR_MS);
  await hook.queue("C", 2);
  replica.wake();
  await hook.all("FAILED");
  expect(await hook.standing()).toMatchObject({ state: "DISABLED", reason: "FAILING" });
  expect(await hook.told()).toEqual(["chargemesh.charger.v1.WebhookDisabled"]);
  // One was enough to know.
  expect(failing.received).toHaveLength(3);

  const gone = await open(answers(410));
  const left = await desk.hook(gone.url, { in_order: true });
  await left.queue("C", 3);
  replica.wake();
  await left.all("FAILED");
  expect(await left.standing()).toMatchObject({ state: "DISABLED", reason: "GONE" });
  expect(await left.told()).toEqual(["chargemesh.charger.v1.WebhookDisabled"]);
  expect(gone.received).toHaveLength(1);
});

test("a receiver that asks for patience is left alone as long as it says", async () => {
  const receiver = await open(answers(429, { "retry-after": "600" }));
  const hook = await desk.hook(receiver.url);
  await hook.queue("C");
  const replica = start();
  await eventually(async () => (await hook.sent())[0]?.attempts === 1);
  receiver.behave(good);
  await hook.queue("C");
  desk.forward(500_000);
  replica.wake();
  // One that is served beside it shows that all were looked at.
  const other = await desk.hook(receiver.url);
  await other.queue("C");
  replica.wake();
  await other.all("DELIVERED");
  expect((await hook.sent()).map(({ attempts }) => attempts)).toEqual([1, 0]);
  desk.forward(101_000);
  replica.wake();
  await hook.all("DELIVERED");
});

test("while one secret takes the place of another, either verifies; without any nothing is sent", async () => {
  const receiver = await open();
  const hook = await desk.hook(receiver.url);
  const secret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
  const until = new Date(desk.now().getTime() + HOUR_MS);
  await desk.rows(sql`
    update webhook set sealed_previous_secret = sealed_secret, sealed_secret = ${desk.sealed.seal(secret)}, previous_secret_expire_time = ${until}
    where id = ${hook.id}`);
  const verified = () => receiver.received.map((received) => [secret, hook.secret].map((one) => isSignedBy(received, one)));
  await hook.queue("C");
  const replica = start();
  await hook.all("DELIVERED");
  desk.forward(2 * HOUR_MS);
  await hook.queue("C");
  replica.wake();
  await hook.all("DELIVERED");
  expect(verified()).toEqual([
    [true, true],
    [true, false],
  ]);
  const lost = await desk.hook(receiver.url, { sealed_secret: "of another MESH_SECRET" });
  await lost.queue("C");
  replica.wake();
  const [sent] = await eventually(async () => (await lost.sent())[0]?.attempts === 1 && lost.sent());
  expect(sent?.errors).toEqual(["its secret cannot be read any more, so nothing was sent: rotate it"]);
  expect(receiver.received).toHaveLength(2);
});
