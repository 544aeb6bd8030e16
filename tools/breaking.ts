// Fails if the protos break those who were built on main: `buf breaking` against where this branch left main, or, on main itself,
// against the commit before.

import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";

/** Where the older protos are laid out: inside the workspace, because they import what node_modules has. */
const OLDER = "node_modules/.cache/proto-base";

const base = findBase();
if (base === undefined || git("ls-tree", base, "buf.yaml") === undefined) {
  console.log("buf breaking: no earlier protos to compare with");
} else {
  layOut(base);
  console.log(`buf breaking: comparing with ${git("log", "-1", "--format=%h %s", base)}`);
  const { status } = spawnSync("buf", ["breaking", "--against", OLDER], { stdio: "inherit" });
  rmSync(OLDER, { recursive: true });
  process.exitCode = status ?? 1;
}

/** The commit to compare with; undefined in a clone that has but one. */
function findBase(): string | undefined {
  const head = git("rev-parse", "HEAD");
  if (head === undefined) return undefined;
  const forks = ["origin/main", "main"].map((main) => git("merge-base", main, head));
  return forks.find((commit) => commit !== undefined && commit !== head) ?? git("rev-parse", "--verify", "--quiet", "HEAD^");
}

function layOut(commit: string): void {
  rmSync(OLDER, { recursive: true, force: true });
  mkdirSync(join(OLDER, "node_modules"), { recursive: true });
  symlinkSync("../../../google-proto-files", join(OLDER, "node_modules", "google-proto-files"));
  const { stdout, status } = spawnSync("git", ["archive", commit, "proto", "buf.yaml"], { maxBuffer: 2 ** 26 });
  if (status !== 0 || spawnSync("tar", ["-x", "-C", OLDER], { input: stdout }).status !== 0) throw new Error(`cannot lay out ${commit}`);
}

/** What git prints; undefined if it fails or prints nothing. */
function git(...args: string[]): string | undefined {
  const { stdout, status } = spawnSync("git", args, { encoding: "utf8" });
  return status === 0 ? stdout.trim() || undefined : undefined;
}
