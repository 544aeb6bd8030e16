import { Command } from "@chargemesh/contracts/charger/v1/command";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../../test/rest.ts";
import { type Service, startService } from "../service.ts";
import { startReplica } from "./replica.ts";
import { openSite, type Site } from "./site.ts";

// How a command gets to its charger: at most once, on whatever replica the charger is, when it is there.

let site: Site;
let other: Service;

beforeAll(async () => {
  site = await openSite();
  other = await startService(site.place);
});
afterAll(async () => {
  await other?.stop();
  await site?.leave();
});

const send = (chargerId: string, fields: object = {}, of?: Service) =>
  site.command({ chargerId, action: "ClearCache", payload: {}, ...fields }, of);
const ended = (chargerId: string, id: string) =>
  eventually(async () => {
    const command = await site.commandById(chargerId, id);
    return command.endTime !== undefined && command;
  });
const queued = (chargerId: string, count: number) =>
  eventually(async () => (await site.rows("select from command where charger_id = $1", [chargerId])).length === count);
const typesOf = (asked: { payload: { type: string } }[]): string[] => asked.map(({ payload }) => payload.type);

test("a command for a charger that is offline expires at once", async () => {
  const station = await site.join("D-1");
  await station.leave();
  await site.gone("D-1");
  const since = performance.now();
  const command = await send("D-1", { waitSeconds: 20 });
  expect(command).toMatchObject({ state: "EXPIRED", errorCode: "CHARGER_OFFLINE", sendTime: undefined });
  expect(performance.now() - since).toBeLessThan(5_000);
});

test("one command is under way at a time, and holds up nothing of the charger's", async () => {
  const station = await site.join("D-2", { react: () => undefined });
  const types = ["Hard", "Soft", "Soft", "Hard", "Soft"];
  const sending = [];
  for (const [i, type] of types.entries()) {
    // In turn from either replica.
    sending.push(send("D-2", { action: "Reset", payload: { type }, waitSeconds: 20 }, i % 2 === 0 ? site.service : other));
    await queued("D-2", i + 1);
  }
  const order = [];
  for (let i = 0; i < types.length; i++) {
    const { id, payload } = await station.isAsked("Reset", i);
    order.push(payload.type);
    expect(await station.result("Heartbeat", {})).toEqual({ currentTime: expect.any(String) });
    expect(station.asked).toHaveLength(i + 1);
    station.say([3, id, { status: "Accepted" }]);
  }
  expect(order.toSorted()).toEqual(types.toSorted());
  expect((await Promise.all(sending)).map(({ state }) => state)).toEqual(types.map(() => "ACCEPTED"));
  await station.leave();
});

test("what waits for a charger is sent once, in order, when it has booted and not before", async () => {
  await site.register("D-3");
  const types = Array.from({ length: 20 }, (_, i) => (i % 3 === 0 ? "Hard" : "Soft"));
  const ids: string[] = [];
  for (const type of types) {
    const command = await send("D-3", { action: "Reset", payload: { type }, ttlSeconds: 60 });
    expect(command.state).toBe("QUEUED");
    ids.push(command.id);
  }
  const station = await site.connect("D-3");
  const owner = await site.hold("lock table charger in share mode");
  const booting = station.boot();
  await site.blocked(1);
  expect(station.asked).toEqual([]);
  await owner.release();
  await booting;
  for (const id of ids) expect(await ended("D-3", id)).toMatchObject({ state: "ACCEPTED" });
  expect(typesOf(station.asked)).toEqual(types);
  // A second boot, another message and a new connection find nothing that waits.
  await station.boot();
  await station.leave();
  const again = await site.connect("D-3", {}, other);
  await again.boot();
  await again.result("Heartbeat", {});
  expect(await send("D-3")).toMatchObject({ state: "ACCEPTED" });
  expect(again.asked.map(({ action }) => action)).toEqual(["ClearCache"]);
  await again.leave();
});

test("a charger that goes on without a boot gets what waits for it, too", async () => {
  await site.register("D-4");
  const { id } = await send("D-4", { ttlSeconds: 60 });
  const station = await site.connect("D-4", {}, other);
  await station.result("Heartbeat", {});
  expect(await ended("D-4", id)).toMatchObject({ state: "ACCEPTED" });
  expect(station.asked).toHaveLength(1);
  await station.leave();
});

