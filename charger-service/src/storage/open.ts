import type { Stack } from "@chargemesh/kit/main";
import type { FileStore } from "../domain/file-store.ts";
import { makeDiskStore } from "./disk.ts";
import type { S3Settings } from "./s3.ts";

/** The storage that the settings name. */
export async function openFileStore(folder: string, s3: S3Settings | undefined, stack: Stack): Promise<FileStore> {
  if (s3 === undefined) return makeDiskStore(folder);
  // It is large, and most do without it.
  const { openS3Store } = await import("./s3.ts");
  return openS3Store(s3, stack);
}
