import type { GetCertificateRequest, GetCertificateResponse } from "@chargemesh/contracts/charger/v1/certificate_service";
import { certificateById } from "../db/certificate.ts";
import { noCertificate } from "../domain/certificate.ts";
import { toCertificate } from "../resources/certificate.ts";
import type { RpcDeps } from "./deps.ts";

export const getCertificate =
  ({ db, clock }: RpcDeps) =>
  async ({ chargerId, id }: GetCertificateRequest): Promise<GetCertificateResponse> => {
    const row = await certificateById(db, chargerId, id);
    if (row === undefined) throw noCertificate(chargerId, id);
    return { certificate: toCertificate(row, clock.now()) };
  };
