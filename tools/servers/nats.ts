import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./free-port.ts";
import { launch, type Running } from "./launch.ts";
import { findNatsServer } from "./nats-binary.ts";
import { commandOf, endProcess, pidIn } from "./processes.ts";
import { StartError } from "./start-error.ts";

/** A password for each user of deploy/nats.conf. */
export type NatsPasswords = Readonly<Record<"auth" | "charger" | "email", string>>;

/** A NATS server of our own on 127.0.0.1, with JetStream. `url` carries user and password, if there is but one user. */
export type Nats = Running & { readonly url: string; readonly port: number; readonly version: string };

export type NatsOptions = {
  /** Its configuration and what JetStream stores. Made if it is not there. */
  readonly dir: string;
  /** 0 means any free one. */
  readonly port: number;
  /** Letters, digits, `-` and `_`: of a single user, who may do anything, or of those in deploy/nats.conf. */
  readonly password: string | NatsPasswords;
  /** A folder with tls.crt, tls.key and ca.crt; then it speaks TLS. */
  readonly certs?: string;
  readonly logFile: string;
  readonly note: (line: string) => void;
};

const USER = "chargemesh";
const SHIPPED = join(import.meta.dirname, "..", "..", "deploy", "nats.conf");
/** How long it may take to read what it has stored, in ms. */
const READY_MS = 60_000;
const POLL_MS = 25;

/** Starts NATS on what it has stored, and resolves when it takes clients. Throws StartError with the reason if it does not. */
export async function startNats({ dir, port: wanted, password, certs, logFile, note }: NatsOptions): Promise<Nats> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  await endLeftover(dir);
  const { command, version } = await findNatsServer(note);
  const port = await freePort(wanted);
  const { file, env } = typeof password === "string" ? forOneUser(dir, password) : forServices(password);
  const args = ["-c", file, "-a", "127.0.0.1", "-p", String(port), "-P", pidFile(dir), "-sd", dir, ...(certs ? tls(certs) : [])];
  const server = await launch({ command, args, env: { ...process.env, ...env }, stopSignal: "SIGINT", output: logFile });
  if (!(await answers(port, server))) {
    await server.stop();
    const reason =
      readFileSync(logFile, "utf8")
        .match(/(?:\[FTL\]|nats-server:) (.+)/g)
        ?.at(-1) ?? "it does not answer";
    throw new StartError(`NATS did not start: ${reason} (log: ${logFile}).`);
  }
  const user = typeof password === "string" ? `${USER}:${password}@` : "";
  return { ...server, url: `nats://${user}127.0.0.1:${port}`, port, version };
}

function tls(certs: string): string[] {
  const at = (name: string): string => join(certs, name);
  return ["--tls", "--tlscert", at("tls.crt"), "--tlskey", at("tls.key"), "--tlscacert", at("ca.crt")];
}

type Configuration = { readonly file: string; readonly env: Readonly<Record<string, string>> };

function forOneUser(dir: string, password: string): Configuration {
  const file = join(dir, "nats.conf");
  writeFileSync(file, `authorization { user: ${USER}, password: "${password}" }\njetstream {}\n`, { mode: 0o600 });
  return { file, env: {} };
}

/** The quotes are part of the value: the server reads it as if it stood in the file. */
function forServices({ auth, charger, email }: NatsPasswords): Configuration {
  const env = { NATS_AUTH_PASSWORD: `"${auth}"`, NATS_CHARGER_PASSWORD: `"${charger}"`, NATS_EMAIL_PASSWORD: `"${email}"` };
  return { file: SHIPPED, env };
}

function pidFile(dir: string): string {
  return join(dir, "nats.pid");
}

/** Two servers on one store would spoil it. */
async function endLeftover(dir: string): Promise<void> {
  const pid = pidIn(pidFile(dir));
  if (pid !== undefined && commandOf(pid).includes(pidFile(dir))) await endProcess(pid, "SIGINT");
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
