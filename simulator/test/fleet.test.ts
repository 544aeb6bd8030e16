import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Fleet, runFleet } from "../src/fleet.ts";
import { chargerModels } from "../src/models.ts";
import type { Charger, ChargerEvent } from "../src/state.ts";
import { type ManualTime, manualTime } from "./manual-time.ts";
import { type ScriptedCsms, startCsms } from "./scripted-csms.ts";

const MODELS = [chargerModels.hub, chargerModels.post, chargerModels.fast, chargerModels.wallbox];
const TOKENS = Array.from({ length: 12 }, (_, i) => `TOKEN-${i}`);

let csms: ScriptedCsms;
let time: ManualTime;
let fleet: Fleet;
let events: { at: number; charger: string; event: ChargerEvent }[];

beforeEach(async () => {
  csms = await startCsms();
});
afterEach(async () => {
  await fleet.stop();
  await csms.close();
});

/** Eight chargers, a minute of whose clock is an hour of their drivers'. */
function start(seed: string): void {
  time = manualTime();
  events = [];
  fleet = runFleet({
    chargers: Array.from({ length: 8 }, (_, i) => ({ url: csms.url, id: `CP-${i}`, model: MODELS[i % 4] ?? chargerModels.hub })),
    tokens: TOKENS,
    seed,
    speed: 60,
    time,
    onEvent: ({ id }, event) => events.push({ at: time.now(), charger: id, event }),
  });
}

/** Turns the event loop until every charger that is connected, or about to be, has nothing more to say. */
async function settled(): Promise<void> {
  while (fleet.chargers.some(isBusy)) await new Promise((resolve) => setImmediate(resolve));
}

function isBusy({ link, queue, registration }: Charger): boolean {
  if (link.socket === undefined) return false;
  return !link.isOpen || link.outstanding !== undefined || registration === undefined || queue.length > 0;
}

const of = <T extends ChargerEvent["type"]>(type: T) =>
  events.flatMap(({ at, charger, event }) =>
    event.type === type ? [{ at, charger, event: event as Extract<ChargerEvent, { type: T }> }] : [],
  );

describe("at the speed of the demo", () => {
  beforeEach(() => start("demo"));

  test("within 30 s all are there, most have charged, and some have finished", async () => {
    await time.advance(10_000, settled);
    expect(of("booted").length).toBe(8);
    expect(of("started").length).toBeGreaterThan(4);
    await time.advance(20_000, settled);
    expect(of("stopped").length).toBeGreaterThan(2);
    expect(
      fleet.chargers.filter(({ connectors }) => connectors.some(({ transaction }) => transaction !== undefined)).length,
    ).toBeGreaterThan(2);
  });

  test("in ten minutes they do all that chargers do, and every book balances", async () => {
    await time.advance(600_000, settled);
    expect(new Set(of("stopped").map(({ event }) => event.transaction.stop?.reason))).toEqual(
      new Set(["Local", "EVDisconnected", "Other"]),
    );
    expect(of("status").filter(({ event }) => event.status === "Faulted").length).toBeGreaterThan(2);
    expect(of("disconnected").length).toBeGreaterThan(2);
    expect(of("connected").length).toBeGreaterThan(10);
    expect(of("protocolError")).toEqual([]);
    expect(of("abandoned")).toEqual([]);

    const stopped = fleet.stop();
    await stopped;
    const starts = csms.calls.filter(({ action }) => action === "StartTransaction");
    const stops = csms.calls.filter(({ action }) => action === "StopTransaction").map(({ payload }) => payload.transactionId as number);
    expect(starts.length).toBeGreaterThan(50);
    // Those that were offline at the end still owe theirs.
    const owed = fleet.chargers.flatMap(({ queue }) => queue.filter(({ action }) => action === "StopTransaction")).length;
    expect(new Set(stops).size).toBe(stops.length);
    expect(stops.length + owed).toBeGreaterThanOrEqual(starts.length);
  });

  test("an id token is in one place at a time", async () => {
    await time.advance(300_000, settled);
    const inUse = new Map<string, unknown>();
    for (const { event } of events) {
      if (event.type === "started") {
        expect(inUse.get(event.transaction.idTag)).toBeUndefined();
        inUse.set(event.transaction.idTag, event.transaction);
      }
      if (event.type === "stopped") inUse.delete(event.transaction.idTag);
    }
    expect(of("started").length).toBeGreaterThan(20);
  });
});

test("the seed decides what happens, and when", async () => {
  const life = async (seed: string) => {
    start(seed);
    await time.advance(120_000, settled);
    await fleet.stop();
    return of("started").map(
      ({ at, charger, event: { transaction } }) =>
        `${at} ${charger}/${transaction.connectorId} ${transaction.idTag} ${transaction.meterStartWh}`,
    );
  };
  const first = await life("one");
  expect(first.length).toBeGreaterThan(8);
  expect(await life("one")).toEqual(first);
  expect(await life("two")).not.toEqual(first);
});

test("a charger that is refused waits longer and longer, and lives once it is let in", async () => {
  await csms.close();
  let refusal: number | undefined = 404;
  csms = await startCsms(() => refusal);
  start("refused");
  await time.advance(60_000, settled);
  expect(of("refused").length).toBeGreaterThan(8 * 4);
  expect(of("started")).toEqual([]);
  refusal = undefined;
  await time.advance(90_000, settled);
  expect(new Set(of("connected").map(({ charger }) => charger)).size).toBe(8);
  expect(of("started").length).toBeGreaterThan(4);
});

test("a stop ends what charges, tells it, and leaves no timer", async () => {
  start("demo");
  await time.advance(20_000, settled);
  const charging = fleet.chargers.flatMap(({ connectors }) => connectors).filter(({ transaction }) => transaction !== undefined).length;
  expect(charging).toBeGreaterThan(2);
  await fleet.stop();
  expect(csms.calls.filter(({ payload }) => payload.reason === "PowerLoss").length).toBe(charging);
  expect(time.timers()).toBe(0);
});

test("a stop while all of them connect ends that", async () => {
  start("demo");
  await time.advance(1_000);
  expect(fleet.chargers.every(({ link }) => link.socket !== undefined && !link.isOpen)).toBe(true);
  await fleet.stop();
  expect(fleet.chargers.every(({ link }) => link.socket === undefined)).toBe(true);
  expect(csms.calls).toEqual([]);
});
