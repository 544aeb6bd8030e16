import { createWriteStream } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { FileStore } from "../domain/file-store.ts";

/** Keeps files in a folder, which is made when it is needed. Replicas share them if they share the folder. */
export function makeDiskStore(folder: string): FileStore {
  // Not all in one folder: some file systems are slow with many.
  const pathOf = (key: string): string => join(folder, key.slice(0, 2), key);
  const partOf = (key: string): string => `${pathOf(key)}.part`;
  return {
    async put(key, content) {
      await mkdir(dirname(pathOf(key)), { recursive: true, mode: 0o700 });
      try {
        await pipeline(content, createWriteStream(partOf(key), { flags: "wx", mode: 0o600, flush: true }));
        await rename(partOf(key), pathOf(key));
        await syncFolder(dirname(pathOf(key)));
      } catch (err) {
        await rm(partOf(key), { force: true });
        throw err;
      }
    },
    async open(key, range) {
      const file = await open(pathOf(key));
      return file.createReadStream(range);
    },
    async remove(key) {
      await rm(partOf(key), { force: true });
      await rm(pathOf(key), { force: true });
    },
  };
}

/** A name survives a loss of power only once its folder is written, too. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
