// `make up`: starts Postgres, NATS, the services, and what they need, on nothing but Node, and ends them again. README.md says more.
// With --demo simulated chargers too; with --migrate only the database is brought up to date; with --reset the data is removed.

import { rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { closeLaunches, killAll } from "./servers/launch.ts";
import { StartError } from "./servers/start-error.ts";
import { type Folders, layOutFolders } from "./up/folders.ts";
import { takeLock } from "./up/lock.ts";
import { makeInterrupted } from "./up/make.ts";
import { keepSecrets } from "./up/secrets.ts";
import { readSettings } from "./up/settings.ts";
import { startAll, startServers } from "./up/start.ts";
import { makeSystem, type System } from "./up/system.ts";
import { openTerminal, seconds } from "./up/terminal.ts";

/** How long the last lines of the logs may take, in ms. */
const EXIT_MS = 1_000;

const { values: options } = parseArgs({ options: { demo: { type: "boolean" }, migrate: { type: "boolean" }, reset: { type: "boolean" } } });
const terminal = openTerminal(process.stdout);
const stopped = new Promise<void>((resolve) => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => resolve());
  makeInterrupted().then(resolve, resolve);
});

try {
  await main();
} catch (err) {
  process.exitCode = 1;
  console.error(err instanceof StartError ? `\n${err.message}` : err);
}
// The logs are still being written; nothing else should hold us.
setTimeout(() => process.exit(), EXIT_MS).unref();

async function main(): Promise<void> {
  const folders = layOutFolders(process.cwd());
  const unlock = takeLock(folders);
  try {
    if (options.reset) {
      rmSync(folders.data, { recursive: true });
      terminal.line(`removed ${folders.data}`);
    } else await run(folders);
  } finally {
    unlock();
  }
}

async function run(folders: Folders): Promise<void> {
  const system = makeSystem();
  const plan = { folders, settings: readSettings(folders.root, process.env), secrets: keepSecrets(folders.secrets), terminal, system };
  terminal.line(options.migrate ? "Chargemesh: bringing the tables up to date" : "Chargemesh is starting");
  const work = options.migrate ? startServers(plan) : startAll(plan, options.demo === true).then(() => system.lost);
  try {
    await Promise.race([work, system.lost, stopped]);
  } finally {
    await end(system);
  }
}

async function end(system: System): Promise<void> {
  const start = performance.now();
  closeLaunches();
  if (!system.isEmpty()) terminal.line("\nending");
  await system.stop();
  // What was still in the making.
  await killAll();
  if (!system.isEmpty()) terminal.line(`ended after ${seconds(performance.now() - start)}`);
}
