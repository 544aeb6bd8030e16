import type { Req, Res, V16 } from "@chargemesh/ocpp/version";
import { noteUploadStatus, type UploadProgress } from "../../domain/upload.ts";
import type { Charger } from "../dispatch.ts";

type Status = Req<V16, "DiagnosticsStatusNotification">["status"];

const progresses: Record<Exclude<Status, "Idle">, UploadProgress> = {
  Uploading: "UPLOADING",
  Uploaded: undefined,
  UploadFailed: "FAILED",
};

/** How the upload of diagnostics goes (OCPP 1.6 §4.4). Idle says that there is none. */
export async function diagnosticsStatusNotification(
  charger: Charger,
  { status }: Req<V16, "DiagnosticsStatusNotification">,
): Promise<Res<V16, "DiagnosticsStatusNotification">> {
  if (status !== "Idle") await noteUploadStatus(charger.db, charger.id, undefined, status, progresses[status], charger.now());
  return {};
}
