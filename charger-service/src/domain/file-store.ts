import type { Readable } from "node:stream";
import { AppError } from "@chargemesh/kit/errors";
import { FileRefusal } from "./file-refusal.ts";

/** Where the bytes of files are. charger-service's storage/ has them; domain/ only knows this. */
export interface FileStore {
  /** Keeps what comes, under a key that nothing has. If the content breaks off, nothing is kept, and what broke it is thrown. */
  put(key: string, content: AsyncIterable<Buffer>): Promise<void>;
  /** The bytes of a file, or of `range`. Throws if it is not there. */
  open(key: string, range?: ByteRange): Promise<Readable>;
  /** Removes a file, whole or not, if it is there. */
  remove(key: string): Promise<void>;
}

/** Both included. */
export interface ByteRange {
  start: number;
  end: number;
}

/** What a storage makes of something. UNAVAILABLE if it cannot. */
export async function stored<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (cause instanceof FileRefusal) throw cause;
    throw new AppError("unavailable", "STORAGE_UNAVAILABLE", "The storage of files is not available. Try again.", { cause });
  }
}
