import { problem } from "@chargemesh/ocpp/call-error";
import { type Call, resultFrame } from "@chargemesh/ocpp/frame";
import { v16 } from "@chargemesh/ocpp/version";
import { certificateSigned, deleteCertificate, getInstalledCertificateIds, installCertificate } from "./certificates.ts";
import { clearChargingProfile, getCompositeSchedule, setChargingProfile } from "./charging-profiles.ts";
import { changeConfiguration, getConfiguration, isOn, isPasswordKey } from "./configuration.ts";
import { signedUpdateFirmware, updateFirmware } from "./firmware.ts";
import { beatLater, connectAnew, restart } from "./lifecycle.ts";
import { reply } from "./link.ts";
import { getLocalListVersion, sendLocalList } from "./local-list.ts";
import type { Handled, Received, Request } from "./messages.ts";
import { cancelReservation, mayUse, reserveNow } from "./reservations.ts";
import { reportSecurity } from "./security-log.ts";
import { admit, endTransaction, isFree, plugIn, presentToken, sampleAnew, someVehicle } from "./session.ts";
import { type Charger, type Connector, connectorOf, emit, type Part } from "./state.ts";
import { partsOf, refresh } from "./status.ts";
import { extendedTriggerMessage, triggerMessage } from "./triggers.ts";
import { getDiagnostics, getLog } from "./uploads.ts";

type Commands = { readonly [A in Received]: (charger: Charger, request: Request<A>) => Handled<A> };

/** What the CSMS may ask of this charger: everything that OCPP 1.6 and its security whitepaper have. */
const commands: Commands = {
  CancelReservation: cancelReservation,
  CertificateSigned: certificateSigned,
  ChangeAvailability: changeAvailability,
  ChangeConfiguration(charger, request) {
    const answer = changeConfiguration(charger, request);
    return answer.status === "Accepted" ? { answer, after: () => obey(charger, request.key) } : { answer };
  },
  // It has no cache to clear (section 5.4).
  ClearCache: () => ({ answer: { status: "Rejected" } }),
  ClearChargingProfile: clearChargingProfile,
  DataTransfer: () => ({ answer: { status: "UnknownVendorId" } }),
  DeleteCertificate: deleteCertificate,
  ExtendedTriggerMessage: extendedTriggerMessage,
  GetCompositeSchedule: getCompositeSchedule,
  GetConfiguration: (charger, request) => ({ answer: getConfiguration(charger, request) }),
  GetDiagnostics: getDiagnostics,
  GetInstalledCertificateIds: getInstalledCertificateIds,
  GetLocalListVersion: getLocalListVersion,
  GetLog: getLog,
  InstallCertificate: installCertificate,
  RemoteStartTransaction: remoteStart,
  RemoteStopTransaction: remoteStop,
  ReserveNow: reserveNow,
  Reset(charger, { type }) {
    const after = (): void => {
      reportSecurity(charger, "ResetOrReboot", type);
      restart(charger, type);
    };
    return { answer: { status: "Accepted" }, after };
  },
  SendLocalList: sendLocalList,
  SetChargingProfile: setChargingProfile,
  SignedUpdateFirmware: signedUpdateFirmware,
  TriggerMessage: triggerMessage,
  UnlockConnector: unlockConnector,
  UpdateFirmware: updateFirmware,
};

/** Answers a CALL of the CSMS, with a CALLERROR where it is none that this charger knows or not as OCPP has it. */
export function receive(charger: Charger, { id, action, payload }: Call): void {
  const wrong = v16.checkSender("csms", action) ?? v16.checkRequest(action, payload);
  if (wrong !== undefined || !isKnown(action)) {
    reply(charger.link, v16.refusal(id, wrong ?? problem("NotImplemented", `${action} is not known`)));
    return;
  }
  const { answer, after } = run(charger, action, payload);
  reply(charger.link, resultFrame(id, answer));
  emit(charger, { type: "command", action, request: payload, response: answer });
  after?.();
}

/** Its schema was checked before. */
function run<A extends Received>(charger: Charger, action: A, payload: object): Handled<A> {
  return commands[action](charger, payload as Request<A>);
}

function isKnown(action: string): action is Received {
  return Object.hasOwn(commands, action);
}

/** Section 5.2: what charges is not interrupted. For connector 0 it counts for all. */
function changeAvailability(charger: Charger, { connectorId, type }: Request<"ChangeAvailability">): Handled<"ChangeAvailability"> {
  const parts: readonly Part[] =
    connectorId === 0 ? partsOf(charger) : [connectorOf(charger, connectorId)].filter((part) => part !== undefined);
  if (parts.length === 0) return { answer: { status: "Rejected" } };
  const operative = type === "Operative";
  const busy = operative ? [] : parts.filter((part) => connectorOf(charger, part.id)?.transaction !== undefined);
  const after = (): void => {
    for (const part of parts) {
      part.operativeNext = busy.includes(part) ? operative : undefined;
      if (busy.includes(part)) continue;
      part.operative = operative;
      refresh(charger, part);
    }
  };
  return { answer: { status: busy.length === 0 ? "Accepted" : "Scheduled" }, after };
}

/** What a changed key changes at once. */
function obey(charger: Charger, key: string): void {
  if (/^HeartbeatInterval$/i.test(key)) beatLater(charger);
  if (/^MeterValueSampleInterval$/i.test(key)) sampleAnew(charger);
  if (isPasswordKey(key)) connectAnew(charger);
}

/** Section 5.11. Without a connector: one that is kept for the token, one where a vehicle waits, else any that is free. */
function remoteStart(charger: Charger, request: Request<"RemoteStartTransaction">): Handled<"RemoteStartTransaction"> {
  const { connectorId, idTag, chargingProfile } = request;
  const free = charger.connectors.filter(
    (each) => isFree(each) && mayUse(each, idTag) && (connectorId === undefined || each.id === connectorId),
  );
  const connector =
    free.find(({ reservation }) => reservation !== undefined) ?? free.find(({ vehicle }) => vehicle !== undefined) ?? free[0];
  if (connector === undefined || charger.registration !== "Accepted" || charger.restarting) return { answer: { status: "Rejected" } };
  const after = (): void => {
    connector.nextProfile = chargingProfile;
    startRemotely(charger, connector, idTag);
  };
  return { answer: { status: "Accepted" }, after };
}

function startRemotely(charger: Charger, connector: Connector, idTag: string): void {
  if (connector.vehicle === undefined && charger.options.plugsInOnRemoteStart !== false) plugIn(charger, connector, someVehicle(charger));
  if (isOn(charger, "AuthorizeRemoteTxRequests")) presentToken(charger, connector, idTag, () => {});
  else admit(charger, connector, idTag);
}

/** Section 5.12. */
function remoteStop(charger: Charger, { transactionId }: Request<"RemoteStopTransaction">): Handled<"RemoteStopTransaction"> {
  const connector = charger.connectors.find(({ transaction }) => transaction?.id === transactionId);
  if (connector === undefined) return { answer: { status: "Rejected" } };
  return { answer: { status: "Accepted" }, after: () => endTransaction(charger, connector, "Remote") };
}

/** Section 5.18. The transaction ends first; that the connector is not known is NotSupported too. */
function unlockConnector(charger: Charger, { connectorId }: Request<"UnlockConnector">): Handled<"UnlockConnector"> {
  const connector = connectorOf(charger, connectorId);
  if (connector === undefined) return { answer: { status: "NotSupported" } };
  endTransaction(charger, connector, "UnlockCommand");
  return { answer: { status: "Unlocked" } };
}
