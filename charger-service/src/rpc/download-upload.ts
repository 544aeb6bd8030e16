import type { Readable } from "node:stream";
import type { DownloadUploadRequest, DownloadUploadResponse } from "@chargemesh/contracts/charger/v1/upload_service";
import { AppError } from "@chargemesh/kit/errors";
import { uploadById } from "../db/upload.ts";
import { stored } from "../domain/file-store.ts";
import { noUpload } from "../domain/upload.ts";
import type { RpcDeps } from "./deps.ts";

/** The file of an upload, in parts. */
export const downloadUpload =
  ({ db, files }: RpcDeps) =>
  async ({ id }: DownloadUploadRequest): Promise<AsyncIterable<DownloadUploadResponse>> => {
    const row = await uploadById(db, id);
    if (row === undefined) throw noUpload(id);
    if (row.file_key === null) throw new AppError("failedPrecondition", "UPLOAD_EMPTY", `The file of upload ${id} has not come.`);
    return partsOf(await stored(files.open(row.file_key)));
  };

async function* partsOf(content: Readable): AsyncGenerator<DownloadUploadResponse> {
  let isFirst = true;
  for await (const data of content as AsyncIterable<Buffer>) {
    // Whatever it is, no browser is to open it: a charger has made it.
    yield { body: { contentType: isFirst ? "application/octet-stream" : "", data, extensions: [] } };
    isFirst = false;
  }
}
