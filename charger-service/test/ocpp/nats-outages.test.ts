import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../../test/rest.ts";
import { type Service, startService } from "../service.ts";
import { openSite, type Site } from "./site.ts";
import type { Station } from "./station.ts";

// NATS goes away and comes back: chargers charge all the same, and what happened is told afterwards, in order, each once.

let site: Site;
let other: Service;
let here: Station;
let there: Station;
/** One that stays on the other replica. */
let far: Station;

beforeAll(async () => {
  site = await openSite();
  other = await startService(site.place);
  here = await site.join("N-1");
  await site.register("N-2");
  there = await site.connect("N-2", {}, other);
  await there.boot();
  await site.register("N-far");
  far = await site.connect("N-far", {}, other);
  await far.boot();
  await eventually(async () => (await send("N-far")).state === "ACCEPTED");
});
afterAll(async () => {
  // A test that failed may have left it killed.
  if (isKilled) await site?.place.nats.restart();
  await here?.leave();
  await there?.leave();
  await far?.leave();
  await other?.stop();
  await site?.leave();
});

const send = (chargerId: string, fields: object = {}) => site.command({ chargerId, action: "ClearCache", payload: {}, ...fields });
let isKilled = false;
const kill = async (): Promise<void> => {
  isKilled = true;
  await site.place.nats.kill();
};
const restart = async (): Promise<void> => {
  await site.place.nats.restart();
  isKilled = false;
};
const down = async (): Promise<void> => {
  await kill();
  // Until the service has noticed, what it says to others is lost on its way.
  await eventually(async () => (await send("N-far", { waitSeconds: 1 })).state === "EXPIRED");
};

test("chargers and their commands are served without NATS, but for those of other replicas", async () => {
  await site.register("N-7");
  const moving = await site.connect("N-7", {}, other);
  await moving.boot();
  await down();
  const start = { connectorId: 1, idTag: "A", meterStart: 0, timestamp: new Date().toISOString() };
  for (const station of [here, there]) {
    const { transactionId } = await station.result("StartTransaction", start);
    expect(await site.transaction(transactionId)).toMatchObject({ state: "ACTIVE", chargerId: station.id });
  }
  expect(await send("N-1")).toMatchObject({ state: "ACCEPTED" });
  const asked = there.asked.length;
  expect(await send("N-2")).toMatchObject({ state: "EXPIRED", errorCode: "CHARGER_OFFLINE" });
  const waiting = await send("N-2", { action: "Reset", payload: { type: "Soft" }, ttlSeconds: 60 });
  expect(waiting).toMatchObject({ state: "QUEUED" });
  // A new socket on another replica takes over all the same.
  const moved = await site.connect("N-7");
  expect(await moved.result("Heartbeat", {})).toEqual({ currentTime: expect.any(String) });
  expect(await send("N-7")).toMatchObject({ state: "ACCEPTED" });
  expect(moved.asked.map(({ action }) => action)).toEqual(["ClearCache"]);
  // Whoever holds a charger, or held one, looks by itself every few seconds: at what waits for it, and whether it still does.
  await eventually(async () => (await site.commandById("N-2", waiting.id)).state === "ACCEPTED");
  expect(there.asked.slice(asked).map(({ action }) => action)).toEqual(["Reset"]);
  expect(await moving.closed).toEqual({ code: 1001, reason: "SUPERSEDED" });
  await moved.leave();
  await restart();
  const started = (await site.told()).filter(({ type }) => type === "TransactionStarted").map(({ data }) => data.transaction.chargerId);
  expect(started.toSorted()).toEqual(["N-1", "N-2"]);
});

test("what happens while NATS is killed and comes back is told in order, each once", async () => {
  const stations = await Promise.all(["N-3", "N-4", "N-5"].map((id) => site.join(id)));
  const COUNT = 60;
  const tell = async (station: Station): Promise<void> => {
    for (let i = 0; i < COUNT; i++) {
      const status = { connectorId: 1, errorCode: "NoError", status: "Available", info: String(i) };
      expect(await station.result("StatusNotification", status)).toEqual({});
    }
  };
  const progress = (count: number) => eventually(async () => (stations[0]?.frames.length ?? 0) > count);
  const telling = Promise.all(stations.map(tell));
  await progress(15);
  await kill();
  await progress(35);
  await restart();
  await telling;
  const told = await site.told();
  expect(new Set(told.map(({ id }) => id)).size).toBe(told.length);
  for (const { id } of stations) {
    const infos = told
      .filter(({ type, subject }) => type === "ConnectorStatusChanged" && subject === id)
      .map(({ data }) => data.connector.info);
    expect(infos).toEqual(Array.from({ length: COUNT }, (_, i) => String(i)));
  }
  for (const station of stations) await station.leave();
});

test("a service that starts without NATS serves its chargers, and tells of them later", async () => {
  await down();
  const fresh = await startService(site.place);
  await site.rows("insert into charger (id) values ('N-6')");
  const station = await site.connect("N-6", {}, fresh);
  expect(await station.boot()).toMatchObject({ status: "Accepted" });
  expect(await site.command({ chargerId: "N-6", action: "ClearCache", payload: {} }, fresh)).toMatchObject({ state: "ACCEPTED" });
  await restart();
  // Once it has NATS, the others reach it.
  await eventually(async () => (await send("N-6")).state === "ACCEPTED");
  const told = (await site.told()).filter(({ subject }) => subject === "N-6").map(({ type }) => type);
  expect(told).toEqual(["ChargerConnected", "ChargerBooted"]);
  await station.leave();
  await fresh.stop();
});
