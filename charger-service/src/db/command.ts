import { jsonText } from "@chargemesh/kit/postgres";
import { type Insertable, sql } from "kysely";
import { folded } from "./id-token.ts";
import type { CommandRow, CommandState, Database, Db, Json } from "./schema.ts";
import { toColumn } from "./text.ts";

const columns = [
  "id",
  "charger_id",
  "action",
  "payload",
  "state",
  "status",
  "response",
  "error_code",
  "error_description",
  "transaction_id",
  "start_id_token",
  "start_connector_id",
  "idempotency_key",
  "user_id",
  "epoch",
  "create_time",
  "send_time",
  "end_time",
  "expire_time",
  "waits",
  "sealed_secret",
  "trace_id",
  "number",
] as const;

/** Undefined if this charger has none of this id; with `userId`, none that this user asked for. */
export function commandById(db: Db, chargerId: string, id: string, userId?: string): Promise<CommandRow | undefined> {
  let query = db.selectFrom("command").select(columns).where("id", "=", id).where("charger_id", "=", chargerId);
  if (userId !== undefined) query = query.where("user_id", "=", userId);
  return query.executeTakeFirst();
}

/** Newest first, after the one of this number. */
export function commandsBefore(
  db: Db,
  chargerId: string,
  beforeNumber: number | undefined,
  limit: number,
  userId: string | undefined,
): Promise<CommandRow[]> {
  let query = db.selectFrom("command").select(columns).where("charger_id", "=", chargerId).orderBy("number", "desc").limit(limit);
  if (beforeNumber !== undefined) query = query.where("number", "<", beforeNumber);
  if (userId !== undefined) query = query.where("user_id", "=", userId);
  return query.execute();
}

/** Undefined if this user has used its idempotency key before. Breaks command_charger_id_fkey if the charger is gone. */
export function insertCommand(tx: Db, command: Insertable<Database["command"]>): Promise<CommandRow | undefined> {
  return tx
    .insertInto("command")
    .values(command)
    .onConflict((conflict) =>
      conflict.columns(["charger_id", "user_id", "idempotency_key"]).where("idempotency_key", "is not", null).doNothing(),
    )
    .returning(columns)
    .executeTakeFirst();
}

/** The command that this user asked for with this idempotency key; undefined if there is none, or somebody else's. */
export function commandByKey(db: Db, chargerId: string, key: string, userId: string | undefined): Promise<CommandRow | undefined> {
  return db
    .selectFrom("command")
    .select(columns)
    .where("charger_id", "=", chargerId)
    .where("idempotency_key", "=", key)
    .where("user_id", userId === undefined ? "is" : "=", userId ?? null)
    .executeTakeFirst();
}

/** What waits for a charger, oldest first. */
export function queuedCommands(db: Db, chargerId: string): Promise<CommandRow[]> {
  return db
    .selectFrom("command")
    .select(columns)
    .where("charger_id", "=", chargerId)
    .where("state", "=", "QUEUED")
    .where("waits", "=", true)
    .orderBy("number")
    .execute();
}

/** The chargers of this replica for which something waits. */
export async function chargersWithQueue(db: Db, replicaId: string): Promise<string[]> {
  const rows = await db
    .selectFrom("command")
    .innerJoin("charger", "charger.id", "command.charger_id")
    .select("charger_id")
    .distinct()
    .where("state", "=", "QUEUED")
    .where("waits", "=", true)
    .where("replica_id", "=", replicaId)
    .execute();
  return rows.map(({ charger_id }) => charger_id);
}

/**
 * Makes a queued command sent, for the connection of this epoch. Undefined if it is not to be sent: it was, it is too late, or the connection is not the newest.
 * Whoever gets the row sends it; nobody else ever will.
 */
export function claimCommand(tx: Db, id: string, epoch: number): Promise<CommandRow | undefined> {
  return tx
    .updateTable("command")
    .set({ state: "SENT", send_time: sql<Date>`now()`, epoch })
    .where("id", "=", id)
    .where("state", "=", "QUEUED")
    .where("expire_time", ">", sql<Date>`now()`)
    .where(({ exists, selectFrom }) =>
      exists(selectFrom("charger").select("id").whereRef("charger.id", "=", "command.charger_id").where("charger.epoch", "=", epoch)),
    )
    .returning(columns)
    .executeTakeFirst();
}

