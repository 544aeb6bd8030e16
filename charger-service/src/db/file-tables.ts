import type { ColumnType, Generated, GeneratedAlways, Insertable, Selectable } from "kysely";

// The tables of uploads and firmware; migration 0010 has them.

export type UploadKind = "DIAGNOSTICS" | "DIAGNOSTICS_LOG" | "SECURITY_LOG";
export type UploadState = "REQUESTED" | "UPLOADING" | "UPLOADED" | "FAILED" | "EXPIRED" | "CANCELLED";
export type FirmwareUpdateState =
  | "REQUESTED"
  | "DOWNLOADING"
  | "DOWNLOADED"
  | "INSTALLING"
  | "INSTALLED"
  | "FAILED"
  | "EXPIRED"
  | "CANCELLED";

/** What a charger said of a firmware update; the time is ISO 8601. */
export interface FirmwareStep {
  status: string;
  time: string;
}

interface StoredFileTable {
  key: string;
  write_time: Date;
}

/** What a row knows of its file; null until the whole file is there. */
interface FileColumns {
  file_key: string | null;
  file_name: Generated<string>;
  size_bytes: number | null;
  sha256: Buffer | null;
}

interface UploadTable extends FileColumns {
  id: string;
  number: GeneratedAlways<number>;
  charger_id: string;
  kind: UploadKind;
  state: Generated<UploadState>;
  status: Generated<string>;
  command_id: string;
  request_id: number;
  log_start_time: Date | null;
  log_stop_time: Date | null;
  token_hash: Buffer;
  expire_time: Date;
  create_time: Generated<Date>;
  update_time: Generated<Date>;
}

interface FirmwareImageTable extends FileColumns {
  id: string;
  number: GeneratedAlways<number>;
  firmware_version: string;
  description: string;
  signature: Generated<string>;
  signing_certificate: Generated<string>;
  token_hash: Buffer;
  expire_time: Date;
  create_time: Generated<Date>;
}

interface FirmwareUpdateTable {
  id: string;
  number: GeneratedAlways<number>;
  charger_id: string;
  state: Generated<FirmwareUpdateState>;
  status: Generated<string>;
  steps: ColumnType<FirmwareStep[], never, string>;
  image_id: string | null;
  location: string;
  firmware_version: string;
  previous_version: string;
  booted_version: Generated<string>;
  confirm_time: Date | null;
  retrieve_time: Date;
  install_time: Date | null;
  signed: boolean;
  signature: string;
  signing_certificate: string;
  command_id: string;
  request_id: number;
  token_hash: Buffer | null;
  expire_time: Date;
  create_time: Generated<Date>;
  update_time: Generated<Date>;
}

export interface FileTables {
  stored_file: StoredFileTable;
  upload: UploadTable;
  firmware_image: FirmwareImageTable;
  firmware_update: FirmwareUpdateTable;
}

export type UploadRow = Selectable<UploadTable>;
export type NewUpload = Insertable<UploadTable>;
export type FirmwareImageRow = Selectable<FirmwareImageTable>;
export type NewFirmwareImage = Insertable<FirmwareImageTable>;
export type FirmwareUpdateRow = Selectable<FirmwareUpdateTable>;
export type NewFirmwareUpdate = Insertable<FirmwareUpdateTable>;
