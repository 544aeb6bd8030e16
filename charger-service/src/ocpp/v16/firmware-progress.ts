import type { Req, V16 } from "@chargemesh/ocpp/version";
import type { FirmwareProgress } from "../../domain/firmware-update.ts";

type Status = Req<V16, "FirmwareStatusNotification">["status"] | Req<V16, "SignedFirmwareStatusNotification">["status"];

/** What a charger says of new firmware, plainly or with a signature, in our words. */
export const firmwareProgresses: Record<Exclude<Status, "Idle">, FirmwareProgress> = {
  DownloadScheduled: "REQUESTED",
  Downloading: "DOWNLOADING",
  DownloadPaused: "DOWNLOADING",
  DownloadFailed: "FAILED",
  Downloaded: "DOWNLOADED",
  SignatureVerified: "DOWNLOADED",
  InvalidSignature: "FAILED",
  InstallScheduled: "DOWNLOADED",
  Installing: "INSTALLING",
  InstallRebooting: "INSTALLING",
  InstallVerificationFailed: "FAILED",
  InstallationFailed: "FAILED",
  Installed: "INSTALLED",
};