/** How a command ended. */
export interface CommandEnd {
  state: Exclude<CommandState, "QUEUED" | "SENT">;
  status?: string;
  response?: Json;
  errorCode?: string;
  errorDescription?: string;
}

/** Ends a command that is in one of the states `from`. Undefined if it is not. */
export function endCommand(tx: Db, id: string, from: readonly CommandState[], end: CommandEnd): Promise<CommandRow | undefined> {
  return tx
    .updateTable("command")
    .set({
      state: end.state,
      status: end.status ?? "",
      response: end.response === undefined ? null : jsonText(end.response),
      error_code: toColumn(end.errorCode ?? ""),
      error_description: toColumn(end.errorDescription ?? ""),
      sealed_secret: null,
      end_time: sql<Date>`now()`,
    })
    .where("id", "=", id)
    .where("state", "in", from)
    .returning(columns)
    .executeTakeFirst();
}

/** Ends what waited too long for its charger, so many at most, and none that somebody else has in hand. */
export function expireCommands(tx: Db, limit: number): Promise<CommandRow[]> {
  return tx
    .updateTable("command")
    .set({
      state: "EXPIRED",
      error_code: "CHARGER_OFFLINE",
      error_description: "The charger was not there in time.",
      sealed_secret: null,
      end_time: sql<Date>`now()`,
    })
    .where("id", "in", ({ selectFrom }) =>
      selectFrom("command")
        .select("id")
        .where("state", "=", "QUEUED")
        .where("expire_time", "<=", sql<Date>`now()`)
        .limit(limit)
        .forUpdate()
        .skipLocked(),
    )
    .returning(columns)
    .execute();
}

/** Ends what was sent on a connection that is no more: whoever waited for the answer is gone. So many at most, and none that somebody else has in hand. */
export function failOrphans(tx: Db, limit: number): Promise<CommandRow[]> {
  return tx
    .updateTable("command")
    .set({
      state: "FAILED",
      error_code: "CONNECTION_LOST",
      error_description: "The connection was lost before the charger answered. It may have done it.",
      sealed_secret: null,
      end_time: sql<Date>`now()`,
    })
    .where("id", "in", ({ selectFrom }) =>
      selectFrom("command")
        .select("id")
        .where("state", "=", "SENT")
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom("charger")
                .select("id")
                .whereRef("charger.id", "=", "command.charger_id")
                .whereRef("charger.epoch", "=", "command.epoch")
                .where("charger.replica_id", "is not", null),
            ),
          ),
        )
        .limit(limit)
        .forUpdate()
        .skipLocked(),
    )
    .returning(columns)
    .execute();
}

/** How long after a remote start its transaction may begin (decision 7). */
export const LINK_SECONDS = 120;

/** Tells the oldest remote start that waits for such a transaction that this is it. Undefined if none does. */
export function linkRemoteStart(
  tx: Db,
  transaction: { id: number; charger_id: string; connector_id: number; id_token: string },
): Promise<CommandRow | undefined> {
  return tx
    .updateTable("command")
    .set({ transaction_id: transaction.id })
    .where("id", "=", ({ selectFrom }) =>
      selectFrom("command")
        .select("id")
        .where("charger_id", "=", transaction.charger_id)
        .where(sql`lower(start_id_token)`, "=", folded(transaction.id_token))
        .where("start_connector_id", "in", [0, transaction.connector_id])
        .where("transaction_id", "is", null)
        .where("state", "in", ["SENT", "ACCEPTED", "TIMED_OUT", "FAILED"])
        .where("send_time", ">", sql<Date>`now() - make_interval(secs => ${LINK_SECONDS})`)
        .orderBy("number")
        .limit(1)
        .forUpdate(),
    )
    .returning(columns)
    .executeTakeFirst();
}
