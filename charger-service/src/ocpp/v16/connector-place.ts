import { problem } from "@chargemesh/ocpp/call-error";
import { Refused } from "../dispatch.ts";

/** More than any charger has; the schema sets no limit. */
const CONNECTOR_ID_MAX = 10_000;

/** A 1.6 connector is an EVSE with one connector, both of its number. Refuses a number that no connector has. */
export function connectorPlace(connectorId: number): { evseId: number; connectorId: number } {
  if (connectorId < 0 || connectorId > CONNECTOR_ID_MAX) {
    throw new Refused(problem("PropertyConstraintViolation", `.connectorId must be in 0..${CONNECTOR_ID_MAX}`));
  }
  return { evseId: connectorId, connectorId };
}
