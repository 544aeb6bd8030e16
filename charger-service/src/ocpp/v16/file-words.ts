import type { Req, V16 } from "@chargemesh/ocpp/version";
import type { QuestionOf } from "../../domain/question.ts";
import type { Said } from "../dialects.ts";

/** Asks for diagnostics (OCPP 1.6 §5.8) or a log (security whitepaper, GetLog). */
export function sayUpload(question: QuestionOf<"upload">): Said {
  const { upload, requestId, location, secret, logStartTime, logStopTime } = question;
  if (upload === "DIAGNOSTICS") {
    const payload = {
      location,
      ...retrying(question),
      ...(logStartTime === undefined ? {} : { startTime: logStartTime.toISOString() }),
      ...(logStopTime === undefined ? {} : { stopTime: logStopTime.toISOString() }),
    } satisfies Req<V16, "GetDiagnostics">;
    return { action: "GetDiagnostics", payload, secret };
  }
  const payload = {
    logType: upload === "SECURITY_LOG" ? "SecurityLog" : "DiagnosticsLog",
    requestId,
    ...retrying(question),
    log: {
      remoteLocation: location,
      ...(logStartTime === undefined ? {} : { oldestTimestamp: logStartTime.toISOString() }),
      ...(logStopTime === undefined ? {} : { latestTimestamp: logStopTime.toISOString() }),
    },
  } satisfies Req<V16, "GetLog">;
  return { action: "GetLog", payload, secret };
}

/** Asks to update the firmware: plainly (OCPP 1.6 §5.19), or with a signature (security whitepaper, SignedUpdateFirmware). */
export function sayUpdateFirmware(question: QuestionOf<"updateFirmware">): Said | undefined {
  const { requestId, location, retrieveTime, installTime, signed } = question;
  const secret = question.secret === undefined ? {} : { secret: question.secret };
  if (signed === undefined) {
    // It has no word for when to install.
    if (installTime !== undefined) return undefined;
    const payload = { location, retrieveDate: retrieveTime.toISOString(), ...retrying(question) } satisfies Req<V16, "UpdateFirmware">;
    return { action: "UpdateFirmware", payload, ...secret };
  }
  const payload = {
    requestId,
    ...retrying(question),
    firmware: {
      location,
      retrieveDateTime: retrieveTime.toISOString(),
      ...(installTime === undefined ? {} : { installDateTime: installTime.toISOString() }),
      signingCertificate: signed.certificate,
      signature: signed.signature,
    },
  } satisfies Req<V16, "SignedUpdateFirmware">;
  return { action: "SignedUpdateFirmware", payload, ...secret };
}

function retrying({ retries, retryIntervalSeconds }: { retries: number; retryIntervalSeconds: number }) {
  return {
    ...(retries === 0 ? {} : { retries }),
    ...(retryIntervalSeconds === 0 ? {} : { retryInterval: retryIntervalSeconds }),
  };
}
