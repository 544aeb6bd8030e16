import type {
  ListCertificateRequestsRequest,
  ListCertificateRequestsResponse,
} from "@chargemesh/contracts/charger/v1/certificate_request_service";
import { pageSize, toPage } from "@chargemesh/kit/page";
import { certificateRequestsBefore } from "../db/certificate-request.ts";
import { toCertificateRequest } from "../resources/certificate.ts";
import type { RpcDeps } from "./deps.ts";
import { readNumberToken } from "./page-token.ts";
import { said, text } from "./request.ts";

export const listCertificateRequests =
  ({ db }: RpcDeps) =>
  async (request: ListCertificateRequestsRequest): Promise<ListCertificateRequestsResponse> => {
    const size = pageSize(request.pageSize);
    const filter = { chargerId: text(request.chargerId), state: said(request.state) };
    const found = await certificateRequestsBefore(db, readNumberToken(request.pageToken), size + 1, filter);
    const { rows, nextPageToken } = toPage(found, size, ({ number }) => [number]);
    return { certificateRequests: rows.map(toCertificateRequest), nextPageToken };
  };
