import { join } from "node:path";
import type { CloudEvent } from "@chargemesh/kit/cloud-event";
import { connect } from "nats";
import { afterAll, beforeAll, expect, test } from "vitest";
import { randomOf } from "../../charger-service/test/ocpp/random.ts";
import { makeFolder } from "../../tools/test/folder.ts";
import { eventually } from "../rest.ts";
import { charge, type Told } from "./charging.ts";
import { type Line, toldBy } from "./programs/told.ts";
import { type Program, type Servers, startServers } from "./servers.ts";

// Transactions whose events must reach their readers while NATS, whoever publishes and whoever reads are killed: each arrives, those of a
// charger in order, and what is done about each is done once. A short run is part of every test run; `make test-events` has ten thousand
// transactions, and another seed each time.

const TRANSACTIONS = Number(process.env.TRANSACTIONS ?? 120);
const SEED = Number(process.env.SEED ?? 1);
const IS_LONG = TRANSACTIONS > 1_000;
const CHARGERS = IS_LONG ? 50 : 10;
const STRIKES = IS_LONG ? 60 : 3;
const AWAY_MS = IS_LONG ? 1_500 : 300;
/** What is killed. An event that a killed subscriber had in hand comes again after half a minute: too long for a short run. */
const MORTAL: readonly Program[] = ["publisher", "publisher", "follower", ...(IS_LONG ? (["subscriber", "subscriber"] as const) : [])];
const SPARED: readonly Program[] = IS_LONG ? [] : ["subscriber"];

let servers: Servers;

beforeAll(async () => {
  servers = await startServers(MORTAL, SPARED, join(makeFolder(), "programs.log"));
});
afterAll(() => servers?.stop());

test(
  `the events of ${TRANSACTIONS} transactions arrive once and in order, whatever is killed on the way: seed ${SEED}`,
  async () => {
    const fate = randomOf(SEED);
    const struck: string[] = [];
    let done = 0;
    let due = 0;
    let striking: Promise<void> = Promise.resolve();
    const count = (): void => {
      done++;
      if (due >= STRIKES || done < ((due + 1) * TRANSACTIONS) / (STRIKES + 1)) return;
      due++;
      striking = striking.then(async () => void struck.push(await servers.strike(fate, AWAY_MS)));
    };
    const told = await charge(servers.database, CHARGERS, TRANSACTIONS, count);
    await striking;
    expect(struck).toHaveLength(STRIKES);
    const expected = [...told.values()].flat().length;
    expect(expected).toBe(3 * TRANSACTIONS);
    await eventually(async () => (await kept()) >= 2 * expected);
    await expectOrder(told);
    await expectEffects(told);
    expect(await servers.books("select from ocpp.outbox")).toEqual([]);
  },
  IS_LONG ? 1_200_000 : 60_000,
);

/** How many effects there are. */
async function kept(): Promise<number> {
  const [row] = await servers.books<{ count: number }>("select count(*)::int from chaos.effect");
  return row?.count ?? 0;
}

/** Each event is in its stream once, in the journal once, and was followed once; those of a charger in the order of what happened there. */
async function expectOrder(told: Told): Promise<void> {
  const expected = Object.fromEntries(told);
  expect(byCharger(await messagesOf("chargemesh_charger_v1"))).toEqual(expected);
  expect(byCharger(await messagesOf("chargemesh_journal"))).toEqual(expected);
  const followed = await servers.books<Line>(
    `select charger_id as "chargerId", what from chaos.effect where consumer = 'follower' order by position`,
  );
  expect(byCharger(followed)).toEqual(expected);
}

/** The effects of a charger's events were added up as often as there are events, by each consumer. */
async function expectEffects(told: Told): Promise<void> {
  for (const consumer of ["follower", "subscriber"]) {
    const tallies = await servers.books<{ charger_id: string; count: number }>(
      "select charger_id, count from chaos.tally where consumer = $1",
      [consumer],
    );
    const counts = Object.fromEntries(tallies.map(({ charger_id, count }) => [charger_id, count]));
    expect(counts).toEqual(Object.fromEntries([...told].map(([id, mine]) => [id, mine.length])));
  }
}

function byCharger(lines: readonly Line[]): Record<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { chargerId, what } of lines) found.set(chargerId, [...(found.get(chargerId) ?? []), what]);
  return Object.fromEntries(found);
}

/** All that a stream has. */
async function messagesOf(stream: string): Promise<Line[]> {
  const { host, username, password } = new URL(servers.nats.url);
  const connection = await connect({ servers: host, user: username, pass: password });
  const { state } = await (await connection.jetstreamManager()).streams.info(stream);
  const consumer = await connection.jetstream().consumers.get(stream);
  const lines: Line[] = [];
  while (lines.length < state.messages)
    for await (const message of await consumer.fetch({ max_messages: Math.min(1_000, state.messages - lines.length), expires: 5_000 }))
      lines.push(toldBy(message.json<CloudEvent>()));
  await connection.close();
  return lines;
}
