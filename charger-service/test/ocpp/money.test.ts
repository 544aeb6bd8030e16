import { afterAll, beforeAll, expect, test } from "vitest";
import { type Service, startService } from "../service.ts";
import { openSite, type Site } from "./site.ts";
import type { Station } from "./station.ts";

// Fifty transactions by chargers whose answers get lost, who say everything again and again, out of turn, on new sockets, on either of
// two replicas: in the end there are fifty, and the energy is what was charged. The seed makes a failure come again.

const SEED = 20_261_122;
const CHARGERS = 10;
const TRANSACTIONS_EACH = 5;
const READINGS_EACH = 3;

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

/** Numbers in 0..1 that are the same for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function shuffle<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

interface Message {
  action: string;
  payload: object;
  /** What it was answered first; undefined as long as that never arrived. */
  answer?: object;
}

/** A charger that is unlucky. Answers what it charged, in Wh. */
async function charge(id: string, random: () => number): Promise<number> {
  let station = await site.join(id);
  const said: Message[] = [];
  const reconnect = async (): Promise<void> => {
    // What it takes over in a minute is limited, so it is gone before it comes back.
    await site.gone(id);
    station = await site.connect(id, {}, random() < 0.5 ? other : site.service);
  };
  const repeat = async (of: Station, message: Message): Promise<void> => {
    const answer = await of.result(message.action, message.payload);
    message.answer ??= answer;
    expect(answer).toEqual(message.answer);
  };
  const deliver = async (action: string, payload: object): Promise<object> => {
    const message: Message = { action, payload };
    said.push(message);
    while (message.answer === undefined) {
      const luck = random();
      if (luck < 0.15) {
        station.say([2, String(luck), action, payload]);
        if (luck < 0.1) station.socket.terminate();
        else station.socket.close();
        await reconnect();
      } else if (luck < 0.35) {
        await Promise.all([repeat(station, message), repeat(station, message)]);
      } else if (luck < 0.5) {
        const [before = message] = shuffle(said, random);
        await Promise.all([repeat(station, before), repeat(station, message)]);
      } else {
        await repeat(station, message);
      }
    }
    return message.answer;
  };
  let charged = 0;
  let meter = Math.floor(random() * 1e6);
  let time = Date.now() - 50_000;
  const tick = (): string => {
    time += 1 + Math.floor(random() * 500);
    return new Date(time).toISOString();
  };
  for (let i = 0; i < TRANSACTIONS_EACH; i++) {
    const connectorId = 1 + Math.floor(random() * 2);
    const start = { connectorId, idTag: `${id}-${connectorId}`, meterStart: meter, timestamp: tick() };
    const { transactionId } = (await deliver("StartTransaction", start)) as { transactionId: number };
    for (let n = 0; n < READINGS_EACH; n++) {
      const energy = Math.floor(random() * 5_000);
      meter += energy;
      charged += energy;
      const sampledValue = [random() < 0.5 ? { value: String(meter) } : { value: String(meter / 1000), unit: "kWh" }];
      await deliver("MeterValues", { connectorId, transactionId, meterValue: [{ timestamp: tick(), sampledValue }] });
    }
    await deliver("StopTransaction", { transactionId, meterStop: meter, timestamp: tick() });
  }
  // All of it once more, in any order.
  await Promise.all(shuffle(said, random).map((message) => repeat(station, message)));
  await station.leave();
  return charged;
}

test(`whatever is lost and said again, the energy is what was charged (seed ${SEED})`, async () => {
  const ids = Array.from({ length: CHARGERS }, (_, i) => `P-${i}`);
  const charged = await Promise.all(ids.map((id, i) => charge(id, randomOf(SEED + i))));
  const kept = (await Promise.all(ids.map((id) => site.transactions(id)))).map((all) => ({
    count: all.length,
    energyWh: all.reduce((sum, { energyWh }) => sum + energyWh, 0),
    states: [...new Set(all.map(({ state }) => state))],
    odd: all.flatMap(({ flags }) => flags).filter((flag) => flag !== "ID_TOKEN_UNKNOWN" && flag !== "OFFLINE_START"),
  }));
  expect(kept).toEqual(charged.map((energyWh) => ({ count: TRANSACTIONS_EACH, energyWh, states: ["STOPPED"], odd: [] })));
  const [{ readings }] = await site.rows("select count(*)::int as readings from meter_value");
  expect(readings).toBe(CHARGERS * TRANSACTIONS_EACH * READINGS_EACH);
  const told = (await site.told()).filter(({ type }) => type === "TransactionStarted" || type === "TransactionStopped");
  expect(told.length).toBe(2 * CHARGERS * TRANSACTIONS_EACH);
  expect(new Set(told.map(({ type, subject }) => `${type} ${subject}`)).size).toBe(told.length);
  // Each in its order, and the last word on the energy is the truth.
  const billed = told.filter(({ type }) => type === "TransactionStopped").reduce((sum, { data }) => sum + data.transaction.energyWh, 0);
  expect(billed).toBe(charged.reduce((sum, energyWh) => sum + energyWh, 0));
  const order = told.map(({ type, subject }) => `${subject} ${type}`);
  for (const { subject } of told)
    expect(order.indexOf(`${subject} TransactionStarted`)).toBeLessThan(order.indexOf(`${subject} TransactionStopped`));
});
