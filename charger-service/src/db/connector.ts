import { connectorColumns } from "./charger.ts";
import type { ConnectorRow, Db } from "./schema.ts";

type Place = Pick<ConnectorRow, "charger_id" | "evse_id" | "connector_id">;

/** A connector, held until the database transaction ends. Undefined if it has never said anything. */
export function lockConnector(tx: Db, { charger_id, evse_id, connector_id }: Place): Promise<ConnectorRow | undefined> {
  return tx
    .selectFrom("connector")
    .select(connectorColumns)
    .where("charger_id", "=", charger_id)
    .where("evse_id", "=", evse_id)
    .where("connector_id", "=", connector_id)
    .forUpdate()
    .executeTakeFirst();
}

/** False if there is one already. */
export async function insertConnector(tx: Db, row: ConnectorRow): Promise<boolean> {
  const { numInsertedOrUpdatedRows = 0n } = await tx
    .insertInto("connector")
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows > 0n;
}

export async function updateConnector(tx: Db, { charger_id, evse_id, connector_id, ...said }: ConnectorRow): Promise<void> {
  await tx
    .updateTable("connector")
    .set(said)
    .where("charger_id", "=", charger_id)
    .where("evse_id", "=", evse_id)
    .where("connector_id", "=", connector_id)
    .execute();
}

/** Whether a connector, or its charger as a whole, had become faulty by this time and still is. */
export async function isFaulted(db: Db, { charger_id, evse_id, connector_id }: Place, time: Date): Promise<boolean> {
  const found = await db
    .selectFrom("connector")
    .select("status")
    .where("charger_id", "=", charger_id)
    .where((eb) => eb.or([eb("evse_id", "=", 0), eb.and({ evse_id, connector_id })]))
    .where("status", "=", "FAULTED")
    .where("status_time", "<=", time)
    .limit(1)
    .executeTakeFirst();
  return found !== undefined;
}
