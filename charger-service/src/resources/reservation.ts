import type { Reservation } from "@chargemesh/contracts/charger/v1/reservation";
import type { ReservationRow } from "../db/reservation-tables.ts";

export function toReservation(row: ReservationRow): Reservation {
  return {
    id: row.id,
    number: row.number,
    chargerId: row.charger_id,
    evseId: row.evse_id,
    connectorId: row.connector_id,
    idToken: row.id_token,
    parentIdToken: row.parent_id_token,
    userId: row.user_id ?? "",
    expireTime: row.expire_time,
    state: row.state,
    status: row.status,
    errorCode: row.error_code,
    transactionId: row.transaction_id === null ? "" : String(row.transaction_id),
    reserveCommandId: row.reserve_command_id ?? "",
    cancelCommandId: row.cancel_command_id ?? "",
    createTime: row.create_time,
    updateTime: row.update_time,
  };
}
