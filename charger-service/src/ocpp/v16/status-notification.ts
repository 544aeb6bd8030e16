import type { Req, Res, V16 } from "@chargemesh/ocpp/version";
import type { ConnectorStatus } from "../../db/schema.ts";
import { changeConnectorStatus } from "../../domain/connector-status.ts";
import type { Charger } from "../dispatch.ts";
import { connectorPlace } from "./connector-place.ts";
import { toTime } from "./time.ts";

const statuses: Record<Req<V16, "StatusNotification">["status"], ConnectorStatus> = {
  Available: "AVAILABLE",
  Preparing: "PREPARING",
  Charging: "CHARGING",
  SuspendedEV: "SUSPENDED_EV",
  SuspendedEVSE: "SUSPENDED_EVSE",
  Finishing: "FINISHING",
  Reserved: "RESERVED",
  Unavailable: "UNAVAILABLE",
  Faulted: "FAULTED",
};

/** The status of a connector, or with connector 0 of the charger as a whole (OCPP 1.6 §4.9). */
export async function statusNotification(
  charger: Charger,
  request: Req<V16, "StatusNotification">,
): Promise<Res<V16, "StatusNotification">> {
  const { evseId, connectorId } = connectorPlace(request.connectorId);
  await changeConnectorStatus(charger.db, {
    charger_id: charger.id,
    evse_id: evseId,
    connector_id: connectorId,
    status: statuses[request.status],
    error_code: request.errorCode,
    info: request.info ?? "",
    vendor_id: request.vendorId ?? "",
    vendor_error_code: request.vendorErrorCode ?? "",
    status_time: request.timestamp === undefined ? charger.now() : toTime(request.timestamp),
  });
  return {};
}
