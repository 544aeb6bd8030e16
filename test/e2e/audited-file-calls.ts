import type { Rest } from "../rest.ts";
import type { Done, makeActors } from "./audited-calls.ts";

/** A call of every rpc about files that must leave an entry. */
export function auditedFileCalls(admin: Rest, { newCharger }: ReturnType<typeof makeActors>): Record<string, () => Promise<Done>> {
  const newImage = () => admin("POST", "/ocpp/firmwareImages", { firmwareVersion: "2.0" });
  const asked = async (what: string, body: object): Promise<Done> => {
    const { id } = await newCharger();
    return { answer: await admin("POST", `/ocpp/chargers/${id}${what}`, { waitSeconds: 1, ...body }), resource: `chargers/${id}` };
  };
  return {
    "charger.v1.UploadService/GetDiagnostics": () => asked(":getDiagnostics", {}),
    "charger.v1.UploadService/GetLog": () => asked(":getLog", { kind: "SECURITY_LOG" }),
    "charger.v1.UploadService/DeleteUpload": async () => {
      const { answer } = await asked(":getDiagnostics", {});
      const { id } = answer.body;
      return { answer: await admin("DELETE", `/ocpp/uploads/${id}`), resource: `uploads/${id}` };
    },
    "charger.v1.FirmwareImageService/CreateFirmwareImage": async () => {
      const answer = await newImage();
      return { answer, resource: `firmwareImages/${answer.body.id}` };
    },
    "charger.v1.FirmwareImageService/DeleteFirmwareImage": async () => {
      const { id } = (await newImage()).body;
      return { answer: await admin("DELETE", `/ocpp/firmwareImages/${id}`), resource: `firmwareImages/${id}` };
    },
    "charger.v1.FirmwareUpdateService/CreateFirmwareUpdate": () => asked("/firmwareUpdates", { location: "https://example.org/a.bin" }),
  };
}
