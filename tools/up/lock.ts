import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commandOf, folderOf, pidIn } from "../servers/processes.ts";
import { StartError } from "../servers/start-error.ts";
import type { Folders } from "./folders.ts";

/** Makes us the only one who runs the system of this folder, until what is returned is called. Throws StartError if somebody is. */
export function takeLock({ root, run }: Folders): () => void {
  const file = join(run, "up.pid");
  const pid = pidIn(file);
  if (pid !== undefined && isUp(pid, root)) {
    throw new StartError(
      `Chargemesh runs in this folder already (process ${pid}): end it with Ctrl-C where it runs, or with \`kill ${pid}\`.`,
    );
  }
  // One that was killed leaves its file behind.
  rmSync(file, { force: true });
  writeFileSync(file, `${process.pid}\n`, { flag: "wx" });
  return () => rmSync(file, { force: true });
}

function isUp(pid: number, root: string): boolean {
  const folder = folderOf(pid);
  return pid !== process.pid && commandOf(pid).includes("up.ts") && (folder === undefined || folder === root);
}
