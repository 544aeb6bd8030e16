import { afterAll, beforeAll, expect, test } from "vitest";
import { makeProfileDesk } from "../rpc/profile-desk.ts";
import { openSite, type Site } from "./site.ts";
import type { Station } from "./station.ts";

// Which transaction a remote start has led to: the same charger and id token, its connector if it named one, within 120 s.

let site: Site;
let station: Station;
let status = "Accepted";

beforeAll(async () => {
  site = await openSite();
  station = await site.join("R-1", { react: () => ({ status }) });
});
afterAll(async () => {
  await station?.leave();
  await site?.leave();
});

let connectors = 0;
const ask = async (idTag: string, connectorId?: number): Promise<string> => {
  const payload = { idTag, ...(connectorId === undefined ? {} : { connectorId }) };
  return (await site.command({ chargerId: "R-1", action: "RemoteStartTransaction", payload })).id;
};
const start = async (idTag: string, connectorId = ++connectors, fields: object = {}, of = station): Promise<string> => {
  const request = { connectorId, idTag, meterStart: 0, timestamp: new Date().toISOString(), ...fields };
  return String((await of.result("StartTransaction", request)).transactionId);
};
const ledTo = async (id: string): Promise<string> => (await site.commandById("R-1", id)).transactionId;

test("the start that follows is its transaction, and everybody is told", async () => {
  const id = await ask("ONE", 1);
  expect(await ledTo(id)).toBe("");
  const time = { timestamp: new Date().toISOString() };
  const transactionId = await start("one", 1, time);
  expect(await ledTo(id)).toBe(transactionId);
  expect(await start("one", 1, time)).toBe(transactionId);
  // Another one is nobody's.
  await start("ONE", 1);
  expect(await ledTo(id)).toBe(transactionId);
  const told = (await site.told()).filter(({ type, subject }) => type === "CommandUpdated" && subject === id);
  expect(told.map(({ data }) => [data.command.state, data.command.transactionId ?? ""])).toEqual([
    ["QUEUED", ""],
    ["SENT", ""],
    ["ACCEPTED", ""],
    ["ACCEPTED", transactionId],
  ]);
});

test("one that names no connector leads to any", async () => {
  const id = await ask("ANY");
  expect(await ledTo(id)).toBe("");
  const transactionId = await start("ANY", 77);
  expect(await ledTo(id)).toBe(transactionId);
});

test.each<[string, () => Promise<unknown>]>([
  ["another token", () => start("ANOTHER", 500)],
  ["another connector", () => start("TOKEN", 501)],
  ["a time before", () => start("TOKEN", 500, { timestamp: new Date(Date.now() - 61_000).toISOString() })],
  ["another charger", async () => start("TOKEN", 500, {}, await site.join("R-2"))],
])("a start of %s is not its transaction", async (_what, startOther) => {
  const id = await ask("TOKEN", 500);
  await startOther();
  expect(await ledTo(id)).toBe("");
  expect(await ledTo(id)).not.toBe(await start("TOKEN", 499));
  // The right one still is.
  expect(await start("TOKEN", 500)).toBe(await ledTo(id));
});

test("one that was refused leads to nothing", async () => {
  status = "Rejected";
  const id = await ask("NO", 600);
  status = "Accepted";
  await start("NO", 600);
  expect(await ledTo(id)).toBe("");
});

test("one that was sent more than 120 s ago leads to nothing any more", async () => {
  for (const [seconds, isLinked] of [
    [125, false],
    [110, true],
  ] as const) {
    const id = await ask(`LATE-${seconds}`, 700);
    await site.rows("update command set send_time = send_time - make_interval(secs => $2) where id = $1", [id, seconds]);
    const transactionId = await start(`LATE-${seconds}`, 700);
    expect(await ledTo(id)).toBe(isLinked ? transactionId : "");
  }
});

test("of several, the oldest leads to the first", async () => {
  const ids = [await ask("MANY"), await ask("MANY"), await ask("MANY", 800)];
  const transactions = [await start("MANY", 800), await start("MANY", 801), await start("MANY", 802)];
  expect(await Promise.all(ids.map(ledTo))).toEqual([transactions[0], transactions[1], ""]);
});

test("a start that comes before the answer to the command is its transaction as well", async () => {
  const eager = await site.join("R-3", { react: () => undefined });
  const asking = site.command({ chargerId: "R-3", action: "RemoteStartTransaction", payload: { idTag: "EAGER" } });
  const { id } = await eager.isAsked("RemoteStartTransaction");
  const transactionId = await start("EAGER", 1, {}, eager);
  eager.say([3, id, { status: "Accepted" }]);
  expect(await asking).toMatchObject({ state: "ACCEPTED", transactionId });
  await eager.leave();
});

test("a profile that was written by hand with numbers beyond all bounds is shown as far as it can be", async () => {
  const desk = makeProfileDesk(site.service, site.place.as("OPERATOR"), "R-1");
  const profile = { chargingProfileId: 1, stackLevel: 0, chargingProfilePurpose: "TxProfile", chargingProfileKind: "Relative" };
  const chargingSchedule = { duration: 1e15, chargingRateUnit: "A", chargingSchedulePeriod: [{ startPeriod: 1e15, limit: 8 }] };
  const payload = { idTag: "ODD", connectorId: 9, chargingProfile: { ...profile, chargingSchedule } };
  await site.command({ chargerId: "R-1", action: "RemoteStartTransaction", payload });
  const transactionId = await start("ODD", 9);
  const schedule = { durationSeconds: 2 ** 31 - 1, periods: [{ startSeconds: 2 ** 31 - 1, limit: 8 }] };
  expect(await desk.assignments({ chargerId: "R-1" })).toMatchObject([
    { state: "INSTALLED", transactionId, chargingProfile: { schedule } },
  ]);
});
