import type { Readable } from "node:stream";

/** Where the bytes of files are. charger-service's storage/ has them; domain/ only knows this. A storage that is away throws UNAVAILABLE. */
export interface FileStore {
  /** Keeps what comes, under a key that nothing has. If the content breaks off, nothing is kept, and what broke it is thrown. */
  put(key: string, content: AsyncIterable<Buffer>): Promise<void>;
  /** The bytes of a file, or of `range`, both ends included. */
  open(key: string, range?: ByteRange): Promise<Readable>;
  /** Removes a file, if it is there. */
  remove(key: string): Promise<void>;
}

/** Both included. */
export interface ByteRange {
  start: number;
  end: number;
}
