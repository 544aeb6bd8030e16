import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { guardFolder } from "./reaper.ts";
import { StartError } from "./start-error.ts";

const EVERYBODY_READS = 0o004;

/** As whom, from where and on which folder Postgres runs. It refuses to run as root. */
export type Account = {
  readonly user: { uid: number; gid: number } | undefined;
  readonly binaries: string;
  /** How a program that is started in the folder of the data is told where that is. */
  pathTo(dataDir: string): string;
  /** Removes what was laid out for it. */
  release(): void;
};

/**
 * The account for a server that owns `dataDir` (made if it is not there) and runs programs from the folder `binaries`. Root becomes the
 * owner of the data, else `postgres`, else `nobody`. Where that account cannot come (a checkout under a home of mode 0700, say) it gets a
 * copy of the programs, and reaches the data through the folder in which it is started, which needs no way to it.
 */
export function accountFor(dataDir: string, binaries: string): Account {
  if (process.getuid?.() !== 0) {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    return { user: undefined, binaries, pathTo: (dir) => dir, release: () => undefined };
  }
  const user = (existsSync(dataDir) && ownerOf(dataDir)) || accountNamed("postgres") || accountNamed("nobody");
  if (!user)
    throw new StartError(
      "Postgres does not run as root, and there is neither an account `postgres` nor `nobody` for it: add one, or set DATABASE_URL.",
    );
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  chownSync(dataDir, user.uid, user.gid);
  if (canReach(user, binaries, dataDir)) return { user, binaries, pathTo: (dir) => dir, release: () => undefined };
  if (!existsSync("/proc/self/cwd")) {
    throw new StartError(
      `Postgres does not run as root, and its own account cannot reach ${dataDir}: move the checkout out of that home, or set DATABASE_URL.`,
    );
  }
  const copy = copyOf(binaries);
  return { user, binaries: copy, pathTo: () => "/proc/self/cwd", release: () => rmSync(copy, { recursive: true, force: true }) };
}

function ownerOf(path: string): { uid: number; gid: number } | undefined {
  const { uid, gid } = statSync(path);
  return uid === 0 ? undefined : { uid, gid };
}

function accountNamed(name: string): { uid: number; gid: number } | undefined {
  const id = (flag: string): number => Number.parseInt(spawnSync("id", [flag, name], { encoding: "utf8" }).stdout, 10);
  const [uid, gid] = [id("-u"), id("-g")];
  return uid > 0 && gid > 0 ? { uid, gid } : undefined;
}

function canReach(user: { uid: number; gid: number }, binaries: string, dataDir: string): boolean {
  return spawnSync("/bin/sh", ["-c", '"$1/bin/postgres" -V && cd "$2"', "sh", binaries, dataDir], { ...user, cwd: "/" }).status === 0;
}

/** The libraries and tables of the programs lie beside them, so all of it is laid out again, anew for each start. */
function copyOf(binaries: string): string {
  const copy = mkdtempSync(join(tmpdir(), "chargemesh-postgres-"));
  guardFolder(copy);
  layOut(binaries, copy);
  return copy;
}

/** Links where it can: 60 MB in 1,300 files are quickly linked and slowly copied. */
function layOut(from: string, to: string): void {
  chmodSync(to, 0o755);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) {
      mkdirSync(target);
      layOut(source, target);
    } else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else if (statSync(source).dev === statSync(to).dev && (statSync(source).mode & EVERYBODY_READS) !== 0) linkSync(source, target);
    else {
      copyFileSync(source, target);
      chmodSync(target, statSync(source).mode | 0o555);
    }
  }
}
