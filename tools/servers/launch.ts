import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import type { Readable } from "node:stream";
import { guard, release } from "./reaper.ts";
import { StartError } from "./start-error.ts";

/** How a process ended. */
export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

/** A process that we started. */
export type Running = {
  readonly pid: number;
  /** Resolves when it has ended, and never rejects. */
  readonly exited: Promise<Exit>;
  /** Sends a signal; nothing happens if it has ended. */
  kill(signal: NodeJS.Signals): void;
  /** Asks it to end, by force after `graceMs`. Resolves when it has ended. */
  stop(graceMs?: number): Promise<void>;
};

/** What to start. `output` gets what it writes: a file that is appended to, or whoever reads both streams. */
export type Launch = {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly user?: { uid: number; gid: number } | undefined;
  readonly stopSignal: NodeJS.Signals;
  readonly output: string | ((stdout: Readable, stderr: Readable) => void);
};

const GRACE_MS = 5_000;

/** Every process that we started and that has not ended. */
const alive = new Set<Running>();
let isClosed = false;

/** From now on nothing can be started: we are ending, and whatever is in the making shall fail. */
export function closeLaunches(): void {
  isClosed = true;
}

/**
 * Starts a process in a session of its own, so that Ctrl-C reaches us alone and we end it in our order; it does not outlive us.
 * Rejects if it cannot be started (ENOENT, EACCES).
 */
export async function launch({ command, args, cwd, env, user, stopSignal, output }: Launch): Promise<Running> {
  if (isClosed) throw new StartError("Nothing is started any more.");
  const file = typeof output === "string" ? openSync(output, "a", 0o600) : undefined;
  const child = spawn(command, args, {
    ...(cwd !== undefined && { cwd }),
    env: env ?? process.env,
    ...user,
    detached: true,
    stdio: ["ignore", file ?? "pipe", file ?? "pipe"],
  });
  if (file !== undefined) closeSync(file);
  if (typeof output === "function" && child.stdout && child.stderr) output(child.stdout, child.stderr);
  // Not before all that it wrote has been read.
  const exited = new Promise<Exit>((resolve) => child.once("close", (code, signal) => resolve({ code, signal })));
  await once(child, "spawn");
  const pid = child.pid ?? 0;
  guard(pid, stopSignal);
  const running: Running = {
    pid,
    exited,
    kill: (signal) => void child.kill(signal),
    async stop(graceMs = GRACE_MS) {
      child.kill(stopSignal);
      const force = setTimeout(() => child.kill("SIGKILL"), graceMs);
      await exited;
      clearTimeout(force);
    },
  };
  alive.add(running);
  void exited.then(() => {
    release(pid);
    alive.delete(running);
  });
  return running;
}

/** Runs a program to its end. Resolves with how it ended and all it wrote; rejects if it cannot be started. */
export async function run(what: Omit<Launch, "output" | "stopSignal">): Promise<Exit & { output: string }> {
  let text = "";
  const read = (stream: Readable): void => {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
  };
  const output = (...streams: Readable[]): void => streams.forEach(read);
  const program = await launch({ ...what, stopSignal: "SIGTERM", output });
  return { ...(await program.exited), output: text };
}

/** Ends by force whatever has been started and not been stopped, and waits for it. */
export async function killAll(): Promise<void> {
  await Promise.all([...alive].map((running) => running.stop(0)));
}

/** A way to end, as people say it. */
export function describeExit({ code, signal }: Exit): string {
  return signal === null ? `exit code ${code}` : `killed by ${signal}`;
}
