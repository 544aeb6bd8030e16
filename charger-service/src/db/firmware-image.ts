import type { FirmwareImageRow, NewFirmwareImage } from "./file-tables.ts";
import type { Db } from "./schema.ts";
import type { WholeFile } from "./upload.ts";

const columns = [
  "id",
  "number",
  "firmware_version",
  "description",
  "signature",
  "signing_certificate",
  "token_hash",
  "expire_time",
  "create_time",
  "file_key",
  "file_name",
  "size_bytes",
  "sha256",
] as const;

export function insertFirmwareImage(tx: Db, image: NewFirmwareImage): Promise<FirmwareImageRow> {
  return tx.insertInto("firmware_image").values(image).returning(columns).executeTakeFirstOrThrow();
}

export function firmwareImageById(db: Db, id: string): Promise<FirmwareImageRow | undefined> {
  return db.selectFrom("firmware_image").select(columns).where("id", "=", id).executeTakeFirst();
}

export function firmwareImageByToken(db: Db, tokenHash: Buffer): Promise<FirmwareImageRow | undefined> {
  return db.selectFrom("firmware_image").select(columns).where("token_hash", "=", tokenHash).executeTakeFirst();
}

/** Newest first, after the one of this number. */
export function firmwareImagesBefore(db: Db, beforeNumber: number | undefined, limit: number): Promise<FirmwareImageRow[]> {
  let query = db.selectFrom("firmware_image").select(columns).orderBy("number", "desc").limit(limit);
  if (beforeNumber !== undefined) query = query.where("number", "<", beforeNumber);
  return query.execute();
}

/** Gives an image its file. Undefined if it has one. */
export function fillFirmwareImage(tx: Db, id: string, file: WholeFile): Promise<FirmwareImageRow | undefined> {
  return tx
    .updateTable("firmware_image")
    .set(file)
    .where("id", "=", id)
    .where("file_key", "is", null)
    .returning(columns)
    .executeTakeFirst();
}

/** Keeps the signature of an image, and the certificate of the key that made it. */
export async function signFirmwareImage(db: Db, id: string, signature: string, certificate: string): Promise<void> {
  await db.updateTable("firmware_image").set({ signature, signing_certificate: certificate }).where("id", "=", id).execute();
}

/** Whether a charger may still fetch it. Locks it, so that none begins to. */
export async function isFirmwareImageInUse(tx: Db, id: string, now: Date): Promise<boolean> {
  await tx.selectFrom("firmware_image").select("id").where("id", "=", id).forUpdate().execute();
  const user = await tx
    .selectFrom("firmware_update")
    .select("id")
    .where("image_id", "=", id)
    .where("state", "in", ["REQUESTED", "DOWNLOADING"])
    .where("expire_time", ">", now)
    .limit(1)
    .executeTakeFirst();
  return user !== undefined;
}

export function deleteFirmwareImage(tx: Db, id: string): Promise<FirmwareImageRow | undefined> {
  return tx.deleteFrom("firmware_image").where("id", "=", id).returning(columns).executeTakeFirst();
}
