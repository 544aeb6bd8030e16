import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GRPCURL_VERSION, grpcurl, missingGo, ROOT } from "../../tools/sdk/toolchains.ts";
import { ADMIN, type Env, startEnv } from "../env.ts";
import { type Rest, signIn } from "../rest.ts";

// docs/grpcurl.md is run from top to bottom by the real grpcurl: every command succeeds, or fails as the page says that it does.

const page = readFileSync(join(ROOT, "docs/grpcurl.md"), "utf8");
/** The commands of the page, each with what the page says that they print. */
const blocks = [...page.matchAll(/```sh\n(.*?)```(?:\n```text\n(.*?)```)?/gs)].map(([, commands = "", output]) => ({ commands, output }));

const missing = await missingGo();
/** Go may have to fetch and build grpcurl first. */
const BUILD_MS = 300_000;

describe.skipIf(missing !== undefined)(missing === undefined ? "grpcurl" : `grpcurl (skipped: ${missing})`, () => {
  const folder = mkdtempSync(join(tmpdir(), "chargemesh-grpcurl-"));
  /** What the blocks have set so far. */
  const variables = join(folder, "variables");
  let env: Env;
  let admin: Rest;
  let vars: Record<string, string | undefined>;
  beforeAll(async () => {
    const program = await grpcurl();
    env = await startEnv();
    admin = await signIn(env.rest, ADMIN);
    const PATH = `${dirname(program)}${delimiter}${process.env.PATH}`;
    vars = { ...process.env, PATH, AUTH: env.grpc.auth, CHARGER: env.grpc.charger, EMAIL: env.grpc.email, ADMIN_PASSWORD: ADMIN.password };
    writeFileSync(variables, "");
  }, BUILD_MS);
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await env?.stop();
  });

  /** Runs commands in a shell that goes on where the last one ended. */
  function shell(commands: string): { child: ChildProcess; ended: Promise<{ code: number | null; output: string }>; output(): string } {
    const script = `. "$0"; set -eao pipefail; trap 'export -p >"$0"' EXIT\n${commands}`;
    const child = spawn("bash", ["-c", script, variables], { env: vars, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        output += chunk;
      });
    }
    const ended = once(child, "close").then(([code]) => ({ code, output }));
    return { child, ended, output: () => output };
  }

  const streams = (commands: string): boolean => commands.includes("/WatchEvents");

  test.each(blocks.filter(({ commands }) => !streams(commands)))("$commands", async ({ commands, output }) => {
    const result = await shell(commands).ended;
    if (output?.startsWith("ERROR:")) expect(result).toEqual({ code: expect.toBeOneOf(failures), output: matching(output) });
    else expect(result).toEqual({ code: 0, output: output === undefined ? expect.any(String) : matching(output) });
  });

  test.each(blocks.filter(({ commands }) => streams(commands)))("$commands", async ({ commands }) => {
    const { child, ended, output } = shell(commands);
    for (let number = 0; !output().includes("ChargerCreated"); number++) {
      expect(child.exitCode, output()).toBe(null);
      await admin("POST", "/ocpp/chargers", { id: `seen-by-grpcurl-${number}` });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    // What an Any holds is found by reflection, too.
    await expect
      .poll(output)
      .toMatch(/"@type": "type.googleapis.com\/chargemesh.charger.v1.ChargerCreated",\s+"charger": \{\s+"id": "seen-by-grpcurl-/);
    process.kill(-(child.pid ?? 0), "SIGINT");
    await ended;
  });

  // It takes a process for every message: half a minute, and several of a busy machine.
  test("everything that is listed can be described, down to the fields", async () => {
    for (const address of [env.grpc.auth, env.grpc.charger, env.grpc.email]) {
      const listed = await shell(`grpcurl -plaintext ${address} list`).ended;
      const services = listed.output.trim().split("\n");
      expect(services.length).toBeGreaterThan(1);
      const described = await shell(services.map((service) => `grpcurl -plaintext ${address} describe ${service}`).join("\n")).ended;
      expect(described.code, described.output).toBe(0);
      const messages = new Set([...described.output.matchAll(/\( (?:stream )?\.([\w.]+) \)/g)].map(([, message]) => message));
      const templates = [...messages].map((message) => `grpcurl -plaintext -msg-template ${address} describe ${message}`);
      expect(await shell(templates.join("\n")).ended).toMatchObject({ code: 0 });
    }
  }, 240_000);

  test.each([
    "google.api.http",
    "google.api.HttpRule",
    "google.protobuf.MethodOptions",
    "chargemesh.rules.v1.access",
    "chargemesh.rules.v1.FieldRules.required",
    "chargemesh.charger.v1.Charger.ACCEPTED",
    "chargemesh.charger.v1.TransactionStopped",
    "google.rpc.BadRequest.FieldViolation",
    "grpc.health.v1.HealthListResponse",
  ])("%s is described", async (symbol) => {
    expect(await shell(`grpcurl -plaintext $CHARGER describe ${symbol}`).ended).toMatchObject({ code: 0 });
  });

  test("what is not there is said not to be", async () => {
    const { code, output } = await shell("grpcurl -plaintext $CHARGER describe chargemesh.charger.v1.Nothing").ended;
    expect([code, output]).toEqual([1, expect.stringContaining("not found")]);
  });
});

test("the page has commands for every service, and names the grpcurl that it was tested with", () => {
  const shown = blocks.map(({ commands }) => commands).join("\n");
  const services = [...page.matchAll(/^(chargemesh\.\w+\.v1\.\w+Service)$/gm)].map(([, service]) => service);
  expect(services).toHaveLength(33);
  expect(services.filter((service) => !shown.includes(`${service}/`))).toEqual([]);
  expect(page).toContain(`grpcurl@${GRPCURL_VERSION}`);
});

/** grpcurl ends with 64 more than the code of the status: INVALID_ARGUMENT, PERMISSION_DENIED, UNAUTHENTICATED. */
const failures = [64 + 3, 64 + 7, 64 + 16];

/** Matches what the page says, where … stands for anything. */
function matching(output: string): unknown {
  const escaped = output.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll("…", ".*");
  return expect.stringMatching(new RegExp(`^${escaped}$`, "s"));
}
