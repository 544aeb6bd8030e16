import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { RPCClient } from "ocpp-rpc";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, type Running } from "../../tools/servers/launch.ts";
import { type Env, startEnv } from "../env.ts";

// Black-box checks and a fuzzer of OCPP servers that nobody here wrote, at either door. The checks mostly wait, for some half a minute:
// `make test-clients` runs them, `make test` does not.

const program = fileURLToPath(import.meta.resolve("ocpp-ws-cli"));
const CHECKS = 21;
const GRACE_MS = 3_000;

let env: Env;
let folder: string;

beforeAll(async () => {
  [env, folder] = await Promise.all([startEnv({ OCPP_UNKNOWN_CHARGERS: "accept" }), mkdtemp(join(tmpdir(), "chargemesh-foreign-"))]);
});
afterAll(async () => {
  await env?.stop();
  await rm(folder, { recursive: true, force: true });
});

function run(reportDir: string, args: string[]): Promise<Running> {
  return launch({
    command: process.execPath,
    args: [program, ...args, "--report", "json", "--report-dir", reportDir],
    cwd: folder,
    env: { ...process.env, CI: "true" },
    stopSignal: "SIGINT",
    output: (stdout, stderr) => void [stdout.resume(), stderr.resume()],
  });
}

interface Report {
  metrics: Record<string, number>;
  testResults: { name: string; passed: boolean; issue?: string }[];
}

async function reportIn(dir: string): Promise<Report> {
  const [name = ""] = await readdir(dir);
  return JSON.parse(await readFile(join(dir, name), "utf8"));
}

/** A charger that means well; every CALL of it must be answered. */
async function charger(endpoint: string, identity: string): Promise<RPCClient> {
  const client = new RPCClient({ endpoint, identity, protocols: ["ocpp1.6"], strictMode: true, reconnect: false });
  await client.connect();
  expect(await client.call("BootNotification", { chargePointVendor: "Acme", chargePointModel: "One" })).toMatchObject({
    status: "Accepted",
  });
  return client;
}

test.each([
  ["the gateway", () => env.ocpp],
  ["charger-service", () => env.ocppDirect],
] as const)("no check of its suite fails at %s", { concurrent: true, timeout: 180_000 }, async (door, endpoint) => {
  const dir = join(folder, door.replaceAll(" ", "-"));
  const args = ["test", "-e", endpoint(), "-i", dir.slice(-7), "-p", "ocpp1.6", "--suite", "all"];
  const { exited } = await run(dir, args);
  // It ends well whatever it finds.
  await exited;
  const { testResults } = await reportIn(dir);
  expect(testResults.filter(({ passed }) => !passed)).toEqual([]);
  expect(testResults).toHaveLength(CHECKS);
  const client = await charger(endpoint(), "F-after");
  await client.close();
});

test("its fuzzer costs no good frame", { concurrent: true, timeout: 120_000 }, async () => {
  const dir = join(folder, "fuzz");
  const client = await charger(env.ocppDirect, "F-beside");
  const fuzzer = await run(dir, ["fuzz", "-e", env.ocppDirect, "-w", "5", "--flood"]);
  const until = performance.now() + 5_000;
  let good = 0;
  while (performance.now() < until) {
    expect(await client.call("Heartbeat", {})).toEqual({ currentTime: expect.any(String) });
    expect(await client.call("Authorize", { idTag: "NOBODY" })).toMatchObject({ idTagInfo: { status: "Invalid" } });
    good += 2;
  }
  await fuzzer.stop(GRACE_MS);
  const { metrics } = await reportIn(dir);
  expect(metrics.anomaliesSent).toBeGreaterThan(200);
  expect(metrics.serverErrors).toBeGreaterThan(50);
  // None of what it sends is worth a socket.
  expect(metrics.serverDrops).toBe(0);
  expect(good).toBeGreaterThan(20);
  const again = await charger(env.ocppDirect, "Fuzzer-1");
  await again.close();
  await client.close();
});
