import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished, vi } from "vitest";
import { freePort } from "../servers/free-port.ts";
import { copyInto, freshFolder, makeFolder } from "./folder.ts";

const UP = join(import.meta.dirname, "..", "up.ts");

/** Each listens at its address, says what it was told, and ends on SIGTERM, unless BROKEN or STUBBORN names it. */
const SERVICE = `
import { createServer } from "node:http";
import { writeFileSync } from "node:fs";
const name = process.argv[1].split("/").at(-3);
const addresses = {
  "auth-service": ["AUTH_GRPC"], "charger-service": ["CHARGER_GRPC", "CHARGER_OCPP"], "email-service": ["EMAIL_GRPC"], gateway: ["GATEWAY"],
};
writeFileSync("told-" + name + ".json", JSON.stringify(process.env));
if (process.env.BROKEN === name) {
  console.log(JSON.stringify({ level: "fatal", msg: "bad configuration: X is required" }));
  process.exit(1);
}
process.on("SIGTERM", () => process.env.STUBBORN !== name && process.exit(0));
for (const address of addresses[name] ?? []) {
  const [host, port] = process.env[address + "_ADDRESS"].split(":");
  createServer((_, answer) => answer.end("{}")).listen(Number(port), host);
}
if (name === "simulator") setInterval(() => undefined, 1000);
`;
const MIGRATE = `
import { writeFileSync } from "node:fs";
writeFileSync(process.argv[1].replace(/src.*/, "migrated.json"), JSON.stringify(process.env));
if (process.env.BROKEN_TABLES !== undefined) {
  console.log(JSON.stringify({ level: "fatal", msg: "failed to migrate", err: { message: "relation exists" } }));
  process.exit(1);
}
`;

/** A checkout with nothing in it but services that stand in for ours, and addresses that are free. */
export type Checkout = {
  readonly folder: string;
  readonly settings: Record<string, string>;
  /** What a service was told in its environment, once it has been started. */
  told(service: string): Promise<Record<string, string>>;
  read(path: string): string;
  /** Runs `up.ts` there. It is ended with the test. */
  up(args?: string[], more?: Record<string, string>): Up;
};

export type Up = {
  readonly child: ChildProcess;
  /** Resolves with what it has written when that matches. */
  says(pattern: RegExp): Promise<string>;
  /** Resolves when it has ended. */
  readonly ended: Promise<{ code: number | null; output: string }>;
};

/** One where nothing was ever started. */
export async function freshCheckout(): Promise<Checkout> {
  const folder = freshFolder();
  layOut(folder);
  const settings = await freeAddresses();
  const read = (path: string): string => readFileSync(join(folder, path), "utf8");
  return {
    folder,
    settings,
    read,
    told: (service) => vi.waitFor(() => JSON.parse(read(`told-${service}.json`)) as Record<string, string>),
    up: (args = [], more = {}) => runUp(folder, args, { ...settings, ...more }),
  };
}

/** One with the `.data/` of `seed`, which spares what laying out a database takes. */
export async function usedCheckout(seed: string): Promise<Checkout> {
  const checkout = await freshCheckout();
  copyInto(checkout.folder, join(seed, ".data"));
  return checkout;
}

/** A folder whose database has been laid out. */
export function makeSeed(): string {
  const folder = makeFolder();
  layOut(folder);
  execFileSync(process.execPath, [UP, "--migrate"], { cwd: folder });
  return folder;
}

function layOut(folder: string): void {
  for (const name of ["auth-service", "charger-service", "email-service", "gateway", "simulator"]) {
    mkdirSync(join(folder, name, "src"), { recursive: true });
    writeFileSync(join(folder, name, "src", "main.ts"), SERVICE);
    writeFileSync(join(folder, name, "src", "migrate.ts"), MIGRATE);
  }
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
}

async function freeAddresses(): Promise<Record<string, string>> {
  const names = ["GATEWAY", "AUTH_GRPC", "CHARGER_GRPC", "CHARGER_OCPP", "EMAIL_GRPC"];
  return Object.fromEntries(await Promise.all(names.map(async (name) => [`${name}_ADDRESS`, `127.0.0.1:${await freePort()}`])));
}

function runUp(cwd: string, args: string[], settings: Record<string, string>): Up {
  const child = spawn(process.execPath, [UP, ...args], {
    cwd,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...settings },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      child.emit("said");
    });
  }
  const ended = once(child, "close").then(([code]: (number | null)[]) => ({ code: code ?? null, output }));
  onTestFinished(async () => {
    child.kill("SIGTERM");
    await ended;
  });
  return {
    child,
    ended,
    async says(pattern) {
      while (!pattern.test(output)) {
        const more = await Promise.race([once(child, "said"), ended]);
        if ("code" in more && !pattern.test(output)) throw new Error(`it ended and did not say ${pattern}:\n${output}`);
      }
      return output;
    },
  };
}
