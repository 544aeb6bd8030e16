import type { ColumnType, Generated, GeneratedAlways, Selectable } from "kysely";

// The tables of charging profiles; migration 0007 has them.

export type ProfilePurpose = "CHARGER_MAX" | "TRANSACTION_DEFAULT" | "TRANSACTION";
export type ProfileKind = "ABSOLUTE" | "RECURRING" | "RELATIVE";
export type Recurrency = "DAILY" | "WEEKLY";
export type RateUnit = "W" | "A";

/** A limit from a moment of its schedule to that of the next. */
export interface SchedulePeriod {
  startSeconds: number;
  limit: number;
  /** Undefined is 3. */
  numberPhases?: number | undefined;
}

/** Limits, one after the other. Times are RFC 3339, in UTC. */
export interface ProfileSchedule {
  startTime?: string | undefined;
  durationSeconds?: number | undefined;
  rateUnit: RateUnit;
  periods: SchedulePeriod[];
  minChargingRate?: number | undefined;
}

/** All that a charger is told of a charging profile. Times are RFC 3339, in UTC. */
export interface ProfileContent {
  purpose: ProfilePurpose;
  stackLevel: number;
  kind: ProfileKind;
  recurrency?: Recurrency | undefined;
  validFromTime?: string | undefined;
  validToTime?: string | undefined;
  schedule: ProfileSchedule;
}

/** What a charger says that its charging profiles come to. */
export interface ScheduleReport {
  /** The charger's own word. */
  status: string;
  startTime?: string | undefined;
  durationSeconds?: number | undefined;
  rateUnit?: RateUnit | undefined;
  periods: SchedulePeriod[];
}

/** Read as it is, written as JSON text. */
type JsonColumn<T> = ColumnType<T, string, string>;

interface ChargingProfileTable {
  id: Generated<string>;
  display_name: string;
  purpose: ProfilePurpose;
  content: JsonColumn<ProfileContent>;
  version: Generated<number>;
  create_time: Generated<Date>;
  update_time: Generated<Date>;
  ordinal: GeneratedAlways<number>;
}

export type AssignmentState = "PENDING" | "INSTALLED" | "UNCERTAIN" | "REFUSED" | "FAILED" | "REPLACED" | "CLEARED" | "ENDED";

interface AssignmentTable {
  id: Generated<string>;
  charging_profile_id: string | null;
  charging_profile_version: number | null;
  charger_id: string;
  evse_id: number;
  connector_id: number;
  transaction_id: number | null;
  number: number;
  purpose: ProfilePurpose;
  stack_level: number;
  content: JsonColumn<ProfileContent>;
  state: Generated<AssignmentState>;
  status: Generated<string>;
  error_code: Generated<string>;
  command_id: string;
  with_start: Generated<boolean>;
  create_time: Generated<Date>;
  update_time: Generated<Date>;
  ordinal: GeneratedAlways<number>;
}

interface ReportedScheduleTable {
  charger_id: string;
  connector_id: number;
  command_id: string;
  report: JsonColumn<ScheduleReport>;
}

export interface ChargingProfileTables {
  charging_profile: ChargingProfileTable;
  charging_profile_assignment: AssignmentTable;
  reported_schedule: ReportedScheduleTable;
}

export type ChargingProfileRow = Selectable<ChargingProfileTable>;
export type AssignmentRow = Selectable<AssignmentTable>;
