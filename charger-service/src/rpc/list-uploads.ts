import type { ListUploadsRequest, ListUploadsResponse } from "@chargemesh/contracts/charger/v1/upload_service";
import { pageSize, toPage } from "@chargemesh/kit/page";
import { uploadsBefore } from "../db/upload.ts";
import { toUpload } from "../resources/file.ts";
import type { RpcDeps } from "./deps.ts";
import { readNumberToken } from "./page-token.ts";
import { said, text } from "./request.ts";

export const listUploads =
  ({ db }: RpcDeps) =>
  async (request: ListUploadsRequest): Promise<ListUploadsResponse> => {
    const size = pageSize(request.pageSize);
    const filter = { chargerId: text(request.chargerId), kind: said(request.kind), state: said(request.state) };
    const found = await uploadsBefore(db, readNumberToken(request.pageToken), size + 1, filter);
    const { rows, nextPageToken } = toPage(found, size, ({ number }) => [number]);
    return { uploads: rows.map(toUpload), nextPageToken };
  };
