import type { Req, Res, V16 } from "@chargemesh/ocpp/version";
import { noteUploadStatus, type UploadProgress } from "../../domain/upload.ts";
import type { Charger } from "../dispatch.ts";

type Status = Req<V16, "LogStatusNotification">["status"];

const progresses: Record<Exclude<Status, "Idle">, UploadProgress> = {
  BadMessage: "FAILED",
  NotSupportedOperation: "FAILED",
  PermissionDenied: "FAILED",
  Uploading: "UPLOADING",
  Uploaded: undefined,
  UploadFailure: "FAILED",
};

/** How the upload of a log goes (security whitepaper, LogStatusNotification). Without the number of a request it says nothing of any. */
export async function logStatusNotification(
  charger: Charger,
  { status, requestId }: Req<V16, "LogStatusNotification">,
): Promise<Res<V16, "LogStatusNotification">> {
  if (status !== "Idle" && requestId !== undefined) {
    await noteUploadStatus(charger.db, charger.id, requestId, status, progresses[status], charger.now());
  }
  return {};
}
