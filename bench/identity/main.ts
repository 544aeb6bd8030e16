import { randomInt } from "node:crypto";
import { startSystem } from "../edge/system.ts";

// `make bench-identity`: whether the time that a refused sign-in or a password reset takes tells if there is such an account.

const ACCOUNTS = Number(process.env.ACCOUNTS ?? 200);
/** Asked for before anything is measured: connections, compiled code. */
const WARM_UP = 20;
const PASSWORD = "seven purple herons";

/** A caller of the system at `rest`, each time from another address, by the word of a proxy that the gateway trusts. */
function callerOf(rest: string): (path: string, body: object) => Promise<number> {
  let calls = 0;
  return async (path, body) => {
    calls++;
    const address = `10.${(calls >> 16) & 255}.${(calls >> 8) & 255}.${calls & 255}`;
    const response = await fetch(rest + path, {
      method: "POST",
      headers: { "content-type": "application/json", "x-forwarded-for": address },
      body: JSON.stringify(body),
    });
    await response.arrayBuffer();
    return response.status;
  };
}

/** How long something takes, for accounts that there are and for those that there are not, in ms. */
interface Times {
  existing: number[];
  missing: number[];
}

async function main(): Promise<void> {
  const system = await startSystem({ TRUSTED_PROXIES: "127.0.0.1" });
  try {
    const call = callerOf(system.rest);
    const ask = {
      "a wrong password": (username: string) => call("/auth/login", { username, password: "eight yellow otters" }),
      "a password reset": (username: string) => call("/auth/password:requestReset", { username }),
    };
    for (let i = 0; i < ACCOUNTS + WARM_UP; i++) {
      const username = `existing-${i}@example.com`;
      const status = await call("/auth/signup", { username, password: PASSWORD });
      if (status !== 200) throw new Error(`sign-up answered ${status}`);
    }
    console.log(
      `${ACCOUNTS} accounts that there are and ${ACCOUNTS} that there are not, each asked once, one after the other, in any order\n`,
    );
    for (const [name, one] of Object.entries(ask)) report(name, await measure(one));
  } finally {
    await system.stop();
  }
}

async function measure(ask: (username: string) => Promise<number>): Promise<Times> {
  const times: Times = { existing: [], missing: [] };
  const order = Array.from({ length: ACCOUNTS }, (_, i) => [`existing-${i}`, `missing-${i}`]).flat();
  const warmUp = Array.from({ length: WARM_UP }, (_, i) => [`existing-${ACCOUNTS + i}`, `missing-${ACCOUNTS + i}`]).flat();
  const statuses = new Set<number>();
  for (const name of [...warmUp, ...shuffled(order)]) {
    const start = performance.now();
    statuses.add(await ask(`${name}@example.com`));
    const ms = performance.now() - start;
    if (!warmUp.includes(name)) times[name.startsWith("existing") ? "existing" : "missing"].push(ms);
  }
  if (statuses.size !== 1) throw new Error(`the answers differ: ${[...statuses].join(", ")}`);
  return times;
}

function report(name: string, { existing, missing }: Times): void {
  const difference = mean(existing) - mean(missing);
  const noise = Math.sqrt((deviation(existing) ** 2 + deviation(missing) ** 2) / 2);
  const error = Math.sqrt((deviation(existing) ** 2 + deviation(missing) ** 2) / ACCOUNTS);
  console.log(name);
  for (const [who, times] of Object.entries({ existing, missing }))
    console.log(
      `  ${who.padEnd(9)} median ${median(times).toFixed(2)} ms, mean ${mean(times).toFixed(2)} ms, deviation ${deviation(times).toFixed(2)} ms`,
    );
  console.log(
    `  difference of the means ${difference.toFixed(2)} ms ± ${error.toFixed(2)} ms, ${(Math.abs(difference) / noise).toFixed(2)} of the noise`,
  );
  console.log(`  one look tells which is which in ${(100 * rightGuesses(existing, missing)).toFixed(1)} % of all pairs (50 % is chance)\n`);
}

const mean = (times: readonly number[]): number => times.reduce((sum, ms) => sum + ms, 0) / times.length;
const median = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
const deviation = (times: readonly number[]): number => Math.sqrt(mean(times.map((ms) => (ms - mean(times)) ** 2)));

/** The part of all pairs in which the existing one took longer: what the best guess by time is worth. */
function rightGuesses(existing: readonly number[], missing: readonly number[]): number {
  const longer = existing.reduce((sum, a) => sum + missing.filter((b) => a > b).length + missing.filter((b) => a === b).length / 2, 0);
  return longer / (existing.length * missing.length);
}

function shuffled<T>(items: readonly T[]): T[] {
  const rest = [...items];
  return Array.from(items, () => rest.splice(randomInt(rest.length), 1)).flat();
}

await main();
