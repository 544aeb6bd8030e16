import type {
  DeleteInstalledCertificateRequest,
  DeleteInstalledCertificateResponse,
} from "@chargemesh/contracts/charger/v1/installed_certificate_service";
import { AppError } from "@chargemesh/kit/errors";
import type { Call } from "@chargemesh/kit/grpc-server";
import { installedCertificateById } from "../db/installed-certificate.ts";
import { toCommand } from "../resources.ts";
import type { RpcDeps } from "./deps.ts";
import { readWaitSeconds, userOf } from "./request.ts";

/** Has a charger forget a root certificate, which is called as the charger calls it. */
export const deleteInstalledCertificate =
  ({ db, commander }: RpcDeps) =>
  async (request: DeleteInstalledCertificateRequest, { caller, deadline }: Call): Promise<DeleteInstalledCertificateResponse> => {
    const { chargerId, id } = request;
    const found = await installedCertificateById(db, chargerId, id);
    if (found === undefined) {
      throw new AppError("notFound", "INSTALLED_CERTIFICATE_NOT_FOUND", `Charger ${chargerId} has no installed certificate ${id}.`);
    }
    const name = {
      hashAlgorithm: found.hash_algorithm,
      issuerNameHash: found.issuer_name_hash,
      issuerKeyHash: found.issuer_key_hash,
      serialNumber: found.serial_number,
    };
    const row = await commander.ask({
      chargerId,
      question: { kind: "deleteRoot", name },
      field: "id",
      waitSeconds: readWaitSeconds(request.waitSeconds, deadline),
      ttlSeconds: 0,
      idempotencyKey: "",
      userId: userOf(caller),
    });
    return { command: toCommand(row) };
  };
