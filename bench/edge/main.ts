import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { ChargerServiceClient } from "@chargemesh/contracts/charger/v1/charger_service";
import { channelOptions } from "@chargemesh/kit/grpc-client";
import { credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { freePort } from "../../tools/servers/free-port.ts";
import { adapterRatios } from "./adapters.ts";
import { codecRatios } from "./codec.ts";
import { httpLanes, measure, type Sample } from "./load.ts";
import { startSystem } from "./system.ts";

// `make bench-edge`: what the edge costs, beside what bounds it, in one run on one machine.

const ROUNDS = Number(process.env.ROUNDS ?? 7);
const ROUND_MS = Number(process.env.ROUND_MS ?? 2_000);
const WARM_UP_MS = 5_000;
/** How many calls are under way at once. */
const LANES = 32;

const paths = { small: "/ocpp/chargers/CP-01", list: "/ocpp/chargers" } as const;
type Message = keyof typeof paths;
type Way = "static" | "grpc" | "rest";

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

async function main(): Promise<void> {
  const system = await startSystem();
  try {
    const bodies = Object.fromEntries(
      await Promise.all(Object.entries(paths).map(async ([name, path]) => [name, await get(system.rest + path, system.accessToken)])),
    );
    const port = await freePort();
    const fixed = spawn(process.execPath, [join(import.meta.dirname, "static-server.ts")], {
      env: { ...process.env, PORT: String(port), BODIES: JSON.stringify(bodies) },
      stdio: "inherit",
    });
    await until(async () => (await fetch(`http://127.0.0.1:${port}/small`)).ok);
    const { processes } = system;
    const generator = { generator: process.pid };
    const { gateway: _edge, ...behind } = processes;
    const client = new ChargerServiceClient(system.chargerTarget, credentials.createInsecure(), channelOptions);
    const metadata = new Metadata();
    metadata.set("authorization", `Bearer ${system.accessToken}`);
    const call = (message: Message) => (): Promise<void> =>
      new Promise((resolve, reject) => {
        const done = (err: ServiceError | null): void => (err === null ? resolve() : reject(err));
        if (message === "small") client.getCharger({ id: "CP-01" }, metadata, { deadline: Date.now() + 10_000 }, done);
        else client.listChargers({ pageSize: 0, pageToken: "" }, metadata, { deadline: Date.now() + 10_000 }, done);
      });
    const load = async (way: Way, message: Message, ms: number): Promise<Sample> => {
      if (way === "grpc")
        return measure(
          Array.from({ length: LANES }, () => call(message)),
          ms,
          { ...generator, ...behind },
        );
      const [url, token] =
        way === "static" ? [`http://127.0.0.1:${port}/${message}`, undefined] : [system.rest + paths[message], system.accessToken];
      const { lanes, close } = await httpLanes(url, token, LANES);
      const watched = way === "static" ? { static: fixed.pid ?? 0 } : processes;
      return measure(lanes, ms, { ...generator, ...watched }).finally(close);
    };
    const samples = await run(load);
    fixed.kill();
    await once(fixed, "exit");
    client.close();
    await system.stop();
    const adapters = await adapterRatios();
    console.log(
      `grpc-js with our adapters, processor time beside it bare: server ${adapters.server.toFixed(2)}, client ${adapters.client.toFixed(2)}`,
    );
    report(samples, await codecRatios(bodies.list ?? ""));
  } finally {
    await system.stop();
  }
}

type Samples = Record<Message, Record<Way, Sample[]>>;

async function run(load: (way: Way, message: Message, ms: number) => Promise<Sample>): Promise<Samples> {
  const samples: Samples = { small: { static: [], grpc: [], rest: [] }, list: { static: [], grpc: [], rest: [] } };
  for (const message of ["small", "list"] as const) {
    for (const way of ["static", "grpc", "rest"] as const) await load(way, message, WARM_UP_MS);
    for (let round = 0; round < ROUNDS; round++) {
      for (const way of ["static", "grpc", "rest"] as const) samples[message][way].push(await load(way, message, ROUND_MS));
    }
  }
  return samples;
}

function report(samples: Samples, codec: { toJson: number; fromJson: number }): void {
  const of = (message: Message, way: Way, value: (sample: Sample) => number): number => median(samples[message][way].map(value));
  console.log("message  way     per second   p50 ms   p99 ms   processor µs a request");
  for (const message of ["small", "list"] as const) {
    for (const way of ["static", "grpc", "rest"] as const) {
      const names = Object.keys(samples[message][way][0]?.cpuUs ?? {});
      const cpu = names.map((name) => `${name} ${Math.round(of(message, way, ({ cpuUs }) => cpuUs[name] ?? 0))}`).join(", ");
      const figures = [
        of(message, way, (s) => s.perSecond).toFixed(0),
        of(message, way, (s) => s.p50Ms).toFixed(2),
        of(message, way, (s) => s.p99Ms).toFixed(2),
      ];
      console.log(`${message.padEnd(8)} ${way.padEnd(7)} ${figures.map((figure) => figure.padStart(9)).join("")}   ${cpu}`);
    }
  }
  const share = (value: (sample: Sample) => number): number =>
    median(samples.small.rest.map((sample, i) => value(sample) / value(samples.small.grpc[i] ?? sample)));
  const result = {
    staticPerSecond: Math.round(of("small", "static", (s) => s.perSecond)),
    grpcPerSecond: Math.round(of("small", "grpc", (s) => s.perSecond)),
    restPerSecond: Math.round(of("small", "rest", (s) => s.perSecond)),
    restToGrpcThroughput: Number(share((s) => s.perSecond).toFixed(3)),
    restToGrpcP99: Number(share((s) => s.p99Ms).toFixed(3)),
    codecToJsonRatio: Number(codec.toJson.toFixed(2)),
    codecFromJsonRatio: Number(codec.fromJson.toFixed(2)),
  };
  console.log(JSON.stringify(result));
}

async function get(url: string, token: string): Promise<string> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response.text();
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo().catch(() => false))) await new Promise((resolve) => setTimeout(resolve, 50));
}

await main();
