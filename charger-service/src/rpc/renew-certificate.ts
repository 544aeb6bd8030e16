import type { RenewCertificateRequest, RenewCertificateResponse } from "@chargemesh/contracts/charger/v1/certificate_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { toCommand } from "../resources.ts";
import type { RpcDeps } from "./deps.ts";
import { readWaitSeconds, userOf } from "./request.ts";

/** Asks a charger to ask for a certificate. */
export const renewCertificate =
  ({ commander }: RpcDeps) =>
  async (
    { chargerId, waitSeconds, ttlSeconds }: RenewCertificateRequest,
    { caller, deadline }: Call,
  ): Promise<RenewCertificateResponse> => {
    const row = await commander.ask({
      chargerId,
      question: { kind: "requestCertificate" },
      field: "charger_id",
      waitSeconds: readWaitSeconds(waitSeconds, deadline),
      ttlSeconds,
      idempotencyKey: "",
      userId: userOf(caller),
    });
    return { command: toCommand(row) };
  };
