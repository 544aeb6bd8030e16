import { status } from "@grpc/grpc-js";
import { Client } from "pg";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { eventually } from "../../../test/rest.ts";
import { given, type Service, startService } from "../service.ts";
import { openSite, type Site } from "./site.ts";
import { Refusal } from "./station.ts";
import { layWire, type Wire } from "./wire.ts";

// The database goes away and comes back: nothing is answered that is not committed, nothing is lost, nothing is there twice.

let site: Site;
let wire: Wire;
/** A replica that has the database all the time. */
let other: Service;

beforeAll(async () => {
  site = await openSite(async ({ vars }) => {
    wire = await layWire(given(vars.CHARGER_DATABASE_URL));
    return { CHARGER_DATABASE_URL: wire.url };
  });
  other = await startService(site.place);
});
afterAll(async () => {
  wire?.mend();
  await other?.stop();
  await site?.leave();
  await wire?.close();
});

const start = (fields: object = {}) => ({ connectorId: 1, idTag: "A", meterStart: 0, timestamp: new Date().toISOString(), ...fields });
const told = async (type: string, of: string) =>
  (await site.told()).filter((event) => event.type === type && JSON.stringify(event.data).includes(of));
const disconnections = async (id: string) =>
  (await site.told())
    .filter(({ subject, type }) => subject === id && /onnected$/.test(type))
    .map(({ type, data }) => `${type} ${data.reason ?? ""}`.trim());
/** Over the replica that has the database. */
const look = {
  connected: async (id: string) => (await site.rows("select replica_id from charger where id = $1", [id]))[0].replica_id !== null,
  transactions: async (id: string) => (await site.rows("select id from transaction where charger_id = $1", [id])).map(({ id }) => id),
};

test("a start while the database is away is answered when it is back, once", async () => {
  const station = await site.join("A-1");
  wire.cut();
  const starting = station.result("StartTransaction", start());
  const beating = station.result("Heartbeat", {});
  // It is tried again and again, and nothing is answered meanwhile, nor anything that came after it.
  await eventually(async () => wire.refused >= 3);
  expect(station.frames).toHaveLength(1);
  const refused = await site.connect("A-1").catch((err: unknown) => err);
  if (!(refused instanceof Refusal)) throw new Error("was let in");
  expect([refused.status, refused.headers["retry-after"], JSON.parse(refused.body).error.reason]).toEqual([
    503,
    "60",
    "DATABASE_UNAVAILABLE",
  ]);
  wire.mend();
  const { transactionId } = await starting;
  await beating;
  expect(station.frames.map(([type]) => type)).toEqual([3, 3, 3]);
  expect(await look.transactions("A-1")).toEqual([transactionId]);
  expect(await told("TransactionStarted", "A-1")).toHaveLength(1);
  expect(station.socket.readyState).toBe(station.socket.OPEN);
  await station.leave();
});

test("a start whose commit was not heard of is there once, and answered", async () => {
  const station = await site.join("A-2");
  const intercepted = wire.intercept('insert into "transaction"', "commit");
  const starting = station.result("StartTransaction", start());
  const { lose } = await intercepted;
  // It is committed, and the service cannot know.
  const [id] = await look.transactions("A-2");
  expect(id).toEqual(expect.any(Number));
  lose();
  expect(await starting).toEqual({ transactionId: id, idTagInfo: { status: "Invalid" } });
  expect(await look.transactions("A-2")).toEqual([id]);
  expect(await told("TransactionStarted", "A-2")).toHaveLength(1);
  await station.leave();
});

test("sessions that the database ends are opened anew, in the middle of whatever", async () => {
  const station = await site.join("A-3");
  const owner = await site.hold("lock table transaction in exclusive mode");
  const starting = station.result("StartTransaction", start());
  await site.blocked(1);
  const { adminUrl } = inject("postgres");
  const admin = new Client({ connectionString: adminUrl });
  await admin.connect();
  const name = new URL(wire.url).pathname.slice(1);
  const { rowCount } = await admin.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and usename = 'chargemesh_charger'",
    [name],
  );
  await admin.end();
  expect(rowCount).toBeGreaterThan(2);
  await site.blocked(1);
  await owner.release();
  const { transactionId } = await starting;
  expect(await look.transactions("A-3")).toEqual([transactionId]);
  expect(await told("TransactionStarted", "A-3")).toHaveLength(1);
  expect(await site.transaction(transactionId)).toMatchObject({ state: "ACTIVE" });
  await station.leave();
});

