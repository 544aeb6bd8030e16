import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { must, ROOT } from "../../tools/sdk/toolchains.ts";
import { run } from "../../tools/servers/launch.ts";
import { type Env, startEnv } from "../env.ts";
import { runExample, STORY, settings, storyOf } from "./example.ts";

// The package as somebody else has it: packed by npm, and installed from that file in a folder of their own.

const folder = mkdtempSync(join(tmpdir(), "chargemesh-typescript-"));
const installed = join(folder, "node_modules/@chargemesh/client");
const npm = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"];
let env: Env;
beforeAll(async () => {
  const [packed] = JSON.parse(
    await must("npm", ["pack", "--json", "--loglevel=silent", "--pack-destination", folder, "./clients/typescript"]),
  );
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }');
  await must("npm", ["install", "--prefix", folder, ...npm, "--prefer-offline", join(folder, packed.filename)]);
  cpSync(join(ROOT, "clients/typescript/example"), join(folder, "example"), { recursive: true });
  env = await startEnv();
}, 120_000);
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await env?.stop();
});

const example = join(folder, "example/main.ts");

describe.each(["REST", "gRPC"])("over %s", (transport) => {
  const vars = (id: string): Record<string, string> => ({
    ...settings(env, id),
    ...(transport === "REST"
      ? { CHARGEMESH_URL: env.rest }
      : { AUTH_URL: `http://${env.grpc.auth}`, CHARGER_URL: `http://${env.grpc.charger}` }),
  });

  test("the example signs in, adds a charger and prints what happens to it", async () => {
    const id = `of-${transport}`;
    const printed = await runExample(process.execPath, [example], vars(id), env.ocpp);
    expect(storyOf(printed)).toEqual(STORY);
    expect(printed.events[0]).toMatchObject({ subject: id, data: { charger: { id, registration: "ACCEPTED" } } });
    expect(printed.events[1]?.data).toMatchObject({ chargerId: id, protocol: "ocpp1.6" });
  });

  test("a failure is told", async () => {
    const wrong = { ...process.env, ...vars("of-nobody"), CHARGEMESH_PASSWORD: "not the one" };
    const { code, output } = await run({ command: process.execPath, args: [example], env: wrong });
    expect([code, output.trim()]).toEqual([1, "UNAUTHENTICATED INVALID_CREDENTIALS The username and the password do not belong together."]);
  });
});

test("its types are whole for who installs it", async () => {
  const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "esnext", "--lib", "esnext,dom,dom.asynciterable"];
  const node = ["--types", "node", "--typeRoots", join(ROOT, "node_modules/@types")];
  const check = (file: string) => run({ command: "tsc", args: [...options, ...node, file], cwd: folder });
  expect(await check("example/main.ts")).toMatchObject({ code: 0, output: "" });
  const wrong = `import { chargemesh, restTransport } from "@chargemesh/client";
await chargemesh(restTransport("")).chargers.createCharger({ charger: { ident: "CP-1" } });`;
  writeFileSync(join(folder, "wrong.ts"), wrong);
  expect(await check("wrong.ts")).toMatchObject({ code: 1, output: expect.stringContaining("'ident' does not exist") });
}, 60_000);

test("over REST, nothing of it is Node's", () => {
  const seen = new Map<string, string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    const text = readFileSync(file, "utf8");
    seen.set(file, text);
    for (const [, specifier = ""] of text.matchAll(/^(?:import|export) (?:[^"';]* from )?"([^"]+)"/gm)) {
      if (specifier.startsWith(".")) visit(resolve(dirname(file), specifier));
      else expect(specifier).toMatch(/^(@bufbuild\/protobuf|@connectrpc\/connect)(\/(wkt|wire|codegenv2))?$/);
    }
  };
  visit(join(installed, "dist/src/index.js"));
  expect(seen.size).toBeGreaterThan(20);
  expect([...seen].filter(([, text]) => /\b(process|Buffer|require)\b[.(]/.test(text)).map(([file]) => file)).toEqual([]);
});

test("it holds what it should and nothing else", async () => {
  const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  expect(JSON.stringify(manifest)).not.toMatch(/catalog:|workspace:/);
  const listed = await must("tar", ["-tzf", join(folder, `chargemesh-client-${manifest.version}.tgz`)]);
  const tops = new Set(
    listed
      .trim()
      .split("\n")
      .map((path) => path.split("/")[1]),
  );
  expect([...tops].sort()).toEqual(["README.md", "dist", "example", "package.json"]);
});

test.each(["typescript/example/main.ts", "go/example/main.go", "python/example/main.py"])("clients/%s has at most 40 lines", (file) => {
  expect(
    readFileSync(join(ROOT, "clients", file), "utf8")
      .trimEnd()
      .split("\n").length,
  ).toBeLessThanOrEqual(40);
});
