import { once } from "node:events";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { eventually } from "../../../test/rest.ts";
import { freePort } from "../../../tools/servers/free-port.ts";
import { launch, type Running } from "../../../tools/servers/launch.ts";
import type { Place } from "../service.ts";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

/** A replica in a process of its own, that can be killed. */
export interface Replica {
  ocppAddress: string;
  process: Running;
}

/** How Node runs it, and who reads what it logs. */
export interface ReplicaOptions {
  nodeArgs?: string[];
  log?: (text: string) => void;
}

/** Starts one, and resolves when it lets chargers in. */
export async function startReplica(place: Place, vars: Record<string, string> = {}, options: ReplicaOptions = {}): Promise<Replica> {
  const port = await freePort();
  const env = { ...place.vars, CHARGER_OCPP_ADDRESS: `127.0.0.1:${port}`, LOG_LEVEL: "fatal", ...vars };
  const process = await launch({
    command: globalThis.process.execPath,
    args: [...(options.nodeArgs ?? []), main],
    env,
    stopSignal: "SIGTERM",
    output(stdout, stderr) {
      if (options.log !== undefined) stdout.setEncoding("utf8").on("data", options.log);
      // Nobody may read it, and it must not be held up by that.
      stdout.resume();
      stderr.resume();
    },
  });
  let ended = false;
  void process.exited.then(() => {
    ended = true;
  });
  await eventually(async () => {
    if (ended) throw new Error("the replica did not start");
    return listens(port);
  });
  return { ocppAddress: `127.0.0.1:${port}`, process };
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
