import type {
  ApproveCertificateRequestRequest,
  ApproveCertificateRequestResponse,
} from "@chargemesh/contracts/charger/v1/certificate_request_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { sendCertificates } from "../domain/certificate-delivery.ts";
import { approveRequest } from "../domain/certificate-request.ts";
import { toCertificateRequest } from "../resources/certificate.ts";
import type { RpcDeps } from "./deps.ts";
import { userOf } from "./request.ts";

/** Signs what a charger has asked for, and sends it there. */
export const approveCertificateRequest =
  ({ db, commander, certification, clock, log }: RpcDeps) =>
  async ({ id }: ApproveCertificateRequestRequest, { caller }: Call): Promise<ApproveCertificateRequestResponse> => {
    const request = await approveRequest(db, certification, id, userOf(caller), clock.now());
    const { charger_id: chargerId } = request;
    await sendCertificates({ db, commander }, clock.now(), chargerId).catch((err: unknown) =>
      log.warn({ err, chargerId }, "a certificate is sent later"),
    );
    return { certificateRequest: toCertificateRequest(request) };
  };
