import type { ListCertificatesRequest, ListCertificatesResponse } from "@chargemesh/contracts/charger/v1/certificate_service";
import { pageSize, toPage } from "@chargemesh/kit/page";
import { certificatesBefore } from "../db/certificate.ts";
import { toCertificate } from "../resources/certificate.ts";
import type { RpcDeps } from "./deps.ts";
import { readNumberToken } from "./page-token.ts";

export const listCertificates =
  ({ db, clock }: RpcDeps) =>
  async (request: ListCertificatesRequest): Promise<ListCertificatesResponse> => {
    const size = pageSize(request.pageSize);
    const found = await certificatesBefore(db, request.chargerId, readNumberToken(request.pageToken), size + 1);
    const { rows, nextPageToken } = toPage(found, size, ({ number }) => [number]);
    const now = clock.now();
    return { certificates: rows.map((row) => toCertificate(row, now)), nextPageToken };
  };
