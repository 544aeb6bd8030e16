import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { missingGo, must } from "../../tools/sdk/toolchains.ts";
import { run } from "../../tools/servers/launch.ts";
import { type Env, startEnv } from "../env.ts";
import { runExample, STORY, settings, storyOf } from "./example.ts";

const missing = await missingGo();
/** Go may have to fetch and build what is under the example first. */
const BUILD_MS = 300_000;

describe.skipIf(missing !== undefined)(missing === undefined ? "clients/go" : `clients/go (skipped: ${missing})`, () => {
  const folder = mkdtempSync(join(tmpdir(), "chargemesh-go-"));
  const program = join(folder, "example");
  let env: Env;
  beforeAll(async () => {
    await must("go", ["-C", "clients/go", "build", "-o", program, "./example"]);
    env = await startEnv();
  }, BUILD_MS);
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await env?.stop();
  });

  test("the example signs in, adds a charger and prints what happens to it", async () => {
    const printed = await runExample(program, [], settings(env, "of-go"), env.ocpp);
    expect(storyOf(printed)).toEqual(STORY);
    expect(printed.events[0]).toMatchObject({ subject: "of-go", data: { charger: { id: "of-go", registration: "ACCEPTED" } } });
    expect(printed.events[1]?.data).toMatchObject({ chargerId: "of-go", protocol: "ocpp1.6" });
  });

  test("a failure is told", async () => {
    const vars = { ...process.env, ...settings(env, "of-go"), CHARGEMESH_PASSWORD: "not the one" };
    const { code, output } = await run({ command: program, args: [], env: vars });
    expect([code, output]).toEqual([1, expect.stringContaining("code = Unauthenticated")]);
  });

  test(
    "the example is formatted, and go vet has nothing to say",
    async () => {
      expect(await must("gofmt", ["-l", "clients/go/example"])).toBe("");
      expect(await must("go", ["-C", "clients/go", "vet", "./example"])).toBe("");
      await must("go", ["-C", "clients/go", "mod", "verify"]);
    },
    BUILD_MS,
  );
});
