import type { OutboxTable } from "@chargemesh/kit/outbox";
import type { ColumnType, Generated, GeneratedAlways, Insertable, Kysely, Selectable } from "kysely";
import type { CertificateTables } from "./certificate-tables.ts";
import type { ChargingProfileTables } from "./charging-profile-tables.ts";
import type { ConfigurationTables } from "./configuration-tables.ts";
import type { FileTables } from "./file-tables.ts";
import type { MessageTables } from "./message-tables.ts";
import type { ReservationTables } from "./reservation-tables.ts";
import type { WebhookTables } from "./webhook-tables.ts";

/** The Postgres schema of this service. */
export const SCHEMA = "ocpp";

export type Registration = "ACCEPTED" | "PENDING" | "REJECTED";
export type Availability = "AVAILABLE" | "UNAVAILABLE";
/** Where a charger departs from what OCPP has, at the door and in its messages; the contract says what each means. */
export type Relaxation =
  | "HEX_PASSWORD_TEXT"
  | "ANY_BASIC_USER"
  | "EXTRA_FIELDS"
  | "LONG_STRINGS"
  | "ENUM_CASE"
  | "UNKNOWN_WORDS"
  | "TIME_WITHOUT_ZONE"
  | "TIME_NOTATION"
  | "NUMBER_STRINGS"
  | "FRACTIONS"
  | "FINE_NUMBERS"
  | "NULL_FIELDS"
  | "EMPTY_STRINGS"
  | "MISSING_FIELDS"
  | "SINGLE_ITEMS";
/** What a charger shows to come in: nothing, its password, that over TLS, or a certificate of its own (security whitepaper, section 2). */
export type SecurityProfile = 0 | 1 | 2 | 3;
export type ConnectorStatus =
  | "AVAILABLE"
  | "PREPARING"
  | "CHARGING"
  | "SUSPENDED_EV"
  | "SUSPENDED_EVSE"
  | "FINISHING"
  | "RESERVED"
  | "UNAVAILABLE"
  | "FAULTED"
  | "OCCUPIED";
export type IdTokenType = "CENTRAL" | "E_MAID" | "ISO14443" | "ISO15693" | "KEY_CODE" | "LOCAL" | "MAC_ADDRESS" | "NO_AUTHORIZATION";
export type IdTokenStatus = "ACCEPTED" | "BLOCKED";
export type TransactionState = "ACTIVE" | "STOPPED";
export type TransactionFlag =
  | "ID_TOKEN_UNKNOWN"
  | "ID_TOKEN_REJECTED"
  | "OFFLINE_START"
  | "NO_START"
  | "METER_WENT_BACKWARDS"
  | "CLOCK_UNSET"
  | "STOP_MISSING"
  | "STOP_BEFORE_START"
  | "STOP_DISPUTED"
  | "RESERVED_FOR_ANOTHER";
export type CommandState = "QUEUED" | "SENT" | "ACCEPTED" | "REJECTED" | "FAILED" | "TIMED_OUT" | "EXPIRED";
export type ConnectionState = "OPEN" | "CLOSED" | "REFUSED";
/** Which way a frame went. */
export type MessageDirection = "FROM_CHARGER" | "TO_CHARGER";
export type MessageType = "CALL" | "CALLRESULT" | "CALLERROR" | "UNREADABLE";
export type Json = { [key: string]: unknown };

/** Read as it is, written as JSON text. */
type JsonColumn<T> = ColumnType<T, string, string>;

interface ChargerTable {
  id: string;
  display_name: Generated<string>;
  password_hash: Buffer | null;
  registration: Generated<Registration>;
  availability: Generated<Availability>;
  protocol: Generated<string>;
  vendor: Generated<string>;
  model: Generated<string>;
  serial_number: Generated<string>;
  firmware_version: Generated<string>;
  boot_count: Generated<number>;
  boot_time: Date | null;
  epoch: Generated<number>;
  replica_id: string | null;
  relaxations: Generated<Relaxation[]>;
  security_profile: Generated<SecurityProfile>;
  certificate_name: Generated<string>;
  diagnostics_status: Generated<string>;
  firmware_status: Generated<string>;
  password_set_time: Date | null;
  password_used_time: Date | null;
  password_revoked: Generated<boolean>;
  rotate_time: Date | null;
  rotation_command_id: string | null;
  version: Generated<number>;
  create_time: Generated<Date>;
  update_time: Generated<Date>;
}

interface PasswordRotationTable {
  id: GeneratedAlways<number>;
  charger_id: string;
  password_hash: Buffer;
  command_id: string;
}

interface ChargerLivenessTable {
  charger_id: string;
  last_seen_time: Date;
}

interface ConnectorTable {
  charger_id: string;
  evse_id: number;
  connector_id: number;
  status: ConnectorStatus;
  error_code: string;
  info: string;
  vendor_id: string;
  vendor_error_code: string;
  status_time: Date;
}

