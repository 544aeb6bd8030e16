import type {
  GetCertificateRequestRequest,
  GetCertificateRequestResponse,
} from "@chargemesh/contracts/charger/v1/certificate_request_service";
import { certificateRequestById } from "../db/certificate-request.ts";
import { noCertificateRequest } from "../domain/certificate-request.ts";
import { toCertificateRequest } from "../resources/certificate.ts";
import type { RpcDeps } from "./deps.ts";

export const getCertificateRequest =
  ({ db }: RpcDeps) =>
  async ({ id }: GetCertificateRequestRequest): Promise<GetCertificateRequestResponse> => {
    const row = await certificateRequestById(db, id);
    if (row === undefined) throw noCertificateRequest(id);
    return { certificateRequest: toCertificateRequest(row) };
  };
