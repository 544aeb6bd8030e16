import type { Db } from "./schema.ts";

/** Says that something will be written under this key, until this time. */
export async function insertStoredFile(db: Db, key: string, writeTime: Date): Promise<void> {
  await db.insertInto("stored_file").values({ key, write_time: writeTime }).execute();
}

/** Makes a file that nothing names any more one that may be removed at once. */
export async function releaseStoredFile(tx: Db, key: string, now: Date): Promise<void> {
  await tx.updateTable("stored_file").set({ write_time: now }).where("key", "=", key).execute();
}

/** Forgets one file that nothing names and nobody writes any more, and answers its key. Undefined if there is none. */
export async function forgetUnusedFile(tx: Db, now: Date): Promise<string | undefined> {
  const unused = tx
    .selectFrom("stored_file")
    .select("key")
    .where("write_time", "<=", now)
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom("upload").select("upload.id").whereRef("upload.file_key", "=", "stored_file.key"))),
    )
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom("firmware_image").select("firmware_image.id").whereRef("firmware_image.file_key", "=", "stored_file.key"))),
    )
    .limit(1)
    .forUpdate()
    .skipLocked();
  const row = await tx.deleteFrom("stored_file").where("key", "=", unused).returning("key").executeTakeFirst();
  return row?.key;
}
