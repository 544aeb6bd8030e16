import type { Req, Res, V16 } from "@chargemesh/ocpp/version";
import { recordSecurityEvent } from "../../domain/security-event.ts";
import type { Charger } from "../dispatch.ts";
import { toTime } from "./time.ts";

/** Which events are critical (security whitepaper, edition 3, section 6). */
const critical = new Set([
  "FirmwareUpdated",
  "SettingSystemTime",
  "StartupOfTheDevice",
  "ResetOrReboot",
  "SecurityLogWasCleared",
  "MemoryExhaustion",
  "TamperDetectionActivated",
]);

/** Something that concerns the charger's security (security whitepaper, A04). */
export async function securityEventNotification(
  charger: Charger,
  { type, timestamp, techInfo }: Req<V16, "SecurityEventNotification">,
): Promise<Res<V16, "SecurityEventNotification">> {
  const event = { type, isCritical: critical.has(type), techInfo: techInfo ?? "", time: toTime(timestamp) };
  await recordSecurityEvent(charger.db, charger.id, event);
  return {};
}
