import { randomBytes } from "node:crypto";
import { createConnection } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../../test/rest.ts";
import { type Service, startService } from "../service.ts";
import { openSite, type Site } from "./site.ts";
import { Refusal } from "./station.ts";

// The newest authenticated socket holds its charger, at once, on whatever replica (decision 6).

let site: Site;
let other: Service;

beforeAll(async () => {
  site = await openSite();
  other = await startService(site.place);
  // Replicas hear of each other as soon as they have NATS.
  const warm = await site.join("O-0", {});
  const there = await site.connect("O-0", {}, other);
  await there.boot();
  await eventually(async () => (await site.command({ chargerId: "O-0", action: "ClearCache", payload: {} })).state === "ACCEPTED");
  await Promise.all([warm.closed, there.leave()]);
});
afterAll(async () => {
  await other?.stop();
  await site?.leave();
});

const history = async (id: string) => (await site.connections(id)).map(({ state, reason }) => `${state} ${reason}`.trim());
const told = async (id: string) =>
  (await site.told()).filter(({ subject, type }) => subject === id && /Connected|Disconnected|Deleted/.test(type)).map(({ type }) => type);

test("a second socket takes over at once, and the end of the first releases nothing", async () => {
  const first = await site.join("O-1");
  const second = await site.connect("O-1");
  expect(await first.closed).toEqual({ code: 1001, reason: "SUPERSEDED" });
  expect(await second.result("Heartbeat", {})).toEqual({ currentTime: expect.any(String) });
  expect(await history("O-1")).toEqual(["OPEN", "CLOSED SUPERSEDED"]);
  expect(await site.charger("O-1")).toMatchObject({ connected: true });
  const command = await site.command({ chargerId: "O-1", action: "ClearCache", payload: {} });
  expect(command).toMatchObject({ state: "ACCEPTED" });
  expect(second.asked.map(({ action }) => action)).toEqual(["ClearCache"]);
  expect(await told("O-1")).toEqual(["ChargerConnected", "ChargerConnected"]);
  await second.leave();
  await site.gone("O-1");
  expect(await history("O-1")).toEqual(["CLOSED CLOSED_BY_CHARGER", "CLOSED SUPERSEDED"]);
  expect(await told("O-1")).toEqual(["ChargerConnected", "ChargerConnected", "ChargerDisconnected"]);
});

test("whoever is let in holds the charger already, so that one that comes back is always the newer", async () => {
  await site.register("O-in");
  const row = await site.hold("select from charger where id = 'O-in' for update");
  const knocking = site.connect("O-in");
  await site.blocked(1);
  expect(await Promise.race([knocking, Promise.resolve("knocks")])).toBe("knocks");
  await row.release();
  const station = await knocking;
  expect(await site.charger("O-in")).toMatchObject({ connected: true });
  await station.leave();
});

test("a charger that is deleted while it knocks is told that nobody knows it", async () => {
  await site.register("O-deleted");
  const row = await site.hold("delete from charger where id = 'O-deleted'");
  const knocking = site.connect("O-deleted").catch((err: unknown) => err);
  await site.blocked(1);
  await row.release();
  const refusal = await knocking;
  expect(refusal).toBeInstanceOf(Refusal);
  expect(refusal).toMatchObject({ status: 404, body: expect.stringContaining("CHARGER_NOT_FOUND") });
});

test("a charger that leaves while it knocks holds nothing", async () => {
  const password = await site.register("O-left");
  const row = await site.hold("select from charger where id = 'O-left' for update");
  const [host = "", port = ""] = site.service.ocppAddress.split(":");
  const basic = Buffer.from(`O-left:${password}`).toString("base64");
  const key = randomBytes(16).toString("base64");
  const socket = createConnection({ host, port: Number(port) });
  socket.write(
    `GET /O-left HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nAuthorization: Basic ${basic}\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n`,
  );
  await site.blocked(1);
  socket.resetAndDestroy();
  await row.release();
  await eventually(async () => (await history("O-left"))[0] === "CLOSED CONNECTION_LOST");
  expect(await site.charger("O-left")).toMatchObject({ connected: false });
});

test("a socket on another replica takes over at once, back and forth", async () => {
  const first = await site.join("O-2");
  const since = performance.now();
  const second = await site.connect("O-2", {}, other);
  expect(await first.closed).toEqual({ code: 1001, reason: "SUPERSEDED" });
  expect(await second.result("Heartbeat", {})).toEqual({ currentTime: expect.any(String) });
  const third = await site.connect("O-2");
  expect(await second.closed).toEqual({ code: 1001, reason: "SUPERSEDED" });
  // By a message from replica to replica; each would notice by itself within 5 s.
  expect(performance.now() - since).toBeLessThan(4_000);
  expect(await third.result("Heartbeat", {})).toEqual({ currentTime: expect.any(String) });
  expect(await history("O-2")).toEqual(["OPEN", "CLOSED SUPERSEDED", "CLOSED SUPERSEDED"]);
  expect(await told("O-2")).toEqual(["ChargerConnected", "ChargerConnected", "ChargerConnected"]);
  await third.leave();
});

