import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ScriptedCsms, startCsms } from "./scripted-csms.ts";
import { type ScriptedRest, startRest } from "./scripted-rest.ts";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
let rest: ScriptedRest;
let csms: ScriptedCsms;
let child: ChildProcess | undefined;

beforeEach(async () => {
  rest = await startRest("a password for tests");
  csms = await startCsms();
});
afterEach(async () => {
  child?.kill("SIGKILL");
  await Promise.all([rest.close(), csms.close()]);
});

function run(vars: Record<string, string> = {}) {
  const env = { GATEWAY_URL: rest.url, OCPP_URL: csms.url, ADMIN_PASSWORD: "a password for tests", SIMULATOR_SPEED: "3600", ...vars };
  const process_ = spawn(process.execPath, [MAIN], { env, stdio: ["ignore", "pipe", "pipe"] });
  child = process_;
  const lines: string[] = [];
  const waiting: { pattern: RegExp; resolve: (line: string) => void }[] = [];
  for (const stream of [process_.stdout, process_.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      lines.push(line);
      for (const { pattern, resolve } of waiting) if (pattern.test(line)) resolve(line);
    });
  }
  return {
    lines,
    line: (pattern: RegExp) => new Promise<string>((resolve) => waiting.push({ pattern, resolve })),
    exited: once(process_, "exit") as Promise<[code: number | null, signal: string | null]>,
    kill: (signal: NodeJS.Signals) => process_.kill(signal),
  };
}

test.each(["SIGTERM", "SIGINT"] as const)("it charges, tells of it, and ends by %s within 2 s", async (signal) => {
  const it = run();
  const ended = it.line(/transaction \d+ ended after \d+ s and [\d.]+ kWh: (Local|EVDisconnected)$/);
  await it.line(/DEMO-0\d\/\d +transaction \d+ began with DEMO-[A-Z]+-\d/);
  await ended;
  const began = performance.now();
  it.kill(signal);
  expect(await it.exited, it.lines.join("\n")).toEqual([0, null]);
  expect(performance.now() - began).toBeLessThan(2_000);
  expect(it.lines[0]).toBe("9 chargers, 13 id tokens, 3600 times as fast as in life");
});

test("it waits for a system that is not there yet, and outlives one that goes", async () => {
  rest.failure = 503;
  const it = run({ SIMULATOR_SPEED: "1", SIMULATOR_CHARGERS: "2" });
  await it.line(/^waiting: .*\/auth\/login answers 503$/);
  rest.failure = undefined;
  await it.line(/DEMO-GUEST +registered: Accepted/);
  const lost = it.line(/DEMO-01 +lost its connection/);
  const back = it.line(/DEMO-01 +connected/);
  csms.cut();
  await lost;
  await back;
});

test.each([
  [{ ADMIN_PASSWORD: "" }, "Error: bad configuration: ADMIN_PASSWORD is required"],
  [{ ADMIN_PASSWORD: "wrong" }, "Error: could not sign in as admin: HTTP 401: Wrong username or password."],
])("%o: one clear sentence", async (vars, sentence) => {
  const it = run(vars);
  expect(await it.exited).toEqual([1, null]);
  expect(it.lines).toEqual([sentence]);
});
