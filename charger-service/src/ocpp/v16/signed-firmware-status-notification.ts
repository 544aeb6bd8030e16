import type { Req, Res, V16 } from "@chargemesh/ocpp/version";
import { noteFirmwareStatus } from "../../domain/firmware-update.ts";
import type { Charger } from "../dispatch.ts";
import { firmwareProgresses } from "./firmware-progress.ts";

/** How an update of signed firmware goes (security whitepaper, SignedFirmwareStatusNotification): it has a number, but for Idle. */
export async function signedFirmwareStatusNotification(
  charger: Charger,
  { status, requestId }: Req<V16, "SignedFirmwareStatusNotification">,
): Promise<Res<V16, "SignedFirmwareStatusNotification">> {
  if (status !== "Idle") await noteFirmwareStatus(charger.db, charger.id, requestId, status, firmwareProgresses[status], charger.now());
  return {};
}
