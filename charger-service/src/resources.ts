import type { Charger, Connector, Credential, Evse } from "@chargemesh/contracts/charger/v1/charger";
import type { Command } from "@chargemesh/contracts/charger/v1/command";
import type { Connection } from "@chargemesh/contracts/charger/v1/connection";
import type { IdToken } from "@chargemesh/contracts/charger/v1/id_token";
import type { MeterValue, Transaction } from "@chargemesh/contracts/charger/v1/transaction";
import type { ChargerRow } from "./db/charger.ts";
import type { CommandRow, ConnectionRow, ConnectorRow, IdTokenRow, MeterValueRow, TransactionRow } from "./db/schema.ts";

// Rows as the contract shows them. Here and nowhere else: rpc/ answers with these, events.ts tells of them.

/** `connectors` are those of this charger, in order, the charger as a whole among them as EVSE 0. */
export function toCharger(row: ChargerRow, connectors: readonly ConnectorRow[]): Charger {
  const overall = connectors.find(({ evse_id }) => evse_id === 0);
  return {
    id: row.id,
    displayName: row.display_name,
    password: undefined,
    registration: row.registration,
    availability: row.availability,
    connected: row.replica_id !== null,
    protocol: row.protocol,
    vendor: row.vendor,
    model: row.model,
    serialNumber: row.serial_number,
    firmwareVersion: row.firmware_version,
    status: overall?.status ?? "STATUS_UNSPECIFIED",
    overall: overall && toConnector(overall),
    evses: toEvses(connectors),
    bootTime: row.boot_time ?? undefined,
    lastSeenTime: row.last_seen_time ?? undefined,
    createTime: row.create_time,
    updateTime: row.update_time,
    etag: String(row.version),
    credential: toCredential(row),
    relaxations: row.relaxations,
    securityProfile: row.security_profile > 1 ? row.security_profile : Number(row.has_password),
    certificateName: row.certificate_name,
  };
}

/** A charger as drivers see it: how it proves itself is not their business. */
export function withoutCredential(charger: Charger): Charger {
  return { ...charger, credential: undefined, relaxations: [], securityProfile: undefined, certificateName: "" };
}

function toCredential(row: ChargerRow): Credential {
  const state = (): Credential["state"] => {
    if (row.password_revoked) return "REVOKED";
    if (row.is_rotating) return "ROTATING";
    return row.has_password ? "CURRENT" : "NONE";
  };
  return {
    state: state(),
    setTime: row.password_set_time ?? undefined,
    lastUsedTime: row.password_used_time ?? undefined,
    rotateTime: row.rotate_time ?? undefined,
    rotationCommandId: row.rotation_command_id ?? "",
    rotationState: row.rotation_state ?? "STATE_UNSPECIFIED",
  };
}

function toEvses(connectors: readonly ConnectorRow[]): Evse[] {
  const evses = new Map<number, Connector[]>();
  for (const row of connectors) {
    if (row.evse_id === 0) continue;
    const beside = evses.get(row.evse_id) ?? [];
    evses.set(row.evse_id, [...beside, toConnector(row)]);
  }
  return [...evses].map(([id, of]) => ({ id, connectors: of }));
}

export function toConnector(row: ConnectorRow): Connector {
  return {
    id: row.connector_id,
    status: row.status,
    errorCode: row.error_code,
    info: row.info,
    vendorId: row.vendor_id,
    vendorErrorCode: row.vendor_error_code,
    statusTime: row.status_time,
  };
}

export function toIdToken(row: IdTokenRow): IdToken {
  return {
    idToken: row.id_token,
    type: row.type,
    status: row.status,
    expiryTime: row.expiry_time ?? undefined,
    parentIdToken: row.parent_id_token,
    userId: row.user_id ?? "",
    createTime: row.create_time,
    updateTime: row.update_time,
    etag: String(row.version),
  };
}

export function toTransaction(row: TransactionRow): Transaction {
  return {
    id: String(row.id),
    chargerId: row.charger_id,
    evseId: row.evse_id,
    connectorId: row.connector_id,
    idToken: row.id_token,
    userId: row.user_id ?? "",
    state: row.state,
    startTime: row.start_time ?? undefined,
    stopTime: row.stop_time ?? undefined,
    meterStartWh: row.meter_start_wh ?? 0,
    meterLastWh: row.meter_stop_wh ?? row.meter_last_wh ?? row.meter_start_wh ?? 0,
    meterStopWh: row.meter_stop_wh ?? undefined,
    energyWh: energyOf(row),
    powerW: row.power_w ?? undefined,
    stopReason: row.stop_reason,
    stopIdToken: row.stop_id_token,
    flags: row.flags,
    createTime: row.create_time,
    updateTime: row.update_time,
  };
}

/** Energy delivered, in Wh: up to the stop, else the last reading. 0 where it cannot be known; a flag says why. */
function energyOf(row: TransactionRow): number {
  const end = row.meter_stop_wh ?? row.meter_last_wh;
  if (row.meter_start_wh === null || end === null) return 0;
  const energy = end - row.meter_start_wh;
  return Number.isFinite(energy) ? Math.max(0, energy) : 0;
}

export function toMeterValue(row: MeterValueRow): MeterValue {
  return { time: row.time, sampledValues: row.sampled_values };
}

export function toCommand(row: CommandRow): Command {
  return {
    id: row.id,
    chargerId: row.charger_id,
    action: row.action,
    payload: row.payload,
    state: row.state,
    status: row.status,
    response: row.response ?? undefined,
    errorCode: row.error_code,
    errorDescription: row.error_description,
    transactionId: row.transaction_id === null ? "" : String(row.transaction_id),
    idempotencyKey: row.idempotency_key ?? "",
    createTime: row.create_time,
    sendTime: row.send_time ?? undefined,
    endTime: row.end_time ?? undefined,
    expireTime: row.expire_time,
    traceId: row.trace_id,
  };
}

export function toConnection(row: ConnectionRow): Connection {
  return {
    id: String(row.id),
    chargerId: row.charger_id,
    state: row.state,
    reason: row.reason,
    remoteAddress: row.remote_address,
    offeredProtocols: row.offered_protocols,
    protocol: row.protocol,
    openTime: row.open_time,
    closeTime: row.close_time ?? undefined,
    count: row.count,
    relaxations: row.relaxations,
    epoch: row.epoch ?? 0,
    securityProfile: row.security_profile,
    tlsVersion: row.tls_version,
    tlsCipher: row.tls_cipher,
    certificate: toShownCertificate(row),
    detail: row.detail,
    frames: {
      received: row.frames_received,
      sent: row.frames_sent,
      refused: row.frames_refused,
      ignored: row.frames_ignored,
      slowed: row.frames_slowed,
    },
  };
}

function toShownCertificate(row: ConnectionRow): Connection["certificate"] {
  if (row.certificate_expire_time === null) return undefined;
  return { subject: row.certificate_subject, serialNumber: row.certificate_serial_number, expireTime: row.certificate_expire_time };
}
