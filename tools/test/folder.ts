import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { scratchFolder } from "../../test/scratch.ts";
import { guardFolder } from "../servers/reaper.ts";

/** A folder for this test alone, removed with it. */
export function freshFolder(): string {
  const folder = makeFolder();
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A folder that is removed when this process ends. Everybody may pass, as Postgres runs as somebody else if we are root. */
export function makeFolder(): string {
  const folder = realpathSync(mkdtempSync(join(scratchFolder(), "chargemesh-tools-")));
  chmodSync(folder, 0o711);
  guardFolder(folder);
  return folder;
}

/** Copies a folder into another, with all that is in it; what root copies stays whose it is. */
export function copyInto(target: string, folder: string): void {
  execFileSync("cp", ["-Rp", folder, target]);
}
