import type { GetUploadRequest, GetUploadResponse } from "@chargemesh/contracts/charger/v1/upload_service";
import { uploadById } from "../db/upload.ts";
import { noUpload } from "../domain/upload.ts";
import { toUpload } from "../resources/file.ts";
import type { RpcDeps } from "./deps.ts";

export const getUpload =
  ({ db }: RpcDeps) =>
  async ({ id }: GetUploadRequest): Promise<GetUploadResponse> => {
    const row = await uploadById(db, id);
    if (row === undefined) throw noUpload(id);
    return { upload: toUpload(row) };
  };
