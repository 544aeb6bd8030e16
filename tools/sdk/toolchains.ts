import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { run } from "../servers/launch.ts";

export const ROOT = join(import.meta.dirname, "..", "..");
/** What is fetched and built for the SDKs and their tests. An ignored folder. */
const FETCHED = join(ROOT, ".sdk");

/** docs/grpcurl.md names it, too. */
export const GRPCURL_VERSION = "v1.9.4";

/** Runs a program in the repository's folder. Answers what it wrote; throws with that if it fails. */
export async function must(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const { code, output } = await run({ command, args, cwd: ROOT, env: { ...process.env, ...env } });
  if (code !== 0) throw new Error(`${[command, ...args].join(" ")} failed:\n${output}`);
  return output;
}

/** Why there is no Go here; undefined if there is one. */
export async function missingGo(): Promise<string | undefined> {
  return (await succeeds("go", ["version"])) ? undefined : "there is no `go` on PATH";
}

/** Why there is no Python here that can make virtual environments; undefined if there is one. */
export async function missingPython(): Promise<string | undefined> {
  const check = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))";
  return (await succeeds("python3", ["-c", check])) ? undefined : "there is no `python3` of 3.10 or newer with venv on PATH";
}

async function succeeds(command: string, args: readonly string[]): Promise<boolean> {
  try {
    return (await run({ command, args })).code === 0;
  } catch {
    return false;
  }
}

/** The variables that make `python` and `pip` those of a virtual environment of our own, with what generates and runs the SDK in it. */
export async function pythonEnv(): Promise<{ PATH: string; VIRTUAL_ENV: string }> {
  const folder = join(FETCHED, "python");
  const env = { PATH: `${join(folder, "bin")}${delimiter}${process.env.PATH}`, VIRTUAL_ENV: folder };
  const requirements = join(ROOT, "clients/python/requirements-generate.txt");
  const stamp = join(folder, ".stamp");
  const wanted = readFileSync(requirements, "utf8");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return env;
  rmSync(folder, { recursive: true, force: true });
  await must("python3", ["-m", "venv", folder]);
  await must("python", ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements], env);
  writeFileSync(stamp, wanted);
  return env;
}

/** The real grpcurl, built by Go from its source when it is first asked for. */
export async function grpcurl(): Promise<string> {
  const folder = join(FETCHED, `grpcurl-${GRPCURL_VERSION}`);
  const program = join(folder, "grpcurl");
  if (!existsSync(program)) {
    mkdirSync(folder, { recursive: true });
    await must("go", ["install", `github.com/fullstorydev/grpcurl/cmd/grpcurl@${GRPCURL_VERSION}`], { GOBIN: folder });
  }
  return program;
}