test("what an outage has left behind is mended: leases, ends of connections, commands that wait", async () => {
  const [station, leaving] = await Promise.all(["A-4", "A-5"].map((id) => site.join(id)));
  if (station === undefined || leaving === undefined) throw new Error("cannot be");
  const [{ replica_id: replicaId }] = await site.rows("select replica_id from charger where id = 'A-4'");
  wire.cut();
  leaving.socket.terminate();
  const unavailable = await site
    .command({ chargerId: "A-4", action: "ClearCache", payload: {} })
    .catch((err: { code: number }) => err.code);
  expect(unavailable).toBe(status.UNAVAILABLE);
  await site.rows("update replica set lease_time = now() where id = $1", [replicaId]);
  await eventually(async () => !(await look.connected("A-4")));
  // It is offline for everybody, so what may wait waits.
  expect(await site.command({ chargerId: "A-4", action: "ClearCache", payload: {} }, other)).toMatchObject({ state: "EXPIRED" });
  // Such as one whose replica was lost before it could hand it over: it may wait its turn, but not for its charger.
  await site.rows(
    `insert into command (charger_id, action, payload, expire_time) values ('A-4', 'GetConfiguration', '{}', now() + interval '60 s')`,
  );
  const waiting = await site.command({ chargerId: "A-4", action: "Reset", payload: { type: "Soft" }, ttlSeconds: 60 }, other);
  expect(waiting).toMatchObject({ state: "QUEUED" });
  wire.mend();
  expect((await station.isAsked("Reset")).payload).toEqual({ type: "Soft" });
  await eventually(async () => (await site.commandById("A-4", waiting.id)).state === "ACCEPTED");
  expect(await site.command({ chargerId: "A-4", action: "ClearCache", payload: {} }, other)).toMatchObject({ state: "ACCEPTED" });
  expect(station.asked.map(({ action }) => action)).toEqual(["Reset", "ClearCache"]);
  // The socket has not noticed anything.
  expect(await station.result("Heartbeat", {})).toEqual({ currentTime: expect.any(String) });
  expect(await site.connections("A-4")).toMatchObject([{ state: "OPEN", reason: "", closeTime: undefined }]);
  expect(await disconnections("A-4")).toEqual(["ChargerConnected", "ChargerDisconnected REPLICA_LOST", "ChargerConnected"]);
  await site.gone("A-5");
  expect((await site.connections("A-5")).map(({ state }) => state)).toEqual(["CLOSED"]);
  expect((await disconnections("A-5")).slice(0, 2)).toEqual(["ChargerConnected", expect.stringMatching(/^ChargerDisconnected/)]);
  await station.leave();
});

test("a charger that came back elsewhere in an outage stays there", async () => {
  const first = await site.join("A-6");
  wire.cut();
  const second = await site.connect("A-6", {}, other);
  await second.boot();
  expect((await first.closed).code).toBe(1001);
  wire.mend();
  // The replica that had it is back, and has looked after what it holds.
  await site.join("A-7");
  expect(await site.command({ chargerId: "A-6", action: "ClearCache", payload: {} })).toMatchObject({ state: "ACCEPTED" });
  expect([first.asked.length, second.asked.length]).toEqual([0, 1]);
  expect((await site.connections("A-6")).map(({ state, reason }) => [state, reason])).toEqual([
    ["OPEN", ""],
    ["CLOSED", "SUPERSEDED"],
  ]);
  await second.leave();
});

test("what a charger answers to a command in an outage is not forgotten", async () => {
  const station = await site.join("A-8", { react: () => undefined });
  const sending = site.command({ chargerId: "A-8", action: "ClearCache", payload: {}, waitSeconds: 30 }, other);
  const { id } = await station.isAsked("ClearCache");
  wire.cut();
  station.say([3, id, { status: "Rejected" }]);
  await eventually(async () => wire.refused >= 2);
  wire.mend();
  expect(await sending).toMatchObject({ state: "REJECTED", status: "Rejected" });
  await station.leave();
});

test("a command whose sending was committed unheard of is sent, once", async () => {
  const station = await site.join("A-9");
  const intercepted = wire.intercept('"send_time" = now()', "commit");
  const sending = site.command({ chargerId: "A-9", action: "ClearCache", payload: {}, waitSeconds: 30 }, other);
  const { lose } = await intercepted;
  expect(await site.rows("select state from command where charger_id = 'A-9'")).toEqual([{ state: "SENT" }]);
  expect(station.asked).toEqual([]);
  lose();
  expect(await sending).toMatchObject({ state: "ACCEPTED" });
  expect(station.asked).toHaveLength(1);
  await station.leave();
});

test("a charger that connects while its replica looks after what it holds is not taken for another's", async () => {
  await site.register("A-10");
  // What the replica asks every few seconds; the answer is late.
  const { pass } = await wire.intercept('select "id", "epoch" from "charger" where "replica_id"');
  // What was asked in the same moment stands in line behind it; all else finds another way.
  await eventually(() => Promise.race([site.charger("A-10").then(() => true), new Promise<false>((r) => setTimeout(r, 50, false))]));
  const station = await site.connect("A-10");
  await station.boot();
  await site.command({ chargerId: "A-10", action: "Reset", payload: { type: "Soft" }, ttlSeconds: 60 });
  await site.rows("update command set state = 'QUEUED', send_time = null where charger_id = 'A-10'");
  pass();
  // The last thing that it does then is to send what was forgotten.
  await station.isAsked("Reset", 1);
  expect(await station.result("Heartbeat", {})).toEqual({ currentTime: expect.any(String) });
  expect((await site.connections("A-10")).map(({ state, reason }) => [state, reason])).toEqual([["OPEN", ""]]);
  await station.leave();
});
