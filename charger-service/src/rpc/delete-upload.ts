import type { DeleteUploadRequest, DeleteUploadResponse } from "@chargemesh/contracts/charger/v1/upload_service";
import { removeUpload } from "../domain/upload.ts";
import type { RpcDeps } from "./deps.ts";

export const deleteUpload =
  ({ db, clock }: RpcDeps) =>
  async ({ id }: DeleteUploadRequest): Promise<DeleteUploadResponse> => {
    await removeUpload(db, id, clock.now());
    return {};
  };
