import { sql } from "kysely";
import { type Line, lineColumns } from "./line.ts";
import type { ConnectionRow, ConnectionState, Db, Relaxation, SecurityProfile } from "./schema.ts";
import { toColumn } from "./text.ts";

const columns = [
  "id",
  "charger_id",
  "state",
  "reason",
  "remote_address",
  "offered_protocols",
  "protocol",
  "epoch",
  "open_time",
  "close_time",
  "minute",
  "count",
  "relaxations",
  "security_profile",
  "tls_version",
  "tls_cipher",
  "certificate_subject",
  "certificate_serial_number",
  "certificate_expire_time",
  "detail",
  "frames_received",
  "frames_sent",
  "frames_refused",
  "frames_ignored",
  "frames_slowed",
] as const;

/** Newest first, after the one of this id. */
export function connectionsBefore(
  db: Db,
  beforeId: number | undefined,
  limit: number,
  filter: { chargerId: string | undefined; state: ConnectionState | undefined },
): Promise<ConnectionRow[]> {
  let query = db.selectFrom("connection").select(columns).orderBy("id", "desc").limit(limit);
  if (beforeId !== undefined) query = query.where("id", "<", beforeId);
  if (filter.chargerId !== undefined) query = query.where("charger_id", "=", filter.chargerId);
  if (filter.state !== undefined) query = query.where("state", "=", filter.state);
  return query.execute();
}

/** Who knocks at the OCPP door, and how. */
export interface Knock {
  chargerId: string;
  remoteAddress: string;
  offeredProtocols: readonly string[];
  line: Line;
}

/** Who was let in, and by what. */
export interface Entry extends Knock {
  securityProfile: SecurityProfile;
  /** The hash of the password that was shown; null if none was needed. */
  passwordHash: Buffer | null;
  /** Without these it would have been refused. */
  relaxations: readonly Relaxation[];
}

/** Why somebody was not let in. */
export interface RefusalFacts {
  reason: string;
  /** What they tried to come in by. */
  securityProfile: SecurityProfile;
  /** What the reason does not say. */
  detail?: string;
  /** Those that would have let them in. */
  relaxations?: readonly Relaxation[];
}

/** How many of the subprotocols that somebody offered are kept of a refusal, and how much of each. */
const OFFERS_KEPT = 16;
const OFFER_CHARACTERS = 64;

/** Keeps a refusal; those of one kind within a minute share a row, which says the rest of the last one. */
export async function recordRefusal(db: Db, knock: Knock, { reason, ...facts }: RefusalFacts, now: Date): Promise<void> {
  const last = {
    close_time: now,
    relaxations: [...(facts.relaxations ?? [])],
    security_profile: facts.securityProfile,
    detail: facts.detail ?? "",
    ...lineColumns(knock.line),
  };
  await db
    .insertInto("connection")
    .values({
      charger_id: toColumn(knock.chargerId),
      state: "REFUSED",
      reason,
      remote_address: toColumn(knock.remoteAddress),
      // Whoever is refused may have offered anything.
      offered_protocols: knock.offeredProtocols.slice(0, OFFERS_KEPT).map((offer) => toColumn(offer.slice(0, OFFER_CHARACTERS))),
      open_time: now,
      minute: minuteOf(now),
      ...last,
    })
    .onConflict((conflict) =>
      conflict
        .columns(["charger_id", "reason", "remote_address", "minute"])
        // In words, not as a value: it is how Postgres finds the index in a prepared statement.
        .where("state", "=", sql.lit("REFUSED"))
        .doUpdateSet((eb) => ({ count: eb("connection.count", "+", 1), ...last })),
    )
    .execute();
}

/** The minute since 1970, in which refusals of one kind share a row. */
export function minuteOf(time: Date): number {
  return Math.floor(time.getTime() / 60_000);
}

/** How often the connections of this identity were taken over within the last minute. */
export async function takeoversInLastMinute(db: Db, chargerId: string, now: Date): Promise<number> {
  const { count } = await db
    .selectFrom("connection")
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .where("charger_id", "=", chargerId)
    .where("reason", "=", "SUPERSEDED")
    .where("close_time", ">", new Date(now.getTime() - 60_000))
    .executeTakeFirstOrThrow();
  return count;
}

/** Whether somebody holds this charger at the moment: what nobody holds is not taken from anybody. */
export async function isHeld(db: Db, chargerId: string): Promise<boolean> {
  const charger = await db.selectFrom("charger").select("replica_id").where("id", "=", chargerId).executeTakeFirst();
  return typeof charger?.replica_id === "string";
}

/**
 * Takes the next epoch of a charger for this replica, and answers it with who held the charger before and what it had to show. With `usedTime`
 * it has shown a password. Undefined if there is no such charger.
 */
