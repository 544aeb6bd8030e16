import type {
  RejectCertificateRequestRequest,
  RejectCertificateRequestResponse,
} from "@chargemesh/contracts/charger/v1/certificate_request_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { rejectRequest } from "../domain/certificate-request.ts";
import { toCertificateRequest } from "../resources/certificate.ts";
import type { RpcDeps } from "./deps.ts";
import { userOf } from "./request.ts";

export const rejectCertificateRequest =
  ({ db }: RpcDeps) =>
  async ({ id }: RejectCertificateRequestRequest, { caller }: Call): Promise<RejectCertificateRequestResponse> => ({
    certificateRequest: toCertificateRequest(await rejectRequest(db, id, userOf(caller))),
  });
