import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { WebSocket } from "ws";
import { launch } from "../../tools/servers/launch.ts";
import { ADMIN, type Env } from "../env.ts";

/** The settings of every example: gRPC, and a charger of its own. */
export function settings({ grpc }: Env, chargerId: string): Record<string, string> {
  return {
    AUTH_ADDRESS: grpc.auth,
    CHARGER_ADDRESS: grpc.charger,
    CHARGEMESH_USERNAME: ADMIN.username,
    CHARGEMESH_PASSWORD: ADMIN.password,
    CHARGER_ID: chargerId,
  };
}

/** What an example printed. */
export interface Printed {
  /** In the JSON of proto3. */
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what is tested
  readonly events: any[];
  readonly output: string;
}

/**
 * Runs an example as a user would: it adds a charger and prints its password, with which a charger then connects to `ocppUrl`, boots and leaves;
 * when that has been printed, too, Ctrl-C ends it. Throws with all that it wrote if it ends by itself.
 */
export async function runExample(command: string, args: readonly string[], env: Record<string, string>, ocppUrl: string): Promise<Printed> {
  const { CHARGER_ID: id = "" } = env;
  const events: Printed["events"] = [];
  let output = "";
  const lines = async (stdout: Readable): Promise<void> => {
    for await (const line of createInterface(stdout)) {
      output += `${line}\n`;
      const [, password] = new RegExp(`^added ${id}; its password is (\\S+)$`).exec(line) ?? [];
      if (password !== undefined) await visit(ocppUrl, id, password);
      if (line.startsWith("{")) events.push(JSON.parse(line));
      if (events.at(-1)?.type === "chargemesh.charger.v1.ChargerDisconnected") {
        // A process has ended when nobody could read more of it, so the rest must be read.
        stdout.resume();
        return;
      }
    }
    throw new Error(`the example ended by itself:\n${output}`);
  };
  let read = Promise.resolve();
  const example = await launch({
    command,
    args,
    env: { ...process.env, ...env },
    stopSignal: "SIGINT",
    output: (stdout, stderr) => {
      read = lines(stdout);
      stderr.on("data", (chunk) => {
        output += chunk;
      });
    },
  });
  try {
    await read;
  } finally {
    await example.stop();
  }
  return { events, output };
}

/** A charger that connects, boots and leaves. */
async function visit(ocppUrl: string, id: string, password: string): Promise<void> {
  const authorization = `Basic ${Buffer.from(`${id}:${password}`).toString("base64")}`;
  const socket = new WebSocket(`${ocppUrl}/${id}`, ["ocpp1.6"], { headers: { authorization } });
  await once(socket, "open");
  socket.send('[2,"1","BootNotification",{"chargePointVendor":"Volta","chargePointModel":"Pile"}]');
  await once(socket, "message");
  socket.close();
  await once(socket, "close");
}

/** What an example prints of that charger. */
export const STORY = [
  ["chargemesh.charger.v1.ChargerCreated", "charger-service"],
  ["chargemesh.charger.v1.ChargerConnected", "charger-service"],
  ["chargemesh.charger.v1.ChargerBooted", "charger-service"],
  ["chargemesh.charger.v1.ChargerDisconnected", "charger-service"],
];

/** As in STORY. */
export const storyOf = ({ events }: Printed): unknown[] => events.map(({ type, source }) => [type, source]);
