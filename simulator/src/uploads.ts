import { configurationOf } from "./configuration.ts";
import { ask } from "./link.ts";
import type { Handled, Request } from "./messages.ts";
import { registerWh } from "./meter.ts";
import type { Charger } from "./state.ts";
import { partsOf } from "./status.ts";
import { callOff, type Transfer, transfer, upload } from "./transfers.ts";

type DiagnosticsStatus = Request<"DiagnosticsStatusNotification">["status"];
type LogStatus = Request<"LogStatusNotification">["status"];

/** The file that was asked for last, of diagnostics and of logs. */
export interface Uploads {
  diagnostics: { status: DiagnosticsStatus; transfer: Transfer | undefined };
  log: { status: LogStatus; requestId: number | undefined; transfer: Transfer | undefined };
}

export const noUploads = (): Uploads => ({
  diagnostics: { status: "Idle", transfer: undefined },
  log: { status: "Idle", requestId: undefined, transfer: undefined },
});

/** OCPP 1.6 sections 4.4 and 5.8. */
export function getDiagnostics(charger: Charger, request: Request<"GetDiagnostics">): Handled<"GetDiagnostics"> {
  const fileName = nameOf(charger, "diagnostics", "json");
  const { diagnostics } = charger.uploads;
  const say = (status: DiagnosticsStatus): void => {
    diagnostics.status = status;
    sayDiagnosticsStatus(charger);
  };
  const after = (): void => {
    callOff(diagnostics.transfer);
    diagnostics.transfer = transfer(charger, request, {
      begins: () => say("Uploading"),
      attempt: () => upload(request.location, fileName, diagnosticsOf(charger)),
      succeeds: () => say("Uploaded"),
      fails: () => say("UploadFailed"),
    });
  };
  return { answer: { fileName }, after };
}

/** Security whitepaper, GetLog. A newer request takes the place of an older one. */
export function getLog(charger: Charger, request: Request<"GetLog">): Handled<"GetLog"> {
  const { log, logType, requestId } = request;
  const isSecurity = logType === "SecurityLog";
  const filename = isSecurity ? nameOf(charger, "security", "log") : nameOf(charger, "diagnostics", "json");
  const own = charger.uploads.log;
  const wasUnderWay = own.status === "Uploading";
  const say = (status: LogStatus): void => {
    own.status = status;
    sayLogStatus(charger);
  };
  const after = (): void => {
    callOff(own.transfer);
    own.requestId = requestId;
    own.transfer = transfer(charger, request, {
      begins: () => say("Uploading"),
      attempt: () => upload(log.remoteLocation, filename, isSecurity ? charger.securityLog.join("") : diagnosticsOf(charger)),
      succeeds: () => say("Uploaded"),
      fails: () => say("UploadFailure"),
    });
  };
  return { answer: { status: wasUnderWay ? "AcceptedCanceled" : "Accepted", filename }, after };
}

export function sayDiagnosticsStatus({ link, uploads }: Charger): void {
  // Section 4.4: Uploaded and UploadFailed are said once; who asks later is told Idle.
  const { status } = uploads.diagnostics;
  ask(link, "DiagnosticsStatusNotification", { status }, () => {});
  if (status !== "Uploading") uploads.diagnostics.status = "Idle";
}

export function sayLogStatus({ link, uploads }: Charger): void {
  const { status, requestId } = uploads.log;
  ask(
    link,
    "LogStatusNotification",
    status === "Idle" ? { status } : { status, ...(requestId === undefined ? {} : { requestId }) },
    () => {},
  );
  if (status !== "Uploading") uploads.log.status = "Idle";
}

/** What a technician would want to know of it. */
function diagnosticsOf(charger: Charger): string {
  const { id, model, firmwareVersion, connectors, queue, localList, link } = charger;
  const parts = partsOf(charger).map(({ id, status, errorCode, operative }) => ({ id, status, errorCode, operative }));
  const meters = connectors.map((connector) => ({ id: connector.id, registerWh: registerWh(connector) }));
  const time = new Date(charger.time.now()).toISOString();
  const state = { parts, meters, messagesWaiting: queue.length, callsSent: link.lastId, localListVersion: localList.version };
  const { vendor, model: name } = model;
  return `${JSON.stringify({ id, time, vendor, model: name, firmwareVersion, ...state, configuration: configurationOf(charger) }, undefined, 2)}\n`;
}

function nameOf({ id, time }: Charger, what: string, ending: string): string {
  const stamp = new Date(time.now()).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  return `${id.replaceAll(/[^\w-]/g, "_")}-${what}-${stamp}.${ending}`;
}
