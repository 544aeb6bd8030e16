import type { Generated } from "kysely";
import type { MessageDirection, MessageType, Relaxation } from "./schema.ts";

interface MessageTable {
  charger_id: string;
  time: Date;
  number: Generated<number>;
  direction: MessageDirection;
  type: MessageType;
  message_id: string;
  action: string;
  frame: string;
  characters: number;
  error_code: string;
  trace_id: string;
  epoch: number;
  latency_ms: number | null;
  relaxations: Relaxation[];
}

interface VendorRelaxationTable {
  id: Generated<string>;
  vendor: string;
  model: string;
  relaxations: Relaxation[];
  version: Generated<number>;
  create_time: Generated<Date>;
  update_time: Generated<Date>;
}

interface RelaxationUseTable {
  charger_id: string;
  relaxation: Relaxation;
  allowed: boolean;
  count: number;
  last_time: Date;
  last_action: string;
  last_field: string;
}

/** The frame log, and where messages depart from their schemas. */
export interface MessageTables {
  message: MessageTable;
  vendor_relaxation: VendorRelaxationTable;
  relaxation_use: RelaxationUseTable;
}
