import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const hasProc = existsSync("/proc/self/cmdline");
const POLL_MS = 50;

/** The command line of a process, of whoever it is; empty if there is none, or it has ended and nobody has noticed. */
export function commandOf(pid: number): string {
  if (!hasProc) return spawnSync("ps", ["-o", "command=", "-p", String(pid)], { encoding: "utf8" }).stdout.trim();
  return readOr("", () => readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim());
}

/** The folder in which a process works; undefined where that cannot be read. */
export function folderOf(pid: number): string | undefined {
  return readOr(undefined, () => readlinkSync(`/proc/${pid}/cwd`));
}

/** The number in the first line of a pid file; undefined if there is no such file. */
export function pidIn(file: string): number | undefined {
  const pid = Number.parseInt(
    readOr("", () => readFileSync(file, "utf8")),
    10,
  );
  return pid > 0 ? pid : undefined;
}

/** Ends a process that is not our child, by force after `graceMs`. Resolves when it is gone. */
export async function endProcess(pid: number, signal: NodeJS.Signals, graceMs = 10_000): Promise<void> {
  const command = commandOf(pid);
  // Its number may be another's soon, so every signal is for this command line only.
  const isThere = (): boolean => command !== "" && commandOf(pid) === command;
  if (isThere()) process.kill(pid, signal);
  for (const end = Date.now() + graceMs; isThere() && Date.now() < end; ) await sleep(POLL_MS);
  while (isThere()) {
    process.kill(pid, "SIGKILL");
    await sleep(POLL_MS);
  }
}

/** What a file or a link says, or `instead` if it is not there or not for us to read. */
function readOr<T>(instead: T, read: () => T): T {
  try {
    return read();
  } catch {
    return instead;
  }
}