export async function takeEpoch(tx: Db, chargerId: string, replicaId: string, protocol: string, usedTime: Date | undefined) {
  const before = await tx
    .selectFrom("charger")
    .select(["epoch", "replica_id", "password_hash", "password_revoked", "security_profile"])
    .where("id", "=", chargerId)
    .forUpdate()
    .executeTakeFirst();
  if (before === undefined) return undefined;
  const epoch = before.epoch + 1;
  const used = usedTime === undefined ? {} : { password_used_time: usedTime };
  await tx
    .updateTable("charger")
    .set({ epoch, replica_id: replicaId, protocol, ...used })
    .where("id", "=", chargerId)
    .execute();
  return { epoch, before };
}

/** Takes the same epoch again, if nobody holds the charger. Undefined if somebody does, or the epoch is not the newest. */
export function retakeEpoch(tx: Db, chargerId: string, epoch: number, replicaId: string): Promise<{ protocol: string } | undefined> {
  return tx
    .updateTable("charger")
    .set({ replica_id: replicaId })
    .where("id", "=", chargerId)
    .where("epoch", "=", epoch)
    .where("replica_id", "is", null)
    .returning("protocol")
    .executeTakeFirst();
}

/** Opens the row of a connection again that was taken for lost. */
export async function reopenConnection(tx: Db, chargerId: string, epoch: number): Promise<void> {
  await tx
    .updateTable("connection")
    .set({ state: "OPEN", reason: "", close_time: null })
    .where("charger_id", "=", chargerId)
    .where("epoch", "=", epoch)
    .execute();
}

/** Opens the row of a connection that was let in. */
export async function insertConnection(tx: Db, entry: Entry, protocol: string, epoch: number, now: Date): Promise<void> {
  await tx
    .insertInto("connection")
    .values({
      charger_id: entry.chargerId,
      state: "OPEN",
      remote_address: entry.remoteAddress,
      offered_protocols: [...entry.offeredProtocols],
      relaxations: [...entry.relaxations],
      security_profile: entry.securityProfile,
      ...lineColumns(entry.line),
      protocol,
      epoch,
      open_time: now,
    })
    .execute();
}

/** Closes the row of a connection, if it is open. */
export async function closeConnection(tx: Db, chargerId: string, epoch: number, reason: string, now: Date): Promise<void> {
  await tx
    .updateTable("connection")
    .set({ state: "CLOSED", reason, close_time: now })
    .where("charger_id", "=", chargerId)
    .where("epoch", "=", epoch)
    .where("state", "=", "OPEN")
    .execute();
}

/** Says that nobody holds the charger any more. False if a newer connection does. */
export async function releaseEpoch(tx: Db, chargerId: string, epoch: number): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable("charger")
    .set({ replica_id: null })
    .where("id", "=", chargerId)
    .where("epoch", "=", epoch)
    .where("replica_id", "is not", null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Renews what says that this replica lives, until `until`. */
export async function renewLease(db: Db, replicaId: string, seconds: number): Promise<void> {
  const until = sql<Date>`now() + make_interval(secs => ${seconds})`;
  await db
    .insertInto("replica")
    .values({ id: replicaId, lease_time: until })
    .onConflict((conflict) => conflict.column("id").doUpdateSet({ lease_time: until }))
    .execute();
}

/** Ends the lease of a replica that stops. */
export async function endLease(db: Db, replicaId: string): Promise<void> {
  await db.deleteFrom("replica").where("id", "=", replicaId).execute();
}

/** Takes the chargers away from replicas whose lease has run out. */
export async function releaseLost(tx: Db): Promise<{ id: string; epoch: number }[]> {
  await sql`delete from replica where lease_time < now()`.execute(tx);
  return tx
    .updateTable("charger")
    .set({ replica_id: null })
    .where("replica_id", "is not", null)
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom("replica").select("replica.id").whereRef("replica.id", "=", "charger.replica_id"))),
    )
    .returning(["id", "epoch"])
    .execute();
}

/** The chargers that this replica holds, with the epoch of each. */
export function heldBy(db: Db, replicaId: string): Promise<{ id: string; epoch: number }[]> {
  return db.selectFrom("charger").select(["id", "epoch"]).where("replica_id", "=", replicaId).execute();
}

/** Forgets connections that were before this time, a few at a time; not those that are open. */
export async function deleteConnectionsBefore(db: Db, time: Date): Promise<void> {
  const old = db
    .selectFrom("connection")
    .select("id")
    .where("open_time", "<", time)
    // In words, as the index says it.
    .where(sql<boolean>`state <> 'OPEN'`)
    .orderBy("open_time")
    .limit(1_000);
  await db.deleteFrom("connection").where("id", "in", old).execute();
}