test("a socket that is dead on the other side holds up nobody", async () => {
  for (const [id, to] of [
    ["O-3", site.service],
    ["O-4", other],
  ] as const) {
    const dead = await site.join(id);
    // It reads nothing any more, neither commands nor the goodbye.
    dead.socket.pause();
    const unheard = site.command({ chargerId: id, action: "ClearCache", payload: {}, waitSeconds: 20 });
    await eventually(async () => (await site.rows("select from command where charger_id = $1 and state = 'SENT'", [id])).length === 1);
    const alive = await site.connect(id, {}, to);
    expect(await alive.result("Heartbeat", {})).toEqual({ currentTime: expect.any(String) });
    const command = await site.command({ chargerId: id, action: "ClearCache", payload: {} });
    expect([command.state, alive.asked.length, dead.asked.length]).toEqual(["ACCEPTED", 1, 0]);
    expect(await unheard).toMatchObject({ state: "FAILED", errorCode: "CONNECTION_LOST" });
    dead.socket.terminate();
    await dead.closed;
    expect(await site.charger(id)).toMatchObject({ connected: true });
    await alive.leave();
  }
});

test("what a superseded socket had said is kept, and said again it is the same", async () => {
  const first = await site.join("O-5");
  const start = { connectorId: 1, idTag: "A", meterStart: 0, timestamp: new Date().toISOString() };
  const owner = await site.hold("lock table transaction in exclusive mode");
  first.say([2, "1", "StartTransaction", start]);
  await site.blocked(1);
  const second = await site.connect("O-5");
  await first.closed;
  await owner.release();
  const { transactionId } = await second.result("StartTransaction", start);
  expect((await site.transactions("O-5")).map(({ id }) => id)).toEqual([String(transactionId)]);
  expect(first.frames.filter(([, id]) => id === "1")).toEqual([]);
  await second.leave();
});

test("more than five takeovers within a minute are two chargers of one identity", async () => {
  await site.register("O-6");
  const stations = [];
  for (let i = 0; i <= 5; i++) {
    const station = await site.connect("O-6", {}, i % 2 === 0 ? site.service : other);
    // Only what it is answered says that it has taken over.
    await station.boot();
    stations.push(station);
  }
  const holder = stations.at(-1);
  for (const station of stations.slice(0, -1)) await station.closed;
  for (const to of [site.service, other]) {
    const refused = await site.connect("O-6", {}, to).catch((err: unknown) => err);
    if (!(refused instanceof Refusal)) throw new Error("was let in");
    expect([refused.status, refused.headers["retry-after"]]).toEqual([429, "60"]);
    expect(JSON.parse(refused.body).error.reason).toBe("IDENTITY_CONFLICT");
  }
  // Whoever holds it is left alone.
  expect(await holder?.result("Heartbeat", {})).toEqual({ currentTime: expect.any(String) });
  expect(await site.refusals("O-6", "IDENTITY_CONFLICT")).toBe(2);
  const later = await startService(site.place, {}, { now: () => new Date(Date.now() + 61_000) });
  const again = await site.connect("O-6", {}, later);
  expect(await again.result("Heartbeat", {})).toEqual({ currentTime: expect.any(String) });
  await again.leave();
  await later.stop();
});

test("goodbyes and losses in between are no takeovers", async () => {
  await site.register("O-7");
  for (let i = 0; i < 8; i++) {
    const station = await site.connect("O-7");
    await station.boot();
    if (i % 2 === 0) await station.leave();
    else station.socket.terminate();
    await site.gone("O-7");
  }
  expect(new Set(await history("O-7"))).toEqual(new Set(["CLOSED CLOSED_BY_CHARGER", "CLOSED CONNECTION_LOST"]));
});

test("all sockets that come at once but one are closed", async () => {
  await site.register("O-8");
  const stations = await Promise.all(Array.from({ length: 6 }, (_, i) => site.connect("O-8", {}, i % 2 === 0 ? site.service : other)));
  const open = await Promise.race([
    Promise.all(stations.map((station) => station.closed)),
    (async () => {
      for (;;) {
        const left = stations.filter(({ socket }) => socket.readyState === socket.OPEN);
        if (left.length === 1) return left;
        await new Promise((resolve) => setImmediate(resolve));
      }
    })(),
  ]);
  expect(open).toHaveLength(1);
  const [last] = stations.filter(({ socket }) => socket.readyState === socket.OPEN);
  expect(await last?.result("Heartbeat", {})).toEqual({ currentTime: expect.any(String) });
  expect((await history("O-8")).toSorted()).toEqual([...Array(5).fill("CLOSED SUPERSEDED"), "OPEN"]);
  await last?.leave();
});

test("a charger that is removed loses its socket, on whatever replica; registered anew it may come again", async () => {
  const here = await site.join("O-9");
  await site.register("O-10");
  const there = await site.connect("O-10", {}, other);
  for (const station of [here, there]) {
    await site.remove(station.id);
    expect(await station.closed).toEqual({ code: 1000, reason: "DELETED" });
    const refused = await site.connect(station.id).catch((err: unknown) => err);
    expect(refused).toMatchObject({ status: 404 });
    await site.register(station.id);
    const again = await site.connect(station.id);
    expect(await again.boot()).toMatchObject({ status: "Accepted" });
    expect(await site.charger(station.id)).toMatchObject({ connected: true });
    await eventually(async () => (await history(station.id)).at(-1) === "CLOSED DELETED");
    await again.leave();
  }
});

test("a charger that comes back while its end is being written waits for that, and no longer", async () => {
  const deadlocks = () => site.rows("select deadlocks from pg_stat_database where datname = current_database()");
  const before = await deadlocks();
  const lost = await site.join("T-lost");
  const writing = await site.hold("select from connection where charger_id = 'T-lost' for update");
  lost.socket.terminate();
  await site.blocked(1);
  const back = site.connect("T-lost");
  await site.blocked(2);
  await writing.release();
  await (await back).leave();
  expect(await site.connections("T-lost")).toMatchObject([{}, { state: "CLOSED", reason: "CONNECTION_LOST" }]);
  expect(await deadlocks()).toEqual(before);
});
