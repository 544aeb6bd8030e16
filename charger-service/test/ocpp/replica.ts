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

/** Starts one, and resolves when it lets chargers in. */
export async function startReplica(place: Place, vars: Record<string, string> = {}): Promise<Replica> {
  const port = await freePort();
  const env = { ...place.vars, CHARGER_OCPP_ADDRESS: `127.0.0.1:${port}`, LOG_LEVEL: "fatal", ...vars };
  const process = await launch({
    command: globalThis.process.execPath,
    args: [main],
    env,
    stopSignal: "SIGTERM",
    // Nobody reads it, and it must not be held up by that.
    output: (stdout, stderr) => void [stdout.resume(), stderr.resume()],
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
