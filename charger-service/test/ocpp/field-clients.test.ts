import { v16Catalogue } from "@chargemesh/ocpp/catalogue-v16";
import { RPCClient } from "ocpp-rpc";
import { afterAll, beforeAll, expect, test } from "vitest";
import { commandOf } from "./negative/cases.ts";
import { sample, schemasOf } from "./negative/faults.ts";
import { openSite, type Site } from "./site.ts";
import type { Station } from "./station.ts";

// What clients in the field do: a library that nobody here wrote, strict about every frame of ours, and manners that OCPP does not know.

let site: Site;

beforeAll(async () => {
  site = await openSite();
});
afterAll(() => site?.leave());

test("RPCClient of ocpp-rpc boots, charges, and is asked everything that we may ask", async () => {
  const password = await site.register("F-rpc");
  const client = new RPCClient({
    endpoint: `ws://${site.service.ocppAddress}`,
    identity: "F-rpc",
    password,
    protocols: ["ocpp1.6"],
    strictMode: true,
    reconnect: false,
  });
  const bad: unknown[] = [];
  client.on("badMessage", (event) => bad.push(event));
  client.on("strictValidationFailure", (event) => bad.push(event));
  const answers = schemasOf("conf");
  const actions = Object.entries(v16Catalogue).flatMap(([action, { from }]) => (from === "station" ? [] : [action]));
  for (const action of actions) client.handle(action, () => sample(answers.get(action) ?? {}, "required") as object);
  await client.connect();
  expect(await client.call("BootNotification", { chargePointVendor: "Acme", chargePointModel: "One" })).toMatchObject({
    status: "Accepted",
  });
  await site.addIdToken("FIELD-CARD");
  await client.call("StatusNotification", { connectorId: 1, errorCode: "NoError", status: "Preparing" });
  expect(await client.call("Authorize", { idTag: "field-card" })).toEqual({ idTagInfo: { status: "Accepted" } });
  const time = (): string => new Date().toISOString();
  const start = { connectorId: 1, idTag: "FIELD-CARD", meterStart: 100, timestamp: time() };
  const { transactionId } = await client.call("StartTransaction", start);
  const sampledValue = [{ value: "350", context: "Sample.Periodic" }];
  await client.call("MeterValues", { connectorId: 1, transactionId, meterValue: [{ timestamp: time(), sampledValue }] });
  for (const action of actions) {
    const command = await site.command({ chargerId: "F-rpc", action, payload: commandOf(action), waitSeconds: 10 });
    // Whatever the first word of its enumeration is, it is an answer.
    expect([action, command.state, command.errorCode]).toEqual([action, expect.stringMatching(/^(ACCEPTED|REJECTED)$/), ""]);
  }
  expect(await client.call("StopTransaction", { transactionId, meterStop: 600, timestamp: time() })).toEqual({});
  expect(await site.transaction(transactionId)).toMatchObject({ state: "STOPPED", energyWh: 500, flags: [] });
  expect(bad).toEqual([]);
  await client.close();
});

test("a text where the details of an error should be is taken for what it is", async () => {
  const station = await site.join("F-details", { react: () => undefined });
  for (const details of ['"a text"', "null", "[]", "7"]) {
    const asking = site.command({ chargerId: "F-details", action: "ClearCache", payload: {}, waitSeconds: 10 });
    const { id } = await station.isAsked("ClearCache", station.asked.filter(({ action }) => action === "ClearCache").length);
    station.say(`[4,"${id}","NotSupported","not here",${details}]`);
    expect(await asking).toMatchObject({ state: "FAILED", errorCode: "NotSupported", errorDescription: "not here" });
  }
  expect(await station.result("Heartbeat", {})).toEqual({ currentTime: expect.any(String) });
  await station.leave();
});

test("two CALLs at once, over a socket for which compression was offered, are answered in their order", async () => {
  // `ws` offers permessage-deflate unless it is told not to.
  const station = await site.join("F-two");
  const before = station.frames.length;
  const status = { connectorId: 1, errorCode: "NoError", status: "Available" };
  await Promise.all([station.call("StatusNotification", status, "first"), station.call("Heartbeat", {}, "second")]);
  expect(station.frames.slice(before).map(([type, id]) => [type, id])).toEqual([
    [3, "first"],
    [3, "second"],
  ]);
  await station.leave();
});

test.each<[string, (id: string) => Promise<unknown>]>([
  ["all at once", (id) => Promise.all(Array.from({ length: 50 }, () => comeAndGo(id)))],
  [
    "one after the other",
    async (id) => {
      for (let i = 0; i < 50; i++) await comeAndGo(id);
    },
  ],
])("a charger that reconnects fifty times, %s, is let in again", { timeout: 60_000 }, async (how, reconnect) => {
  const id = `F-${how.replaceAll(" ", "-")}`;
  await site.register(id);
  await reconnect(id);
  const station = await site.connect(id);
  expect(await station.boot()).toMatchObject({ status: "Accepted" });
  expect(await site.charger(id)).toMatchObject({ connected: true });
  await station.leave();
});

/** It may be refused for a while: too many take its identity from each other. */
async function comeAndGo(id: string): Promise<void> {
  const station = await site.connect(id).catch((): Station | undefined => undefined);
  station?.socket.terminate();
}
