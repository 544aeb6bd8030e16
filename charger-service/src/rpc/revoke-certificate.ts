import type { RevokeCertificateRequest, RevokeCertificateResponse } from "@chargemesh/contracts/charger/v1/certificate_service";
import { revokeCertificate as revoke } from "../domain/certificate.ts";
import { toCertificate } from "../resources/certificate.ts";
import type { RpcDeps } from "./deps.ts";

export const revokeCertificate =
  ({ db, clock }: RpcDeps) =>
  async ({ chargerId, id }: RevokeCertificateRequest): Promise<RevokeCertificateResponse> => ({
    certificate: toCertificate(await revoke(db, chargerId, id), clock.now()),
  });
