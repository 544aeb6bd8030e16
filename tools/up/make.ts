import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 500;
/** SIGINT in the masks of /proc: bit 0 is signal 1. */
const SIGINT_BIT = 1n << 1n;

/**
 * Resolves when the `make` that runs us was interrupted and we were not, as by `kill -INT`: it then gives its handler back and waits for us
 * to end, but passes nothing on. Only Linux lets us see that.
 */
export async function makeInterrupted(): Promise<void> {
  const make = `/proc/${process.ppid}`;
  if (!existsSync(`${make}/comm`) || !readFileSync(`${make}/comm`, "utf8").includes("make") || !catchesInterrupt(make))
    return new Promise(() => undefined);
  while (catchesInterrupt(make)) await sleep(POLL_MS, undefined, { ref: false });
}

function catchesInterrupt(folder: string): boolean {
  const [, mask] = /^SigCgt:\s*([0-9a-f]+)/m.exec(readFileSync(`${folder}/status`, "utf8")) ?? [];
  return mask !== undefined && (BigInt(`0x${mask}`) & SIGINT_BIT) !== 0n;
}
