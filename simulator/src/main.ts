import { setTimeout as sleep } from "node:timers/promises";
import { ConfigError, readConfig } from "./config.ts";
import { type Demo, DemoError, prepareDemo } from "./demo.ts";
import { type Fleet, runFleet } from "./fleet.ts";
import { makeReport } from "./report.ts";
import { Unreachable } from "./rest.ts";

/** Decides every life of the demo. */
const SEED = "demo";
/** How long to wait before the system is asked again, in ms. */
const AGAIN_MS = 2_000;
/** However the chargers take it, a stop takes no longer, in ms. */
const STOP_MS = 1_600;

let fleet: Fleet | undefined;
let stopping = false;

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const demo = await untilPrepared(() => prepareDemo(config));
  if (stopping) return;
  console.log(`${demo.chargers.length} chargers, ${demo.tokens.length} id tokens, ${config.speed} times as fast as in life`);
  fleet = runFleet({ ...demo, seed: SEED, speed: config.speed, onEvent: makeReport((line) => console.log(line), Date.now) });
}

async function untilPrepared(prepare: () => Promise<Demo>): Promise<Demo> {
  for (;;) {
    try {
      return await prepare();
    } catch (err) {
      if (!(err instanceof Unreachable)) throw err;
      console.log(`waiting: ${err.message}`);
      await sleep(AGAIN_MS);
    }
  }
}

async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  setTimeout(() => process.exit(0), STOP_MS).unref();
  await fleet?.stop();
  process.exit(0);
}

for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void stop());
main().catch((err: unknown) => {
  // What people can do something about is one sentence; anything else is a bug and shows its stack.
  console.error(err instanceof ConfigError || err instanceof DemoError ? `Error: ${err.message}` : err);
  process.exit(1);
});
