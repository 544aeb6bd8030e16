import { v16Catalogue } from "@chargemesh/ocpp/catalogue-v16";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../../test/rest.ts";
import { freePort } from "../../../tools/servers/free-port.ts";
import { deadlyFrame, wildAnswer, wildFrame } from "./fuzz/frames.ts";
import { type Inspector, inspect } from "./fuzz/inspector.ts";
import { commandOf } from "./negative/cases.ts";
import { type Random, randomOf } from "./random.ts";
import { type Replica, startReplica } from "./replica.ts";
import { openSite, type Site } from "./site.ts";
import type { Station } from "./station.ts";

// charger-service as a process of its own, under chargers that say what nobody should. A short run is part of every test run;
// `make fuzz-ocpp` goes on for a minute, with another seed each time.

const SECONDS = Number(process.env.FUZZ_SECONDS ?? 2);
const SEED = Number(process.env.FUZZ_SEED ?? 1);
const SOCKETS = 6;
/** Wild frames between two moments in which every good frame must have been answered. */
const ROUND = 25;
const GROWN_MIB_MAX = 12;
/** How long a good frame may take among so many others, in ms. */
const PATIENCE_MS = 20_000;
const ENDS: readonly string[] = ["ACCEPTED", "REJECTED", "FAILED", "TIMED_OUT", "EXPIRED"];

const commands = Object.entries(v16Catalogue).flatMap(([action, { from }]) => (from === "station" ? [] : [action]));

let site: Site;
let replica: Replica;
let inspector: Inspector;
let logged = "";

beforeAll(async () => {
  const port = await freePort();
  site = await openSite();
  const vars = { OCPP_CALL_SECONDS: "1", OCPP_FRAMES_PER_SECOND: "2000", LOG_LEVEL: "error" };
  replica = await startReplica(site.place, vars, { nodeArgs: [`--inspect=127.0.0.1:${port}`], log: (text) => (logged += text) });
  inspector = await inspect(port);
});
afterAll(async () => {
  inspector?.close();
  replica?.process.kill("SIGKILL");
  await replica?.process.exited;
  await site?.leave();
});

/** Good frames, which must be answered with a CALLRESULT whatever comes before and behind them. */
const good: readonly [action: string, payload: object][] = [
  ["Heartbeat", {}],
  ["Authorize", { idTag: "SOMEBODY" }],
  ["StatusNotification", { connectorId: 1, errorCode: "NoError", status: "Available" }],
  ["MeterValues", { connectorId: 1, meterValue: [{ timestamp: "2026-11-22T12:00:00Z", sampledValue: [{ value: "1" }] }] }],
];

interface Tally {
  frames: number;
  good: number;
  sockets: number;
  commands: number;
  /** CALLERRORs that say that something went wrong on our side, and commands that did not end. */
  bugs: unknown[];
}

/** Waits for what must happen, but not for ever. */
async function soon(what: string, happening: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${PATIENCE_MS} ms: ${what}`)), PATIENCE_MS);
  });
  await Promise.race([happening, late]).finally(() => clearTimeout(timer));
}

/** One charger, until the time is up. */
async function rave(id: string, random: Random, until: number, tally: Tally): Promise<void> {
  const connect = async (): Promise<Station> => {
    tally.sockets++;
    const station = await site.connect(id, { react: () => undefined }, replica);
    station.socket.on("message", (data) => {
      const [type, messageId, action, ...rest] = JSON.parse(String(data));
      if (type === 2) station.say(wildAnswer(random, messageId, action));
      if (type === 4 && action === "InternalError") tally.bugs.push([messageId, ...rest]);
    });
    return station;
  };
  let station = await connect();
  await station.boot();
  while (performance.now() < until) {
    const answers: Promise<unknown>[] = [];
    for (let i = 0; i < ROUND; i++) {
      const frame = wildFrame(random);
      // Bytes as what they are, or as a text that is no UTF-8.
      station.socket.send(frame, { binary: Buffer.isBuffer(frame) && random.chance(0.5) });
      const [action, payload] = random.pick(good);
      answers.push(station.result(action, payload));
    }
    await soon("a good frame is answered", Promise.all(answers));
    tally.frames += ROUND;
    tally.good += ROUND;
    station.frames.length = 0;
    station.asked.length = 0;
    if (random.chance(0.03)) {
      station.socket.send(deadlyFrame);
      await soon("the socket is closed", station.closed);
      await soon("the charger is gone", site.gone(id));
      station = await connect();
    }
  }
  await station.leave();
}

/** Asks it for things meanwhile, whose answers are wild as well. */
async function ask(id: string, random: Random, until: number, tally: Tally): Promise<void> {
  while (performance.now() < until) {
    const action = random.pick(commands);
    const command = await site.command({ chargerId: id, action, payload: commandOf(action), waitSeconds: 10 });
    if (!ENDS.includes(command.state)) tally.bugs.push(command);
    tally.commands++;
  }
}

test(
  `nothing that is said for ${SECONDS} s makes the service fail or grow, or costs a good frame: seed ${SEED}`,
  async () => {
    const ids = Array.from({ length: SOCKETS }, (_, i) => `Z-${i}`);
    for (const id of ids) await site.register(id);
    const tally: Tally = { frames: 0, good: 0, sockets: 0, commands: 0, bugs: [] };
    const spend = async (ms: number, seed: number): Promise<void> => {
      const until = performance.now() + ms;
      const raving = ids.map((id, i) => rave(id, randomOf(seed + i), until, tally));
      const asking = ids.map((id, i) => ask(id, randomOf(seed + SOCKETS + i), until, tally));
      await Promise.all([...raving, ...asking]);
    };
    // Caches and compiled code fill up first.
    await spend(SECONDS * 400, SEED * 1_000);
    const before = await inspector.usage();
    await spend(SECONDS * 600, SEED * 1_000 + 500);
    const seen = JSON.stringify(tally);
    expect(tally.frames, seen).toBeGreaterThan(SECONDS * 30);
    expect(tally.commands, seen).toBeGreaterThan(SECONDS);
    expect([tally.bugs, logged]).toEqual([[], ""]);
    // What is written by the second may still be in hand.
    const after = await eventually(async () => {
      const usage = await inspector.usage();
      return usage.heap - before.heap < GROWN_MIB_MAX && usage;
    });
    expect(after.rss - before.rss, seen).toBeLessThan(100);
    const station = await site.connect("Z-0", {}, replica);
    expect(await station.boot()).toMatchObject({ status: "Accepted" });
    await station.leave();
  },
  SECONDS * 1_000 + 60_000,
);
