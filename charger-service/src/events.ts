import {
  CertificateRequestUpdated,
  CertificateUpdated,
  ChargerBooted,
  ChargerConfigurationDrifted,
  ChargerConnected,
  ChargerCreated,
  ChargerDeleted,
  ChargerDisconnected,
  ChargerFaulted,
  ChargerRecovered,
  ChargerUpdated,
  ChargingProfileAssignmentUpdated,
  ChargingProfileCreated,
  ChargingProfileDeleted,
  ChargingProfileUpdated,
  CommandUpdated,
  ConnectorStatusChanged,
  DataTransferReceived,
  DiagnosticsStatusReported,
  FirmwareStatusReported,
  FirmwareUpdateUpdated,
  IdTokenCreated,
  IdTokenDeleted,
  IdTokenUpdated,
  ReservationCreated,
  ReservationExpiring,
  ReservationUpdated,
  SecurityEventReported,
  TransactionFlagged,
  TransactionStarted,
  TransactionStopped,
  TransactionUpdated,
  UploadUpdated,
} from "@chargemesh/contracts/charger/v1/events";
import type { Transaction } from "@chargemesh/contracts/charger/v1/transaction";
import { appendEvent } from "@chargemesh/kit/outbox";
import type { CertificateRequestView } from "./db/certificate-request.ts";
import type { CertificateRow, SecurityEventRow } from "./db/certificate-tables.ts";
import type { ChargerRow } from "./db/charger.ts";
import type { AssignmentRow, ChargingProfileRow } from "./db/charging-profile-tables.ts";
import type { ConfigurationKeyRow, DataTransferRow } from "./db/configuration-tables.ts";
import type { FirmwareUpdateRow, UploadRow } from "./db/file-tables.ts";
import { idTokenByText } from "./db/id-token.ts";
import type { PowerSample } from "./db/power-curve.ts";
import type { ReservationRow } from "./db/reservation-tables.ts";
import type { CommandRow, ConnectorRow, Db, IdTokenRow, Registration, TransactionFlag, TransactionRow } from "./db/schema.ts";
import { toCertificate, toCertificateRequest, toSecurityEvent } from "./resources/certificate.ts";
import { toAssignment, toChargingProfile } from "./resources/charging-profile.ts";
import { toConfigurationKey } from "./resources/configuration.ts";
import { toDataTransfer } from "./resources/data-transfer.ts";
import { toFirmwareUpdate, toUpload } from "./resources/file.ts";
import { toReservation } from "./resources/reservation.ts";
import { toCharger, toCommand, toConnector, toIdToken, toTransaction } from "./resources.ts";

// Everything this service tells of. Each is written in the database transaction of what it tells.

export function chargerCreated(tx: Db, charger: ChargerRow): Promise<void> {
  return appendEvent(tx, ChargerCreated, charger.id, { charger: toCharger(charger, []) });
}

export function chargerUpdated(tx: Db, charger: ChargerRow, connectors: readonly ConnectorRow[]): Promise<void> {
  return appendEvent(tx, ChargerUpdated, charger.id, { charger: toCharger(charger, connectors) });
}

export function chargerDeleted(tx: Db, chargerId: string): Promise<void> {
  return appendEvent(tx, ChargerDeleted, chargerId, { chargerId });
}

export function chargerConnected(tx: Db, chargerId: string, protocol: string, remoteAddress: string): Promise<void> {
  return appendEvent(tx, ChargerConnected, chargerId, { chargerId, protocol, remoteAddress });
}

export function chargerDisconnected(tx: Db, chargerId: string, reason: string): Promise<void> {
  return appendEvent(tx, ChargerDisconnected, chargerId, { chargerId, reason });
}

export function chargerBooted(
  tx: Db,
  chargerId: string,
  registration: Registration,
  facts: { vendor: string; model: string; firmwareVersion: string },
): Promise<void> {
  const { vendor, model, firmwareVersion } = facts;
  return appendEvent(tx, ChargerBooted, chargerId, { chargerId, registration, vendor, model, firmwareVersion });
}

export function connectorStatusChanged(tx: Db, connector: ConnectorRow): Promise<void> {
  const { charger_id: chargerId, evse_id: evseId } = connector;
  return appendEvent(tx, ConnectorStatusChanged, chargerId, { chargerId, evseId, connector: toConnector(connector) });
}

export function chargerFaulted(tx: Db, connector: ConnectorRow): Promise<void> {
  return appendEvent(tx, ChargerFaulted, connector.charger_id, { ...faultOf(connector), time: connector.status_time });
}

export function chargerRecovered(tx: Db, fault: ConnectorRow, now: ConnectorRow): Promise<void> {
  const { status, status_time: time } = now;
  return appendEvent(tx, ChargerRecovered, now.charger_id, { ...faultOf(fault), time, faultTime: fault.status_time, status });
}

function faultOf({ charger_id, evse_id, connector_id, error_code, info, vendor_error_code }: ConnectorRow) {
  return {
    chargerId: charger_id,
    evseId: evse_id,
    connectorId: connector_id,
    errorCode: error_code,
    info,
    vendorErrorCode: vendor_error_code,
  };
}

/** As whoever charged may see it, for they may follow it: who stopped it by a card of theirs is not told, for the card is not the user's. */
async function toFollowed(tx: Db, row: TransactionRow): Promise<Transaction> {
  const { user_id: userId, stop_id_token: stopIdToken } = row;
  const isNoSecret = userId === null || stopIdToken === "" || stopIdToken.toLowerCase() === row.id_token.toLowerCase();
  const isOwn = isNoSecret || (await idTokenByText(tx, stopIdToken, userId)) !== undefined;
  return toTransaction(isOwn ? row : { ...row, stop_id_token: "" });
}

