import { afterAll, beforeAll, expect, test } from "vitest";
import { type Charged, charge } from "./exactly-once/charger.ts";
import { openLine } from "./exactly-once/line.ts";
import { type Servers, startServers } from "./exactly-once/servers.ts";
import { randomOf } from "./random.ts";
import { openSite, type Site } from "./site.ts";

// Chargers whose frames and answers get lost, come twice, late and out of turn, over sockets that break and that take over from each other,
// on replicas that are killed, with clocks that were never set: in the end every transaction is there once, with what was charged.
// A short run is part of every test run; `make test-exactly-once` has a thousand transactions, and another seed each time.

const TRANSACTIONS = Number(process.env.TRANSACTIONS ?? 60);
const SEED = Number(process.env.SEED ?? 1);
const EACH = Math.min(20, TRANSACTIONS / 10);
const CHARGERS = Math.ceil(TRANSACTIONS / EACH);
const REPLICAS = TRANSACTIONS > 100 ? 2 : 1;
const KILLS = TRANSACTIONS > 100 ? 8 : 1;

let site: Site;
let servers: Servers;

beforeAll(async () => {
  site = await openSite();
  servers = await startServers(site, REPLICAS);
});
afterAll(async () => {
  await servers?.stop();
  await site?.leave();
});

test(
  `${CHARGERS * EACH} transactions are kept exactly once, whatever happens on the way: seed ${SEED}`,
  async () => {
    const fate = randomOf(SEED);
    const ids = Array.from({ length: CHARGERS }, (_, i) => `X-${i}`);
    let done = 0;
    let kills = 0;
    let killing: Promise<void> = Promise.resolve();
    const count = (): void => {
      done++;
      if (kills >= KILLS || done < ((kills + 1) * CHARGERS * EACH) / (KILLS + 1)) return;
      kills++;
      killing = killing.then(() => servers.kill(fate, TRANSACTIONS > 100));
    };
    const run = async (id: string, i: number): Promise<Charged[]> => {
      const random = randomOf(SEED * 1_000 + i);
      await site.register(id);
      const build = { hasClock: i % 3 !== 0, keepsMeter: i % 6 !== 0 };
      const line = await openLine(site, servers, id, random);
      const charged = await charge(id, line, build, EACH, random, count);
      await line.leave();
      return charged;
    };
    const charged = (await Promise.all(ids.map(run))).flat().toSorted((a, b) => a.transactionId - b.transactionId);
    await killing;
    expect(kills).toBe(KILLS);
    expect(new Set(charged.map(({ transactionId }) => transactionId)).size).toBe(CHARGERS * EACH);
    await expectBooks(charged, ids);
    await expectEvents(charged);
  },
  TRANSACTIONS * 300 + 60_000,
);

async function expectBooks(charged: readonly Charged[], ids: readonly string[]): Promise<void> {
  const kept = (await Promise.all(ids.map((id) => site.transactions(id)))).flat().toSorted((a, b) => Number(a.id) - Number(b.id));
  expect(kept.map(({ id, state, energyWh }) => ({ transactionId: Number(id), state, energyWh }))).toEqual(
    charged.map(({ transactionId, energyWh }) => ({ transactionId, state: "STOPPED", energyWh })),
  );
  const odd = kept.flatMap(({ flags }) => flags).filter((flag) => !EXPECTED_FLAGS.includes(flag));
  expect(odd).toEqual([]);
  const rows = await site.rows("select transaction_id, count(*)::int as readings from meter_value group by 1 order by 1");
  const wanted = charged.filter(({ readings }) => readings > 0);
  expect(rows.map(({ transaction_id, readings }) => [Number(transaction_id), readings])).toEqual(
    wanted.map(({ transactionId, readings }) => [transactionId, readings]),
  );
}

/** What these transactions may be flagged with; the rest would say that something was taken for what it is not. */
const EXPECTED_FLAGS: readonly string[] = ["ID_TOKEN_UNKNOWN", "OFFLINE_START", "CLOCK_UNSET", "STOP_BEFORE_START"];

async function expectEvents(charged: readonly Charged[]): Promise<void> {
  const told = (await site.told()).filter(({ type }) => type === "TransactionStarted" || type === "TransactionStopped");
  expect(new Set(told.map(({ id }) => id)).size).toBe(told.length);
  // That a stop was missing is concluded at most once, before the stop comes after all.
  const isConclusion = ({ data }: { data: { transaction: { flags: string[] } } }): boolean =>
    data.transaction.flags.includes("STOP_MISSING");
  const concluded = told.filter((event) => event.type === "TransactionStopped" && isConclusion(event)).map(({ subject }) => subject);
  expect(new Set(concluded).size).toBe(concluded.length);
  const said = Map.groupBy(
    told.filter((event) => !isConclusion(event)),
    ({ subject }) => subject,
  );
  const wanted = charged.map(({ transactionId, energyWh }) => [
    String(transactionId),
    ["TransactionStarted", `TransactionStopped ${energyWh}`],
  ]);
  const found = charged.map(({ transactionId }) => {
    const events = said.get(String(transactionId)) ?? [];
    return [
      String(transactionId),
      events.map(({ type, data }) => (type === "TransactionStopped" ? `${type} ${data.transaction.energyWh ?? 0}` : type)),
    ];
  });
  expect(found).toEqual(wanted);
  expect(said.size).toBe(charged.length);
}
