import type { Req, Res, V16 } from "@chargemesh/ocpp/version";
import { noteFirmwareStatus } from "../../domain/firmware-update.ts";
import type { Charger } from "../dispatch.ts";
import { firmwareProgresses } from "./firmware-progress.ts";

/** How an update of the firmware goes (OCPP 1.6 §4.5). Idle says that there is none. */
export async function firmwareStatusNotification(
  charger: Charger,
  { status }: Req<V16, "FirmwareStatusNotification">,
): Promise<Res<V16, "FirmwareStatusNotification">> {
  if (status !== "Idle") await noteFirmwareStatus(charger.db, charger.id, undefined, status, firmwareProgresses[status], charger.now());
  return {};
}
