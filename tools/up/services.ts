import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { launch, run } from "../servers/launch.ts";
import { commandOf, endProcess, folderOf, pidIn } from "../servers/processes.ts";
import { StartError } from "../servers/start-error.ts";
import type { Folders } from "./folders.ts";
import { openServiceLog } from "./logs.ts";
import type { Settings } from "./settings.ts";
import { startTask, type Task } from "./task.ts";
import type { Terminal } from "./terminal.ts";

/** A program of ours. Settings in `PRIVATE` reach only those who name them. `nodeFlags` are given to Node. */
export type Service = { readonly name: string; readonly needs: readonly string[]; readonly nodeFlags?: readonly string[] };

export const AUTH: Service = { name: "auth-service", needs: ["AUTH_DATABASE_URL", "AUTH_NATS_URL", "AUTH_KEY_SECRET", "ADMIN_PASSWORD"] };
export const CHARGER: Service = { name: "charger-service", needs: ["CHARGER_DATABASE_URL", "CHARGER_NATS_URL", "OCPP_CA_KEY"] };
export const EMAIL: Service = { name: "email-service", needs: ["EMAIL_DATABASE_URL", "EMAIL_NATS_URL", "SMTP_URL"] };
/** What it holds in memory is calls, which Node keeps until the next large collection of garbage: with room for them, pauses are fewer. */
export const GATEWAY: Service = { name: "gateway", needs: [], nodeFlags: ["--max-semi-space-size=64"] };
export const SIMULATOR: Service = { name: "simulator", needs: ["ADMIN_PASSWORD"] };

/** Those with tables. */
export const MIGRATED = [AUTH, CHARGER, EMAIL];

const PRIVATE = new Set([...[AUTH, CHARGER, EMAIL].flatMap((service) => service.needs), "DATABASE_URL", "MIGRATE_DATABASE_URL"]);

/** Starts a service; it is a task of its own. */
export function startService(
  { name, needs, nodeFlags = [] }: Service,
  settings: Settings,
  folders: Folders,
  terminal: Terminal,
): Promise<Task> {
  const log = openServiceLog(name, join(folders.logs, `${name}.log`), terminal);
  const start = async () => {
    const running = await launch({
      command: process.execPath,
      args: [...nodeFlags, programOf(name)],
      cwd: folders.root,
      env: environmentOf(needs, settings),
      stopSignal: "SIGTERM",
      output: log.take,
    });
    const pidFile = pidFileOf(name, folders);
    writeFileSync(pidFile, `${running.pid}\n`);
    void running.exited.then(() => rmSync(pidFile, { force: true }));
    return running;
  };
  return startTask({ name, start, trouble: log.trouble, report: (text) => terminal.warn(name, text) });
}

/** Brings the tables of a service up to date. Throws StartError if that fails. */
export async function migrateService({ name, needs }: Service, settings: Settings, folders: Folders): Promise<void> {
  const { code, output } = await run({
    command: process.execPath,
    args: [`${name}/src/migrate.ts`],
    cwd: folders.root,
    env: environmentOf([...needs, "MIGRATE_DATABASE_URL"], settings),
  });
  const file = join(folders.logs, `${name}.migrate.log`);
  writeFileSync(file, output, { mode: 0o600 });
  if (code !== 0) throw new StartError(`The tables of ${name} could not be brought up to date: ${lastMessage(output)} (log: ${file}).`);
}

/** Ends services that run in this folder although whoever started them is gone. */
export async function endLeftovers(folders: Folders): Promise<void> {
  await Promise.all(
    [SIMULATOR, GATEWAY, EMAIL, CHARGER, AUTH].map(async ({ name }) => {
      const pid = pidIn(pidFileOf(name, folders));
      if (pid === undefined || !commandOf(pid).includes(programOf(name)) || folderOf(pid) !== folders.root) return;
      await endProcess(pid, "SIGTERM", 5_000);
    }),
  );
}

function programOf(name: string): string {
  return `${name}/src/main.ts`;
}

function pidFileOf(name: string, folders: Folders): string {
  return join(folders.run, `${name}.pid`);
}

/** Our own environment and the settings, without what is for others alone. */
function environmentOf(needs: readonly string[], settings: Settings): NodeJS.ProcessEnv {
  const all = { ...process.env, ...settings };
  return Object.fromEntries(Object.entries(all).filter(([name]) => !PRIVATE.has(name) || needs.includes(name)));
}

/** The message of the last log line, or the last line itself. */
function lastMessage(output: string): string {
  const line = output.trim().split("\n").at(-1) ?? "";
  try {
    const { msg, err } = JSON.parse(line) as { msg?: string; err?: { message?: string } };
    return [msg, err?.message].filter((text) => text !== undefined).join(": ");
  } catch {
    return line || "it said nothing";
  }
}
