import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../../test/rest.ts";
import { openSite, type Site } from "./site.ts";

// What a charger reports of itself, and where it is seen.

let site: Site;

beforeAll(async () => {
  site = await openSite({ OCPP_HEARTBEAT_SECONDS: "77" });
});
afterAll(() => site?.leave());

const told = async (type: string, id: string) =>
  (await site.told()).filter((event) => event.type === type && event.subject === id).map(({ data }) => data);
const near = (time: Date | undefined): boolean => Math.abs(Date.now() - (time?.getTime() ?? 0)) < 20_000;

test("a boot tells the charger what to do, and everybody what it is", async () => {
  await site.register("B-1");
  const station = await site.connect("B-1");
  const boot = { chargePointVendor: "Acme", chargePointModel: "One", chargePointSerialNumber: "7", firmwareVersion: "1.2", iccid: "8949" };
  const answer = await station.result("BootNotification", boot);
  expect(answer).toEqual({ status: "Accepted", interval: 77, currentTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) });
  expect(near(new Date(answer.currentTime))).toBe(true);
  const facts = { vendor: "Acme", model: "One", firmwareVersion: "1.2" };
  const charger = await site.charger("B-1");
  expect(charger).toMatchObject({ ...facts, serialNumber: "7", registration: "ACCEPTED", protocol: "ocpp1.6", connected: true });
  expect(near(charger.bootTime)).toBe(true);
  // What is left out the next time is not known any more.
  await station.boot();
  expect(await site.charger("B-1")).toMatchObject({ vendor: "Acme", serialNumber: "", firmwareVersion: "" });
  expect(await told("ChargerBooted", "B-1")).toEqual([
    { chargerId: "B-1", registration: "ACCEPTED", ...facts },
    { chargerId: "B-1", registration: "ACCEPTED", vendor: "Acme", model: "One" },
  ]);
  await station.leave();
});

test.each([
  ["PENDING", "Pending"],
  ["REJECTED", "Rejected"],
] as const)("a charger that is %s is told %s, and what it says is kept all the same", async (registration, status) => {
  const id = `B-${status}`;
  await site.register(id, { registration });
  const station = await site.connect(id);
  expect(await station.boot()).toMatchObject({ status, interval: 60 });
  const start = { connectorId: 1, idTag: "A", meterStart: 0, timestamp: new Date().toISOString() };
  const { transactionId } = await station.result("StartTransaction", start);
  expect(await site.transaction(transactionId)).toMatchObject({ chargerId: id, state: "ACTIVE" });
  await station.leave();
});

test("the status of connectors and of the charger is shown, and told when it changes", async () => {
  const station = await site.join("B-2");
  const say = (connectorId: number, status: string, fields: object = {}) =>
    station.result("StatusNotification", { connectorId, status, errorCode: "NoError", ...fields });
  const fault = { errorCode: "OtherError", info: "hot", vendorId: "acme", vendorErrorCode: "E7", timestamp: "2026-01-02T03:04:05+01:00" };
  await say(0, "Available");
  await say(2, "Faulted", fault);
  await say(1, "Preparing");
  await say(1, "Charging");
  await say(1, "Charging", { timestamp: "2026-11-22T10:00:00Z" });
  await say(2, "Faulted", fault);
  const charger = await site.charger("B-2");
  expect(charger).toMatchObject({ status: "AVAILABLE", connected: true });
  expect(charger.evses).toMatchObject([
    { id: 1, connectors: [{ id: 1, status: "CHARGING", errorCode: "NoError", info: "", vendorId: "", vendorErrorCode: "" }] },
    {
      id: 2,
      connectors: [
        { id: 2, status: "FAULTED", errorCode: "OtherError", info: "hot", vendorId: "acme", statusTime: new Date("2026-01-02T02:04:05Z") },
      ],
    },
  ]);
  await say(0, "Faulted", fault);
  expect(await site.charger("B-2")).toMatchObject({
    status: "FAULTED",
    overall: { id: 0, errorCode: "OtherError", info: "hot", vendorId: "acme", vendorErrorCode: "E7" },
  });
  const changes = (await told("ConnectorStatusChanged", "B-2")).map(({ evseId = 0, connector }) => [evseId, connector.status]);
  expect(changes).toEqual([
    [0, "AVAILABLE"],
    [2, "FAULTED"],
    [1, "PREPARING"],
    [1, "CHARGING"],
    [0, "FAULTED"],
  ]);
  await station.leave();
});

test("every sign of life is seen within a second or so", async () => {
  const station = await site.join("B-3");
  const seen = async (): Promise<number> => (await site.charger("B-3")).lastSeenTime?.getTime() ?? 0;
  await eventually(async () => (await seen()) > 0);
  const before = await seen();
  station.say("no frame at all");
  const after = await eventually(async () => {
    const time = await seen();
    return time > before && time;
  });
  expect(near(new Date(after))).toBe(true);
  await station.leave();
});

test("a hundred statuses in the same moment, from many chargers, are all kept", async () => {
  const stations = await Promise.all(["B-4", "B-5", "B-6", "B-7"].map((id) => site.join(id)));
  const ids = Array.from({ length: 25 }, (_, i) => i + 1);
  const say = (connectorId: number) => ({ connectorId, status: "Available", errorCode: "NoError", timestamp: "2026-11-22T10:00:00Z" });
  await Promise.all(stations.flatMap((station) => ids.map((id) => station.result("StatusNotification", say(id)))));
  for (const { id } of stations) expect((await site.charger(id)).evses.map((evse) => evse.id)).toEqual(ids);
  for (const station of stations) await station.leave();
});

test("heartbeats are answered while nobody can write", async () => {
  const station = await site.join("B-heart");
  const before = (await site.charger("B-heart")).lastSeenTime?.getTime() ?? 0;
  const { release } = await site.hold("lock table charger, charger_liveness, connection, message in exclusive mode");
  const beats = await Promise.all(Array.from({ length: 50 }, () => station.result("Heartbeat", {})));
  expect(beats).toEqual(beats.map(() => ({ currentTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) })));
  await release();
  // That the charger is alive is written all the same, for many heartbeats at once.
  await eventually(async () => ((await site.charger("B-heart")).lastSeenTime?.getTime() ?? 0) > before);
  await station.leave();
});

test("of connections only so many days are kept, but for those that are open", async () => {
  const ago = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();
  const kept = async () => (await site.connections("B-old")).map(({ state, reason }) => [state, reason]);
  await site.rows(
    `insert into connection (charger_id, state, reason, open_time, close_time) values
      ('B-old', 'OPEN', '', $1, null), ('B-old', 'CLOSED', 'OLD', $1, $1), ('B-old', 'REFUSED', 'OLD', $1, $1), ('B-old', 'REFUSED', 'YOUNG', $2, $2)`,
    [ago(90.01), ago(89.99)],
  );
  await eventually(async () => (await kept()).length === 2);
  expect(await kept()).toEqual([
    ["REFUSED", "YOUNG"],
    ["OPEN", ""],
  ]);
});

test("of what somebody offers who is refused not more is kept than anybody needs", async () => {
  const protocols = Array.from({ length: 40 }, (_, i) => `${"p".repeat(100)}${i}`);
  await expect(site.connect("B-nobody", { protocols })).rejects.toThrow("404");
  const [refused] = await site.connections("B-nobody");
  expect(refused?.offeredProtocols).toEqual(protocols.slice(0, 16).map((offer) => offer.slice(0, 64)));
});
