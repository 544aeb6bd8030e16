import type { Req, Res, V16 } from "@chargemesh/ocpp/version";
import { stopTransaction as stop } from "../../domain/transaction-stop.ts";
import type { Charger } from "../dispatch.ts";
import { toIdTagInfo } from "./id-tag-info.ts";
import { toReadings } from "./readings.ts";
import { toTime } from "./time.ts";

type Reason = NonNullable<Req<V16, "StopTransaction">["reason"]>;

/** Whether a reason is something that nobody there wanted (OCPP 1.6 §7.36); undefined where it does not tell. */
const interrupted: Record<Reason, boolean | undefined> = {
  DeAuthorized: true,
  EmergencyStop: true,
  EVDisconnected: false,
  HardReset: true,
  Local: false,
  Other: undefined,
  PowerLoss: true,
  Reboot: true,
  Remote: false,
  SoftReset: true,
  UnlockCommand: false,
};

/** A transaction has stopped (OCPP 1.6 §4.10). It cannot be prevented any more, so whatever comes is kept. */
export async function stopTransaction(charger: Charger, request: Req<V16, "StopTransaction">): Promise<Res<V16, "StopTransaction">> {
  const report = {
    chargerId: charger.id,
    transactionId: request.transactionId,
    stopTime: toTime(request.timestamp),
    meterStopWh: request.meterStop,
    // "MAY only be omitted when the Reason is Local."
    reason: request.reason ?? "Local",
    interrupted: interrupted[request.reason ?? "Local"],
    idToken: request.idTag ?? "",
    readings: toReadings(request.transactionData ?? []),
  };
  const authorization = await stop(charger.db, report, charger.now());
  return authorization === undefined ? {} : { idTagInfo: toIdTagInfo(authorization) };
}