interface IdTokenTable {
  id_token: string;
  folded: GeneratedAlways<string>;
  type: Generated<IdTokenType>;
  status: Generated<IdTokenStatus>;
  expiry_time: Date | null;
  parent_id_token: Generated<string>;
  user_id: string | null;
  version: Generated<number>;
  create_time: Generated<Date>;
  update_time: Generated<Date>;
}

interface TransactionTable {
  id: GeneratedAlways<number>;
  charger_id: string;
  evse_id: number;
  connector_id: number;
  id_token: string;
  id_token_status: string;
  user_id: string | null;
  state: TransactionState;
  start_time: Date | null;
  stop_time: Date | null;
  meter_start_wh: number | null;
  meter_last_wh: number | null;
  meter_last_time: Date | null;
  meter_stop_wh: number | null;
  power_w: number | null;
  stop_reason: Generated<string>;
  stop_id_token: Generated<string>;
  flags: Generated<TransactionFlag[]>;
  boot_count: Generated<number>;
  reported_id: number | null;
  create_time: Generated<Date>;
  update_time: Generated<Date>;
}

/** One reading in the words of the contract. */
export interface SampledValue {
  value: string;
  context: string;
  format: string;
  measurand: string;
  phase: string;
  location: string;
  unit: string;
}

interface MeterValueTable {
  charger_id: string;
  evse_id: number;
  connector_id: number;
  transaction_id: number;
  time: Date;
  payload_hash: string;
  sampled_values: JsonColumn<SampledValue[]>;
  power_w: number | null;
  energy_wh: number | null;
}

interface CommandTable {
  id: Generated<string>;
  charger_id: string;
  action: string;
  payload: JsonColumn<Json>;
  state: Generated<CommandState>;
  status: Generated<string>;
  response: ColumnType<Json | null, string | null, string | null>;
  error_code: Generated<string>;
  error_description: Generated<string>;
  transaction_id: number | null;
  start_id_token: string | null;
  start_connector_id: number | null;
  idempotency_key: string | null;
  user_id: string | null;
  epoch: number | null;
  create_time: Generated<Date>;
  send_time: Date | null;
  end_time: Date | null;
  expire_time: Date;
  /** Whether it may wait for an offline charger, and not only its turn. */
  waits: Generated<boolean>;
  /** The request that it came of; empty of those from before it was kept. */
  trace_id: Generated<string>;
  /** What stands for SECRET in the payload, encrypted; null if nothing does, or once it has ended. */
  sealed_secret: string | null;
  number: GeneratedAlways<number>;
}

interface ReplicaTable {
  id: string;
  lease_time: Date;
}

interface ConnectionTable {
  id: GeneratedAlways<number>;
  charger_id: string;
  state: ConnectionState;
  reason: Generated<string>;
  remote_address: Generated<string>;
  offered_protocols: Generated<string[]>;
  protocol: Generated<string>;
  epoch: number | null;
  open_time: Generated<Date>;
  close_time: Date | null;
  minute: number | null;
  count: Generated<number>;
  relaxations: Generated<Relaxation[]>;
  security_profile: Generated<SecurityProfile>;
  tls_version: Generated<string>;
  tls_cipher: Generated<string>;
  certificate_subject: Generated<string>;
  certificate_serial_number: Generated<string>;
  certificate_expire_time: Date | null;
  detail: Generated<string>;
  frames_received: Generated<number>;
  frames_sent: Generated<number>;
  frames_refused: Generated<number>;
  frames_ignored: Generated<number>;
  frames_slowed: Generated<number>;
}

export interface Database
  extends CertificateTables,
    ChargingProfileTables,
    ConfigurationTables,
    FileTables,
    MessageTables,
    ReservationTables,
    WebhookTables {
  charger: ChargerTable;
  charger_liveness: ChargerLivenessTable;
  password_rotation: PasswordRotationTable;
  connector: ConnectorTable;
  id_token: IdTokenTable;
  transaction: TransactionTable;
  meter_value: MeterValueTable;
  command: CommandTable;
  replica: ReplicaTable;
  connection: ConnectionTable;
  outbox: OutboxTable;
}

/** The database, or a transaction in it. */
export type Db = Kysely<Database>;

export type ConnectorRow = Selectable<ConnectorTable>;
export type IdTokenRow = Selectable<IdTokenTable>;
export type TransactionRow = Selectable<TransactionTable>;
export type NewMeterValue = Insertable<MeterValueTable>;
/** A reading as the charger said it. */
export type MeterValueRow = Omit<Selectable<MeterValueTable>, "power_w" | "energy_wh">;
export type CommandRow = Selectable<CommandTable>;
export type ConnectionRow = Selectable<ConnectionTable>;
