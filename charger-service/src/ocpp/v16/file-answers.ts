import type { Res, V16 } from "@chargemesh/ocpp/version";
import type { Learn } from "../../domain/command.ts";
import { replaceFirmwareUpdates } from "../../domain/firmware-update.ts";
import { announceUpload, replaceLogs } from "../../domain/upload.ts";

/** What chargers answer to questions for files and to new firmware. */
export const fileAnswers: Readonly<Record<string, Learn>> = {
  async GetDiagnostics(tx, command, response) {
    const { fileName } = response as Res<V16, "GetDiagnostics">;
    // Without a name there is nothing to upload (§6.22).
    await announceUpload(tx, command, fileName || undefined);
  },
  async GetLog(tx, command, response) {
    const { status, filename } = response as Partial<Res<V16, "GetLog">>;
    if (status === "Rejected") return;
    if (status === "AcceptedCanceled") await replaceLogs(tx, command);
    if (filename !== undefined) await announceUpload(tx, command, filename);
  },
  // What it says of its firmware from now on can only be about this (§4.5 knows no number).
  UpdateFirmware: replaceFirmwareUpdates,
  async SignedUpdateFirmware(tx, command, response) {
    const { status } = response as Partial<Res<V16, "SignedUpdateFirmware">>;
    if (status === "AcceptedCanceled") await replaceFirmwareUpdates(tx, command);
  },
};
