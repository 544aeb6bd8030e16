import { type Insertable, sql } from "kysely";
import type { CertificateRequestRow, CertificateRequestState } from "./certificate-tables.ts";
import type { Database, Db } from "./schema.ts";

const columns = [
  "id",
  "charger_id",
  "csr",
  "state",
  "reason",
  "subject",
  "key",
  "user_id",
  "create_time",
  "decide_time",
  "number",
] as const;

/** A request with the newest certificate that came of it. */
export type CertificateRequestView = CertificateRequestRow & { certificate_id: string | null };

function selectRequests(db: Db) {
  return db
    .selectFrom("certificate_request")
    .select(columns)
    .select(({ selectFrom }) =>
      selectFrom("certificate")
        .select("certificate.id")
        .whereRef("certificate.request_id", "=", "certificate_request.id")
        .orderBy("certificate.number", "desc")
        .limit(1)
        .as("certificate_id"),
    );
}

/** Undefined if there is none. */
export function certificateRequestById(db: Db, id: string): Promise<CertificateRequestView | undefined> {
  return selectRequests(db).where("id", "=", id).executeTakeFirst();
}

/** Newest first, after the one of this number. */
export function certificateRequestsBefore(
  db: Db,
  beforeNumber: number | undefined,
  limit: number,
  filter: { chargerId: string | undefined; state: CertificateRequestState | undefined },
): Promise<CertificateRequestView[]> {
  let query = selectRequests(db).orderBy("number", "desc").limit(limit);
  if (beforeNumber !== undefined) query = query.where("number", "<", beforeNumber);
  if (filter.chargerId !== undefined) query = query.where("charger_id", "=", filter.chargerId);
  if (filter.state !== undefined) query = query.where("state", "=", filter.state);
  return query.execute();
}

/** The newest request of this charger with this text; undefined if it has sent none such. */
export function certificateRequestByText(db: Db, chargerId: string, csr: string): Promise<CertificateRequestRow | undefined> {
  return db
    .selectFrom("certificate_request")
    .select(columns)
    .where("charger_id", "=", chargerId)
    .where("csr", "=", csr)
    .orderBy("number", "desc")
    .limit(1)
    .executeTakeFirst();
}

/** How many requests of a charger were kept since then. */
export async function requestsSince(db: Db, chargerId: string, time: Date): Promise<number> {
  const row = await db
    .selectFrom("certificate_request")
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .where("charger_id", "=", chargerId)
    .where("create_time", ">", time)
    .executeTakeFirstOrThrow();
  return row.count;
}

/** Answers the id. Breaks certificate_request_charger_id_fkey if the charger is gone. */
export async function insertCertificateRequest(tx: Db, request: Insertable<Database["certificate_request"]>): Promise<string> {
  return (await tx.insertInto("certificate_request").values(request).returning("id").executeTakeFirstOrThrow()).id;
}

/** Makes what a charger has asked for, and nobody has decided on, replaced. Answers which it was. */
export async function replacePending(tx: Db, chargerId: string): Promise<string | undefined> {
  const row = await tx
    .updateTable("certificate_request")
    .set({ state: "REPLACED", decide_time: sql<Date>`now()` })
    .where("charger_id", "=", chargerId)
    .where("state", "=", "PENDING")
    .returning("id")
    .executeTakeFirst();
  return row?.id;
}

/** Decides on a request that is pending. Undefined if it is not. */
export function decideOnRequest(
  tx: Db,
  id: string,
  state: "SIGNED" | "REJECTED",
  reason: string,
  userId: string | undefined,
): Promise<CertificateRequestRow | undefined> {
  return tx
    .updateTable("certificate_request")
    .set({ state, reason, user_id: userId ?? null, decide_time: sql<Date>`now()` })
    .where("id", "=", id)
    .where("state", "=", "PENDING")
    .returning(columns)
    .executeTakeFirst();
}

/** Forgets rejected and replaced requests that are older than so many days. */
export async function forgetRequests(db: Db, days: number): Promise<void> {
  await db
    .deleteFrom("certificate_request")
    .where("state", "in", ["REJECTED", "REPLACED"])
    .where("create_time", "<", sql<Date>`now() - make_interval(days => ${days})`)
    .execute();
}