export function transactionStarted(tx: Db, transaction: TransactionRow): Promise<void> {
  return appendEvent(tx, TransactionStarted, String(transaction.id), { transaction: toTransaction(transaction) });
}

export async function transactionUpdated(tx: Db, row: TransactionRow): Promise<void> {
  await appendEvent(tx, TransactionUpdated, String(row.id), { transaction: await toFollowed(tx, row) });
}

export async function transactionStopped(tx: Db, row: TransactionRow, interrupted: boolean, curve: readonly PowerSample[]): Promise<void> {
  const powerCurve = curve.map(({ time, power_w }) => ({ time, powerW: power_w }));
  await appendEvent(tx, TransactionStopped, String(row.id), { transaction: await toFollowed(tx, row), interrupted, powerCurve });
}

/** Tells of the flags that a transaction has got; of none, nothing. */
export async function transactionFlagged(tx: Db, row: TransactionRow, flags: readonly TransactionFlag[]): Promise<void> {
  if (flags.length === 0) return;
  await appendEvent(tx, TransactionFlagged, String(row.id), { transaction: await toFollowed(tx, row), flags: [...flags] });
}

/** The aggregate is the id token however it is spelt: case does not count. */
export function idTokenCreated(tx: Db, row: IdTokenRow): Promise<void> {
  return appendEvent(tx, IdTokenCreated, row.folded, { idToken: toIdToken(row) });
}

export function idTokenUpdated(tx: Db, row: IdTokenRow): Promise<void> {
  return appendEvent(tx, IdTokenUpdated, row.folded, { idToken: toIdToken(row) });
}

export function idTokenDeleted(tx: Db, row: IdTokenRow): Promise<void> {
  return appendEvent(tx, IdTokenDeleted, row.folded, { idToken: toIdToken(row) });
}

export function commandUpdated(tx: Db, command: CommandRow): Promise<void> {
  return appendEvent(tx, CommandUpdated, command.id, { command: toCommand(command) });
}

export function certificateRequestUpdated(tx: Db, request: CertificateRequestView): Promise<void> {
  return appendEvent(tx, CertificateRequestUpdated, request.id, { certificateRequest: toCertificateRequest(request) });
}

export function certificateUpdated(tx: Db, certificate: CertificateRow): Promise<void> {
  return appendEvent(tx, CertificateUpdated, certificate.id, { certificate: toCertificate(certificate, new Date()) });
}

export function securityEventReported(tx: Db, event: SecurityEventRow): Promise<void> {
  return appendEvent(tx, SecurityEventReported, event.charger_id, { securityEvent: toSecurityEvent(event) });
}

export function chargerConfigurationDrifted(tx: Db, row: ConfigurationKeyRow): Promise<void> {
  return appendEvent(tx, ChargerConfigurationDrifted, row.charger_id, { configurationKey: toConfigurationKey(row) });
}

export function dataTransferReceived(tx: Db, row: DataTransferRow): Promise<void> {
  return appendEvent(tx, DataTransferReceived, row.charger_id, { dataTransfer: toDataTransfer(row) });
}

export function uploadUpdated(tx: Db, upload: UploadRow): Promise<void> {
  return appendEvent(tx, UploadUpdated, upload.id, { upload: toUpload(upload) });
}

export function firmwareUpdateUpdated(tx: Db, update: FirmwareUpdateRow): Promise<void> {
  return appendEvent(tx, FirmwareUpdateUpdated, update.id, { firmwareUpdate: toFirmwareUpdate(update) });
}

export function diagnosticsStatusReported(tx: Db, chargerId: string, status: string, time: Date): Promise<void> {
  return appendEvent(tx, DiagnosticsStatusReported, chargerId, { chargerId, status, time });
}

export function firmwareStatusReported(tx: Db, chargerId: string, status: string, time: Date): Promise<void> {
  return appendEvent(tx, FirmwareStatusReported, chargerId, { chargerId, status, time });
}

export function reservationCreated(tx: Db, reservation: ReservationRow): Promise<void> {
  return appendEvent(tx, ReservationCreated, reservation.id, { reservation: toReservation(reservation) });
}

export function reservationUpdated(tx: Db, reservation: ReservationRow): Promise<void> {
  return appendEvent(tx, ReservationUpdated, reservation.id, { reservation: toReservation(reservation) });
}

export function reservationExpiring(tx: Db, reservation: ReservationRow): Promise<void> {
  return appendEvent(tx, ReservationExpiring, reservation.id, { reservation: toReservation(reservation) });
}

export function chargingProfileCreated(tx: Db, profile: ChargingProfileRow): Promise<void> {
  return appendEvent(tx, ChargingProfileCreated, profile.id, { chargingProfile: toChargingProfile(profile) });
}

export function chargingProfileUpdated(tx: Db, profile: ChargingProfileRow): Promise<void> {
  return appendEvent(tx, ChargingProfileUpdated, profile.id, { chargingProfile: toChargingProfile(profile) });
}

export function chargingProfileDeleted(tx: Db, id: string): Promise<void> {
  return appendEvent(tx, ChargingProfileDeleted, id, { chargingProfileId: id });
}

export function assignmentUpdated(tx: Db, assignment: AssignmentRow): Promise<void> {
  return appendEvent(tx, ChargingProfileAssignmentUpdated, assignment.id, { assignment: toAssignment(assignment) });
}
