import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { missingPython, must, pythonEnv, ROOT } from "../../tools/sdk/toolchains.ts";
import { run } from "../../tools/servers/launch.ts";
import { type Env, startEnv } from "../env.ts";
import { runExample, STORY, settings, storyOf } from "./example.ts";

const missing = await missingPython();
/** pip may have to fetch what is under the package first. */
const INSTALL_MS = 180_000;

describe.skipIf(missing !== undefined)(missing === undefined ? "clients/python" : `clients/python (skipped: ${missing})`, () => {
  const example = join(ROOT, "clients/python/example/main.py");
  let env: Env;
  let python: Record<string, string>;
  beforeAll(async () => {
    python = await pythonEnv();
    await must(
      "python",
      ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--force-reinstall", "--no-deps", "./clients/python"],
      python,
    );
    await must("python", ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "./clients/python"], python);
    rmSync(join(ROOT, "clients/python/build"), { recursive: true, force: true });
    env = await startEnv();
  }, INSTALL_MS);
  afterAll(() => env?.stop());

  test("the example signs in, adds a charger and prints what happens to it", async () => {
    const printed = await runExample("python", [example], { ...python, ...settings(env, "of-python") }, env.ocpp);
    expect(storyOf(printed)).toEqual(STORY);
    expect(printed.events[0]).toMatchObject({ subject: "of-python", data: { charger: { id: "of-python", registration: "ACCEPTED" } } });
    expect(printed.events[1]?.data).toMatchObject({ chargerId: "of-python", protocol: "ocpp1.6" });
  });

  test("a failure is told", async () => {
    const vars = { ...process.env, ...python, ...settings(env, "of-python"), CHARGEMESH_PASSWORD: "not the one" };
    const { code, output } = await run({ command: "python", args: [example], env: vars });
    expect([code, output.trim()]).toEqual([1, "UNAUTHENTICATED The username and the password do not belong together."]);
  });

  test("the installed package is whole, with types, and needs what it says", async () => {
    const program = `
import pathlib, importlib.metadata, chargemesh.charger.v1.charger_pb2 as charger, chargemesh.email.v1.message_service_pb2_grpc
from google.rpc import error_details_pb2
print(pathlib.Path(charger.__file__).with_suffix(".pyi").exists(), charger.Charger.Registration.Name(1), "site-packages" in charger.__file__)`;
    expect((await must("python", ["-c", program], python)).trim()).toBe("True ACCEPTED True");
    expect(await must("python", ["-m", "pip", "check"], python)).toContain("No broken requirements found");
  });
});
