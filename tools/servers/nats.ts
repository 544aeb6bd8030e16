import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./free-port.ts";
import { launch, type Running } from "./launch.ts";
import { findNatsServer } from "./nats-binary.ts";
import { commandOf, endProcess, pidIn } from "./processes.ts";
import { StartError } from "./start-error.ts";

/** A NATS server of our own on 127.0.0.1, with JetStream. `url` carries its user and password. */
export type Nats = Running & { readonly url: string; readonly port: number; readonly version: string };

export type NatsOptions = {
  /** Its configuration and what JetStream stores. Made if it is not there. */
  readonly dir: string;
  /** 0 means any free one. */
  readonly port: number;
  /** Letters, digits, `-` and `_`. */
  readonly password: string;
  readonly logFile: string;
  readonly note: (line: string) => void;
};

const USER = "chargemesh";
/** How long it may take to read what it has stored, in ms. */
const READY_MS = 60_000;
const POLL_MS = 25;

/** Starts NATS on what it has stored, and resolves when it takes clients. Throws StartError with the reason if it does not. */
export async function startNats({ dir, port: wanted, password, logFile, note }: NatsOptions): Promise<Nats> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  await endLeftover(dir);
  const { command, version } = await findNatsServer(note);
  const port = await freePort(wanted);
  writeFileSync(configFile(dir), configuration(dir, port, password), { mode: 0o600 });
  const server = await launch({ command, args: ["-c", configFile(dir)], stopSignal: "SIGINT", output: logFile });
  if (!(await answers(port, server))) {
    await server.stop();
    const reason =
      readFileSync(logFile, "utf8")
        .match(/(?:\[FTL\]|nats-server:) (.+)/g)
        ?.at(-1) ?? "it does not answer";
    throw new StartError(`NATS did not start: ${reason} (log: ${logFile}).`);
  }
  return { ...server, url: `nats://${USER}:${password}@127.0.0.1:${port}`, port, version };
}

function configFile(dir: string): string {
  return join(dir, "nats.conf");
}

function configuration(dir: string, port: number, password: string): string {
  return [
    `listen: "127.0.0.1:${port}"`,
    `pid_file: ${JSON.stringify(join(dir, "nats.pid"))}`,
    `authorization { user: ${USER}, password: "${password}" }`,
    `jetstream { store_dir: ${JSON.stringify(dir)} }`,
    "",
  ].join("\n");
}

/** Two servers on one store would spoil it. */
async function endLeftover(dir: string): Promise<void> {
  const pid = pidIn(join(dir, "nats.pid"));
  if (pid !== undefined && commandOf(pid).includes(configFile(dir))) await endProcess(pid, "SIGINT");
}

/** Waits for the line with which the server greets; JetStream is ready by then. False if it ends before. */
async function answers(port: number, server: Running): Promise<boolean> {
  let ended = false;
  void server.exited.then(() => {
    ended = true;
  });
  for (const end = Date.now() + READY_MS; !ended && Date.now() < end; await sleep(POLL_MS)) {
    if (await greets(port)) return true;
  }
  return false;
}

function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const done = (isNats: boolean): void => {
      socket.destroy();
      resolve(isNats);
    };
    socket.once("data", (line) => done(line.toString().startsWith("INFO ")));
    socket.once("error", () => done(false));
    socket.once("close", () => done(false));
  });
}
