import { transact } from "@chargemesh/kit/postgres";
import type { Db } from "../db/schema.ts";
import { forgetUnusedFile } from "../db/stored-file.ts";
import { type FileStore, stored } from "./file-store.ts";

/** Removes from the storage what nothing names any more: what was deleted, and what broke off without our seeing to it. */
export async function removeUnusedFiles(db: Db, files: FileStore, now: Date): Promise<void> {
  const removeOne = (): Promise<string | undefined> =>
    transact(db, async (tx) => {
      const key = await forgetUnusedFile(tx, now);
      // If the storage fails, it is not forgotten.
      if (key !== undefined) await stored(files.remove(key));
      return key;
    });
  while ((await removeOne()) !== undefined);
}
