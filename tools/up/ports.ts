import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { whyNotFree } from "../servers/free-port.ts";
import { commandOf } from "../servers/processes.ts";
import { StartError } from "../servers/start-error.ts";
import type { Address } from "./settings.ts";

const COMMAND_LENGTH_MAX = 80;

/** Throws StartError with one sentence on every address where we could not listen: the port, its setting, and who has it. */
export async function checkFree(addresses: readonly Address[]): Promise<void> {
  const faults: string[] = [];
  for (const { setting, host, port } of addresses) {
    const why = await whyNotFree(host, port);
    if (why === "EADDRINUSE")
      faults.push(`Port ${port} (${setting}) is taken${holder(port)}: end that, or set ${setting} to another address.`);
    else if (why !== undefined) faults.push(`${setting}: nobody can listen at ${host}:${port} here (${why}).`);
  }
  if (faults.length > 0) throw new StartError(faults.join("\n"));
}

/** Who listens at a port, as far as this system tells us. */
function holder(port: number): string {
  const pid = existsSync("/proc/net/tcp") ? holderInProc(port) : holderByLsof(port);
  if (pid === undefined) return " by a process that we may not see";
  const command = commandOf(pid);
  return ` by process ${pid} (${command.length > COMMAND_LENGTH_MAX ? `${command.slice(0, COMMAND_LENGTH_MAX)}…` : command})`;
}

/** In /proc/net/tcp a row is: number, local address:port in hexadecimal, remote, state (0A listens), …, the socket's inode as the tenth. */
function holderInProc(port: number): number | undefined {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const rows = ["/proc/net/tcp", "/proc/net/tcp6"].filter(existsSync).flatMap((file) => readFileSync(file, "utf8").split("\n"));
  const sockets = new Set(
    rows
      .map((row) => row.trim().split(/\s+/))
      .filter((columns) => columns[1]?.endsWith(suffix) && columns[3] === "0A")
      .map((columns) => `socket:[${columns[9]}]`),
  );
  return readdirSync("/proc")
    .map(Number)
    .find((pid) => pid > 0 && linksOf(`/proc/${pid}/fd`).some((link) => sockets.has(link)));
}

function linksOf(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => readlinkSync(`${folder}/${name}`));
  } catch {
    // Another's process, or one that has just ended.
    return [];
  }
}

function holderByLsof(port: number): number | undefined {
  const pid = Number.parseInt(spawnSync("lsof", ["-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-t"], { encoding: "utf8" }).stdout ?? "", 10);
  return pid > 0 ? pid : undefined;
}
