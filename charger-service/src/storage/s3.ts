import { Readable } from "node:stream";
import { DeleteObjectCommand, GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import type { Stack } from "@chargemesh/kit/main";
import type { FileStore } from "../domain/file-store.ts";

/** Where an S3-compatible storage is. */
export interface S3Settings {
  bucket: string;
  region: string;
  /** Undefined: Amazon's own. */
  endpoint: string | undefined;
  /** Undefined: what the host has (environment, files, the role of the machine). */
  keys: { accessKeyId: string; secretAccessKey: string } | undefined;
}

/** Parts in which a file goes there; one is in memory at a time. S3 takes no smaller ones than 5 MiB. */
const PART_BYTES = 5 * 1024 * 1024;

/** Keeps files in a bucket of S3-compatible storage, by their keys. */
export function openS3Store({ bucket: Bucket, region, endpoint, keys }: S3Settings, stack: Stack): FileStore {
  const client = new S3Client({
    region,
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    ...(keys === undefined ? {} : { credentials: keys }),
    // Storage that is only compatible does not know the newer checksums; ours is in the database.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });
  stack.defer("s3", () => client.destroy());
  return {
    async put(Key, content) {
      let broken: { by: unknown } | undefined;
      const watched = async function* (): AsyncGenerator<Buffer> {
        try {
          yield* content;
        } catch (by) {
          broken = { by };
          throw by;
        }
      };
      const params = { Bucket, Key, Body: Readable.from(watched(), { objectMode: false }), ContentType: "application/octet-stream" };
      // The parts of one that fails are removed.
      const upload = new Upload({ client, params, partSize: PART_BYTES, queueSize: 1, leavePartsOnError: false });
      await upload.done().catch((err: unknown) => {
        // If their removal failed as well, that is all that is said of it.
        throw broken === undefined ? err : broken.by;
      });
    },
    async open(Key, range) {
      const Range = range === undefined ? undefined : `bytes=${range.start}-${range.end}`;
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key, ...(Range === undefined ? {} : { Range }) }));
      if (Body instanceof Readable) return Body;
      throw new Error(`${Key} has no content`);
    },
    async remove(Key) {
      await client.send(new DeleteObjectCommand({ Bucket, Key }));
    },
  };
}
