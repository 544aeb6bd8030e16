import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { until } from "./service.ts";

/** A certificate and its key, as PEM. */
export interface Papers {
  certificate: string;
  key: string;
}

export type Port = "plain" | "startTls" | "implicit" | "closed";

/** What the server prints. */
export interface Entry {
  what: "listening" | "connected" | "login" | "sender" | "recipient" | "mail";
  ports?: Record<Port, number>;
  port?: Port;
  connection?: string;
  secure?: boolean;
  to?: string;
  messageId?: string;
  user?: string;
  /** In ms, by the server's own clock. */
  time?: number;
}

/** A mail server in a process of its own. Its ports differ in how they encrypt, its mailboxes in what they answer. */
export interface MailServerProcess {
  ports: Record<Port, number>;
  /** What it has been told so far. */
  told: readonly Entry[];
  /** The mails that it has taken for an address, or one that begins so, oldest first. */
  mailsTo(address: string): Entry[];
  stop(): Promise<void>;
}

export async function startMailServerProcess(papers: Papers): Promise<MailServerProcess> {
  const program = join(import.meta.dirname, "mail-server-program.ts");
  const child = spawn(process.execPath, [program, JSON.stringify(papers)], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const told: Entry[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => told.push(JSON.parse(line)));
  const ports = await until(async () => told[0]?.ports);
  return {
    ports,
    told,
    mailsTo: (address) => told.filter(({ what, to = "" }) => what === "mail" && to.startsWith(address)),
    async stop() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
