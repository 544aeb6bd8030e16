import { afterEach, beforeEach, expect, test } from "vitest";
import { connectCharger, type SimulatedCharger } from "../src/charger.ts";
import { chargerModels } from "../src/models.ts";
import { type ManualTime, manualTime } from "./manual-time.ts";
import { actionsOf, type Received, type ScriptedCsms, startCsms } from "./scripted-csms.ts";

let csms: ScriptedCsms;
let time: ManualTime;
let charger: SimulatedCharger;

beforeEach(async () => {
  csms = await startCsms();
  time = manualTime();
  charger = await connectCharger({ url: csms.url, id: "CP-1", time, model: chargerModels.hub });
  await charger.boot();
  await charger.idle();
  csms.forget();
});
afterEach(async () => {
  await charger.close();
  await csms.close();
});

const about = ({ action, payload }: Received) => [action, payload.connectorId ?? "-", payload.transactionId ?? "-"];

test("what happened offline is told in its order, under the number that the start is given", async () => {
  charger.drop();
  const first = await charger.plugIn(1, { idTag: "A" });
  expect(first).toMatchObject({ connectorId: 1, idTag: "A", id: undefined });
  await time.advance(60_000);
  await charger.plugIn(2, { idTag: "B" });
  await time.advance(60_000);
  charger.stop(1, "Local", "A");
  charger.unplug(2);
  expect(csms.calls).toEqual([]);

  await charger.reconnect();
  await charger.idle();
  expect(csms.calls.filter(({ action }) => action !== "StatusNotification").map(about)).toEqual([
    ["StartTransaction", 1, "-"],
    ["MeterValues", 1, 101],
    ["MeterValues", 1, 101],
    ["StartTransaction", 2, "-"],
    ["MeterValues", 2, 102],
    ["MeterValues", 1, 101],
    ["MeterValues", 2, 102],
    ["StopTransaction", "-", 101],
    ["StopTransaction", "-", 102],
  ]);
  expect(first).toMatchObject({ id: 101, stop: { reason: "Local" } });
  // Told late, but as of when it happened.
  const start = csms.calls.find(({ action }) => action === "StartTransaction");
  expect(start?.payload.timestamp).toBe("2026-03-01T08:00:00.000Z");
  const stop = csms.calls.find(({ action }) => action === "StopTransaction");
  expect(stop?.payload).toMatchObject({ timestamp: "2026-03-01T08:02:00.000Z", idTag: "A", reason: "Local" });
  // Of the statuses only the last is worth telling, and a part that is as it was says nothing.
  expect(
    csms.calls.filter(({ action }) => action === "StatusNotification").map(({ payload }) => [payload.connectorId, payload.status]),
  ).toEqual([[1, "Finishing"]]);
});

test.each(["StartTransaction", "StopTransaction"])("a %s whose answer was lost goes out again as it was, with a new id", async (action) => {
  const answer = csms.script[action];
  csms.script[action] = () => "cut";
  const lost = charger.next("disconnected");
  void charger.plugIn(1, { idTag: "A" });
  if (action === "StopTransaction") {
    await charger.next("delivered");
    await time.advance(1_000);
    charger.unplug(1);
  }
  await lost;
  csms.script[action] = answer ?? (() => ({}));
  await time.advance(90_000);
  await charger.reconnect();
  await charger.idle();
  const [one, two, ...more] = csms.calls.filter((call) => call.action === action);
  expect(more).toEqual([]);
  expect(two?.payload).toEqual(one?.payload);
  expect(two?.id).not.toBe(one?.id);
});

test("a status whose answer was lost is told again", async () => {
  csms.script.StatusNotification = () => "cut";
  const lost = charger.next("disconnected");
  charger.fault(2, "HighTemperature");
  await lost;
  csms.script.StatusNotification = () => ({});
  await charger.reconnect();
  await charger.idle();
  expect(csms.calls.map(({ payload }) => [payload.connectorId, payload.errorCode])).toEqual([
    [2, "HighTemperature"],
    [2, "HighTemperature"],
  ]);
});

test("refused messages are tried three times, each after a longer wait, and hold up those after them", async () => {
  csms.script.StartTransaction = () => "error:InternalError";
  const abandoned = charger.next("abandoned");
  void charger.plugIn(1, { idTag: "A" });
  await csms.next("StartTransaction");
  charger.unplug(1);
  for (const status of ["Preparing", "Charging", "Finishing", "Available"]) {
    expect((await csms.next("StatusNotification")).payload).toMatchObject({ status });
  }
  for (const [waited, count] of [
    [9_999, 1],
    [1, 2],
    [19_999, 2],
    [1, 3],
  ] as const) {
    await flushed();
    await time.advance(waited);
    await flushed();
    expect(csms.calls.filter(({ action }) => action === "StartTransaction").length).toBe(count);
  }
  expect((await abandoned).message).toMatchObject({ action: "StartTransaction", attempts: 3 });
  await charger.idle();
  const told = csms.calls.filter(({ action }) => action !== "StatusNotification" && action !== "StartTransaction");
  expect(told.map(about)).toEqual([
    ["Authorize", "-", "-"],
    ["MeterValues", 1, "-"],
    // It never got a number.
    ["StopTransaction", "-", -1],
  ]);
});

test("nothing goes out while a CALL waits for its answer", async () => {
  csms.script.Authorize = () => "silence";
  void charger.plugIn(1, { idTag: "A" });
  await csms.next("Authorize");
  charger.fault(2, "OverVoltage");
  await time.advance(29_000);
  await flushed();
  expect(actionsOf(csms.calls)).toEqual(["StatusNotification", "Authorize"]);
  await csms.next("StatusNotification");
  const refused = charger.next("authorized");
  await time.advance(1_000);
  expect(await refused).toMatchObject({ idTag: "A", status: "late" });
  expect((await csms.next("StatusNotification")).payload).toMatchObject({ connectorId: 2, status: "Faulted", errorCode: "OverVoltage" });
});

test("offline it starts nothing where AllowOfflineTxForUnknownId is false", async () => {
  await csms.ask("ChangeConfiguration", { key: "AllowOfflineTxForUnknownId", value: "false" });
  charger.drop();
  expect(await charger.plugIn(1, { idTag: "A" })).toBeUndefined();
});

/** All that is on its way in this process has arrived: a frame there, its answer, and what is sent upon that. */
async function flushed(): Promise<void> {
  await charger.state.link.socket?.ping();
  await new Promise((resolve) => charger.state.link.socket?.once("pong", resolve));
}