test("a charger that may not work yet gets nothing of what waits for it until it may", async () => {
  await site.register("D-5", { registration: "PENDING" });
  const { id } = await send("D-5", { ttlSeconds: 60 });
  const station = await site.connect("D-5");
  expect(await station.boot()).toMatchObject({ status: "Pending" });
  expect(await station.result("Heartbeat", {})).toEqual({ currentTime: expect.any(String) });
  expect(await site.commandById("D-5", id)).toMatchObject({ state: "QUEUED" });
  expect(station.asked).toEqual([]);
  await site.rows("update charger set registration = 'ACCEPTED' where id = 'D-5'");
  expect(await station.boot()).toMatchObject({ status: "Accepted" });
  expect(await ended("D-5", id)).toMatchObject({ state: "ACCEPTED" });
  await station.leave();
});

test("a command whose time is over is not sent any more", async () => {
  await site.register("D-6");
  const { id, state } = await send("D-6", { ttlSeconds: 1 });
  expect(state).toBe("QUEUED");
  const command = await ended("D-6", id);
  expect(command).toMatchObject({ state: "EXPIRED", errorCode: "CHARGER_OFFLINE", sendTime: undefined });
  const station = await site.connect("D-6");
  await station.boot();
  expect(await send("D-6")).toMatchObject({ state: "ACCEPTED" });
  expect(station.asked).toHaveLength(1);
  const told = (await site.told()).filter(({ subject }) => subject === id).map(({ data }) => Command.fromJSON(data.command).state);
  expect(told).toEqual(["QUEUED", "EXPIRED"]);
  await station.leave();
});

test("a command reaches its charger from any replica, and its answer comes back", async () => {
  for (const [id, to, from] of [
    ["D-7", site.service, other],
    ["D-8", other, site.service],
  ] as const) {
    await site.register(id);
    const station = await site.connect(id, { react: () => ({ status: "Rejected" }) }, to);
    await station.boot();
    const command = await send(id, {}, from);
    expect(command).toMatchObject({ state: "REJECTED", status: "Rejected" });
    expect(station.asked).toHaveLength(1);
    await station.leave();
  }
});

test("a replica that is dead is no reason to wait: its chargers are offline, at once", async () => {
  const replica = await startReplica(site.place);
  await site.register("D-9");
  const station = await site.connect("D-9", {}, replica);
  await station.boot();
  await eventually(async () => (await send("D-9")).state === "ACCEPTED");
  replica.process.kill("SIGKILL");
  await replica.process.exited;
  const since = performance.now();
  expect(await send("D-9", { waitSeconds: 20 })).toMatchObject({ state: "EXPIRED", errorCode: "CHARGER_OFFLINE" });
  expect(await send("D-9", { ttlSeconds: 60, waitSeconds: 20 })).toMatchObject({ state: "QUEUED" });
  expect(performance.now() - since).toBeLessThan(5_000);
  // It comes back on another and gets what waits.
  const again = await site.connect("D-9");
  await again.boot();
  expect((await again.isAsked("ClearCache")).payload).toEqual({});
  await again.leave();
});

test("the same key at the same time on two replicas is one command, sent once", async () => {
  const station = await site.join("D-10");
  const all = await Promise.all(
    Array.from({ length: 12 }, (_, i) => send("D-10", { idempotencyKey: "once", ttlSeconds: 60 }, i % 2 === 0 ? site.service : other)),
  );
  expect(new Set(all.map(({ id }) => id)).size).toBe(1);
  expect(await ended("D-10", all[0]?.id ?? "")).toMatchObject({ state: "ACCEPTED" });
  await station.leave();
  const again = await site.connect("D-10", {}, other);
  await again.boot();
  expect(await send("D-10", { idempotencyKey: "once", ttlSeconds: 60 })).toMatchObject({ state: "ACCEPTED", id: all[0]?.id });
  await again.result("Heartbeat", {});
  expect([station.asked.length, again.asked.length]).toEqual([1, 0]);
  await again.leave();
});

test("what was sent is not sent again to a charger that was lost in between", async () => {
  await site.register("D-11");
  const { id } = await send("D-11", { ttlSeconds: 60 });
  const station = await site.connect("D-11", { react: () => undefined });
  await station.boot();
  await station.isAsked("ClearCache");
  const again = await site.connect("D-11", {}, other);
  await again.boot();
  expect(await ended("D-11", id)).toMatchObject({ state: "FAILED", errorCode: "CONNECTION_LOST" });
  await again.boot();
  await again.result("Heartbeat", {});
  expect(again.asked).toEqual([]);
  await again.leave();
});
