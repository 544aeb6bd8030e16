import { transact } from "@chargemesh/kit/postgres";
import { upsertConnector } from "../db/charger.ts";
import type { ConnectorRow, Db } from "../db/schema.ts";
import { connectorStatusChanged } from "../events.ts";
import { heedStatus } from "./reservation-outcome.ts";

/** A connector, or with EVSE 0 the charger as a whole, has a status. What was said before is not told again. */
export function changeConnectorStatus(db: Db, connector: ConnectorRow): Promise<void> {
  return transact(db, async (tx) => {
    if (!(await upsertConnector(tx, connector))) return;
    await connectorStatusChanged(tx, connector);
    await heedStatus(tx, connector);
  });
}
