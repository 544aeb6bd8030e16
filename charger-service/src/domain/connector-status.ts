import { transact } from "@chargemesh/kit/postgres";
import { insertConnector, lockConnector, updateConnector } from "../db/connector.ts";
import type { ConnectorRow, Db } from "../db/schema.ts";
import { chargerFaulted, chargerRecovered, connectorStatusChanged } from "../events.ts";
import { heedStatus } from "./reservation-outcome.ts";

/** A connector, or with EVSE 0 the charger as a whole, has a status. What was said before is not told again. */
export function changeConnectorStatus(db: Db, connector: ConnectorRow): Promise<void> {
  return transact(db, async (tx) => {
    const before = await replace(tx, connector);
    if (before === "SAME") return;
    await connectorStatusChanged(tx, connector);
    await tellOfFault(tx, before, connector);
    await heedStatus(tx, connector);
  });
}

/** Keeps what a connector says, and answers what it said before; undefined if it has never said anything. */
async function replace(tx: Db, now: ConnectorRow): Promise<ConnectorRow | "SAME" | undefined> {
  for (;;) {
    const before = await lockConnector(tx, now);
    if (before !== undefined) {
      if (isSame(before, now)) return "SAME";
      await updateConnector(tx, now);
      return before;
    }
    // If not, it says its first word on another socket in this very moment.
    if (await insertConnector(tx, now)) return undefined;
  }
}

/** All but the time: chargers say again how things stand, each time as of now. */
function isSame(a: ConnectorRow, b: ConnectorRow): boolean {
  return a.status === b.status && a.info === b.info && a.vendor_id === b.vendor_id && isSameFault(a, b);
}

function isSameFault(a: ConnectorRow, b: ConnectorRow): boolean {
  return a.error_code === b.error_code && a.vendor_error_code === b.vendor_error_code;
}

async function tellOfFault(tx: Db, before: ConnectorRow | undefined, now: ConnectorRow): Promise<void> {
  const fault = before?.status === "FAULTED" ? before : undefined;
  if (now.status !== "FAULTED") {
    if (fault !== undefined) await chargerRecovered(tx, fault, now);
  } else if (fault === undefined || !isSameFault(fault, now)) await chargerFaulted(tx, now);
}
