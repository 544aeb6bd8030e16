import { randomBytes } from "node:crypto";
import { prepare } from "@chargemesh/kit/prepared";
import { sql } from "kysely";
import type { Db } from "./schema.ts";
import { toColumn } from "./text.ts";

const factsOf = prepare((db: Db, knock: { chargerId: string; remoteAddress: string; sinceMinute: number }) =>
  db
    .selectFrom("charger")
    .select(["password_hash", "password_revoked", "relaxations", "security_profile", "certificate_name"])
    .select(({ selectFrom }) =>
      selectFrom("connection")
        .select(({ fn }) => fn.sum<number | null>("connection.count").as("count"))
        .where("charger_id", "=", knock.chargerId)
        .where("reason", "=", "WRONG_PASSWORD")
        .where("remote_address", "=", knock.remoteAddress)
        .where("minute", ">=", knock.sinceMinute)
        // As in the index that counts them.
        .where("state", "=", sql.lit("REFUSED"))
        // Those of before the password was set say nothing of it.
        .where("close_time", ">", ({ fn, ref }) => fn.coalesce(ref("charger.password_set_time"), sql<Date>`'-infinity'`))
        .as("wrong_passwords"),
    )
    .where("id", "=", knock.chargerId),
);

/**
 * What decides whether a charger is let in, and how many wrong passwords were shown for it from this address since that minute or since its
 * password was set: null if none. Undefined if nobody registered it.
 */
export async function doorFacts(db: Db, chargerId: string, remoteAddress: string, sinceMinute: number) {
  return (await factsOf(db, { chargerId, remoteAddress: toColumn(remoteAddress), sinceMinute })).rows[0];
}

export type DoorFacts = NonNullable<Awaited<ReturnType<typeof doorFacts>>>;

/** The passwords that a charger may show besides its own, newest first. */
export async function rotatingHashes(db: Db, chargerId: string): Promise<Buffer[]> {
  const rows = await db
    .selectFrom("password_rotation")
    .select("password_hash")
    .where("charger_id", "=", chargerId)
    .orderBy("id", "desc")
    .execute();
  return rows.map(({ password_hash }) => password_hash);
}

/** A charger's password and who holds its connection, kept from changing until the database transaction ends. Undefined if there is no such charger. */
export function lockPassword(tx: Db, chargerId: string) {
  return tx
    .selectFrom("charger")
    .select(["password_revoked", "epoch", "replica_id"])
    .where("id", "=", chargerId)
    .forUpdate()
    .executeTakeFirst();
}

/** The commands that carry a charger's new passwords to it, oldest first. */
export async function rotationsOf(tx: Db, chargerId: string): Promise<string[]> {
  const rows = await tx.selectFrom("password_rotation").select("command_id").where("charger_id", "=", chargerId).orderBy("id").execute();
  return rows.map(({ command_id }) => command_id);
}

/** Lets a charger show a new password as well. */
export async function insertRotation(tx: Db, chargerId: string, commandId: string, passwordHash: Buffer): Promise<void> {
  await tx.insertInto("password_rotation").values({ charger_id: chargerId, command_id: commandId, password_hash: passwordHash }).execute();
  await tx
    .updateTable("charger")
    .set({ rotate_time: sql<Date>`now()`, rotation_command_id: commandId })
    .where("id", "=", chargerId)
    .execute();
}

/** Forgets the password that a command carries. False if it carries none that is still to be shown. */
export async function deleteRotation(tx: Db, commandId: string): Promise<boolean> {
  return (await tx.deleteFrom("password_rotation").where("command_id", "=", commandId).executeTakeFirst()).numDeletedRows > 0n;
}

/** Makes the new password with this hash the charger's own, and forgets all that are older. False if it is none of its new ones. */
export async function promoteRotation(tx: Db, chargerId: string, passwordHash: Buffer, now: Date): Promise<boolean> {
  const shown = await tx
    .deleteFrom("password_rotation")
    .where("charger_id", "=", chargerId)
    .where("password_hash", "=", passwordHash)
    .returning("id")
    .executeTakeFirst();
  if (shown === undefined) return false;
  await tx.deleteFrom("password_rotation").where("charger_id", "=", chargerId).where("id", "<", shown.id).execute();
  await tx.updateTable("charger").set({ password_hash: passwordHash, password_set_time: now }).where("id", "=", chargerId).execute();
  return true;
}

const HASH_BYTES = 48;

/** Leaves a charger without a password that lets it in, and takes its connection away from whoever holds it. */
export async function revokePassword(tx: Db, chargerId: string): Promise<void> {
  await tx
    .updateTable("charger")
    .set((eb) => ({
      password_hash: randomBytes(HASH_BYTES),
      password_revoked: true,
      password_set_time: sql<Date>`now()`,
      // No command reaches that connection any more, and the replica that holds it notices even if nobody can tell it.
      epoch: eb("epoch", "+", 1),
      replica_id: null,
    }))
    .where("id", "=", chargerId)
    .execute();
}
