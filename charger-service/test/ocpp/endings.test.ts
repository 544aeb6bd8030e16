import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../../test/rest.ts";
import { type Service, startService } from "../service.ts";
import { startReplica } from "./replica.ts";
import { openSite, type Site } from "./site.ts";

// How connections end when nobody says goodbye: peers that are dead, replicas that are killed, replicas that stop.

let site: Site;
let other: Service;

beforeAll(async () => {
  site = await openSite({ OCPP_PING_SECONDS: "1" });
  other = await startService(site.place);
});
afterAll(async () => {
  await other?.stop();
  await site?.leave();
});

const start = () => ({ connectorId: 1, idTag: "A", meterStart: 0, timestamp: new Date().toISOString() });
const ended = async (id: string) => (await site.told()).filter(({ type, subject }) => type === "ChargerDisconnected" && subject === id);

test.concurrent("a peer that answers no ping is dead, and everybody hears of it", async () => {
  const dead = await site.join("E-1", { autoPong: false });
  const well = await site.join("E-2");
  // It answers no ping, but it talks.
  const talker = await site.join("E-3", { autoPong: false });
  talker.socket.on("ping", () => talker.say([2, "still here", "Heartbeat", {}]));
  let pings = 0;
  well.socket.on("ping", () => {
    pings++;
  });
  expect((await dead.closed).code).toBe(1006);
  await site.gone("E-1");
  expect(await site.connections("E-1")).toMatchObject([{ state: "CLOSED", reason: "PEER_DEAD", closeTime: expect.any(Date) }]);
  expect((await ended("E-1")).map(({ data }) => data)).toEqual([{ chargerId: "E-1", reason: "PEER_DEAD" }]);
  // By now the others have been asked as often.
  await eventually(async () => pings >= 3);
  for (const station of [well, talker]) {
    expect(await station.result("Heartbeat", {})).toEqual({ currentTime: expect.any(String) });
    expect(await site.charger(station.id)).toMatchObject({ connected: true });
    await station.leave();
  }
});

test.concurrent("a charger that waits for us is not taken for dead, however long it has to", async () => {
  const station = await site.join("E-4");
  let pings = 0;
  station.socket.on("ping", () => {
    pings++;
  });
  const owner = await site.hold("lock table transaction in exclusive mode");
  // So many that we stop reading, its pongs as well.
  const answers = Array.from({ length: 40 }, () => station.result("StartTransaction", start()));
  await eventually(async () => pings >= 3);
  await owner.release();
  expect(new Set((await Promise.all(answers)).map(({ idTagInfo }) => idTagInfo.status))).toEqual(new Set(["Invalid"]));
  await station.leave();
});

test.concurrent("the chargers of a replica that is killed become disconnected when its lease runs out", async () => {
  const replica = await startReplica(site.place);
  const stations = [];
  for (const id of ["E-5", "E-6"]) {
    await site.register(id);
    stations.push(await site.connect(id, { react: () => undefined }, replica));
  }
  for (const station of stations) await station.boot();
  const command = await site.command({ chargerId: "E-5", action: "ClearCache", payload: {}, waitSeconds: 1 });
  expect(command.state).toBe("SENT");
  replica.process.kill("SIGKILL");
  for (const station of stations) expect((await station.closed).code).toBe(1006);
  const [{ replica_id }] = await site.rows("select replica_id from charger where id = 'E-5'");
  const [{ left }] = await site.rows("select extract(epoch from lease_time - now())::float as left from replica where id = $1", [
    replica_id,
  ]);
  expect(left).toBeGreaterThan(5);
  expect(left).toBeLessThanOrEqual(15);
  // Nobody has noticed yet.
  expect(await site.charger("E-5")).toMatchObject({ connected: true });
  expect(await ended("E-5")).toEqual([]);
  await site.rows("update replica set lease_time = now() where id = $1", [replica_id]);
  for (const { id } of stations) {
    await site.gone(id);
    expect(await site.connections(id)).toMatchObject([{ state: "CLOSED", reason: "REPLICA_LOST" }]);
    expect((await ended(id)).map(({ data }) => data)).toEqual([{ chargerId: id, reason: "REPLICA_LOST" }]);
  }
  const orphan = await eventually(async () => {
    const one = await site.commandById("E-5", command.id);
    return one.state !== "SENT" && one;
  });
  expect(orphan).toMatchObject({ state: "FAILED", errorCode: "CONNECTION_LOST" });
  const again = await site.connect("E-5");
  expect(await again.boot()).toMatchObject({ status: "Accepted" });
  expect(again.asked).toEqual([]);
  await again.leave();
});

test("a replica that is told to stop answers what it has in hand, says goodbye and ends well", async () => {
  const replica = await startReplica(site.place);
  await site.register("E-7");
  const station = await site.connect("E-7", {}, replica);
  await station.boot();
  const owner = await site.hold("lock table transaction in exclusive mode");
  const answer = station.result("StartTransaction", start());
  await site.blocked(1);
  replica.process.kill("SIGTERM");
  // Whoever is unknown is told so, until nobody is let in any more.
  await eventually(async () => (await site.connect("nobody", {}, replica).catch((err: { status?: number }) => err.status)) !== 404);
  await owner.release();
  const { transactionId } = await answer;
  expect(await station.closed).toEqual({ code: 1012, reason: "SERVICE_RESTART" });
  expect(await replica.process.exited).toEqual({ code: 0, signal: null });
  expect((await site.transactions("E-7")).map(({ id }) => id)).toEqual([String(transactionId)]);
  expect(await site.charger("E-7")).toMatchObject({ connected: false });
  expect(await site.connections("E-7")).toMatchObject([{ state: "CLOSED", reason: "SERVICE_RESTART" }]);
  expect((await ended("E-7")).map(({ data }) => data.reason)).toEqual(["SERVICE_RESTART"]);
  expect(await site.rows("select from replica")).toHaveLength(2);
});

test("a replica that stops has written the end of every connection, also of those that say no goodbye", async () => {
  const stopping = await startService(site.place, { CHARGER_DATABASE_POOL: "2" });
  const ids = Array.from({ length: 30 }, (_, i) => `E-many-${i}`);
  const stations = await Promise.all(
    ids.map(async (id) => {
      await site.register(id);
      const station = await site.connect(id, {}, stopping);
      await station.boot();
      return station;
    }),
  );
  const [polite, ...silent] = stations;
  for (const { socket } of silent) socket.pause();
  await stopping.stop();
  const rows = await site.rows("select charger_id, state, reason from connection where charger_id like 'E-many-%'");
  expect(rows.map(({ state, reason }) => `${state} ${reason}`)).toEqual(Array(30).fill("CLOSED SERVICE_RESTART"));
  const told = (await site.told()).filter(({ type, data }) => type === "ChargerDisconnected" && data.chargerId.startsWith("E-many-"));
  expect(told.map(({ data }) => data.chargerId).toSorted()).toEqual(ids.toSorted());
  expect((await polite?.closed)?.code).toBe(1012);
  for (const { socket } of silent) socket.terminate();
});
