import { requestCertificate } from "./certificates.ts";
import { sayFirmwareStatus } from "./firmware.ts";
import { beat, boot } from "./lifecycle.ts";
import type { Handled, Request } from "./messages.ts";
import { sendMeterValues } from "./session.ts";
import { type Charger, connectorOf } from "./state.ts";
import { partOf, partsOf, report } from "./status.ts";
import { sayDiagnosticsStatus, sayLogStatus } from "./uploads.ts";

type Trigger = Request<"TriggerMessage"> | Request<"ExtendedTriggerMessage">;

/** OCPP 1.6 section 5.17. The message follows the answer. */
export function triggerMessage(charger: Charger, request: Request<"TriggerMessage">): Handled<"TriggerMessage"> {
  return trigger(charger, request);
}

/** Security whitepaper, ExtendedTriggerMessage. */
export function extendedTriggerMessage(charger: Charger, request: Request<"ExtendedTriggerMessage">): Handled<"ExtendedTriggerMessage"> {
  return trigger(charger, request);
}

/** A charger that was rejected sends nothing but BootNotification (section 4.2). */
function trigger(
  charger: Charger,
  { requestedMessage, connectorId }: Trigger,
): { answer: { status: "Accepted" | "Rejected" }; after?: () => void } {
  const parts = connectorId === undefined ? partsOf(charger) : [partOf(charger, connectorId)].filter((part) => part !== undefined);
  if (parts.length === 0 || (charger.registration === "Rejected" && requestedMessage !== "BootNotification")) {
    return { answer: { status: "Rejected" } };
  }
  const send: Record<typeof requestedMessage, () => void> = {
    BootNotification: () => boot(charger),
    DiagnosticsStatusNotification: () => sayDiagnosticsStatus(charger),
    FirmwareStatusNotification: () => sayFirmwareStatus(charger),
    Heartbeat: () => beat(charger),
    LogStatusNotification: () => sayLogStatus(charger),
    MeterValues: () => {
      for (const { id } of parts) {
        const connector = connectorOf(charger, id);
        if (connector !== undefined) sendMeterValues(charger, connector, "Trigger");
      }
    },
    SignChargePointCertificate: () => void requestCertificate(charger),
    StatusNotification: () => {
      for (const part of parts) report(charger, part);
    },
  };
  return { answer: { status: "Accepted" }, after: send[requestedMessage] };
}
