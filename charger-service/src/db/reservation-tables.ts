import type { Generated, GeneratedAlways, Selectable } from "kysely";

// The table of reservations; migration 0006 has it.

export type ReservationState = "PENDING" | "ACTIVE" | "UNCERTAIN" | "REFUSED" | "FAILED" | "USED" | "CANCELLED" | "EXPIRED" | "REMOVED";

interface ReservationTable {
  id: Generated<string>;
  charger_id: string;
  number: number;
  evse_id: number;
  connector_id: number;
  id_token: string;
  parent_id_token: Generated<string>;
  user_id: string | null;
  expire_time: Date;
  warn_time: Date | null;
  state: Generated<ReservationState>;
  status: Generated<string>;
  error_code: Generated<string>;
  transaction_id: number | null;
  reserve_command_id: string | null;
  cancel_command_id: string | null;
  create_time: Generated<Date>;
  update_time: Generated<Date>;
  ordinal: GeneratedAlways<number>;
}

export interface ReservationTables {
  reservation: ReservationTable;
}

export type ReservationRow = Selectable<ReservationTable>;
