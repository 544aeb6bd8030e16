import type { FileStore } from "./file-store.ts";
import type { FileUrls } from "./file-url.ts";
import type { FirmwareSigner } from "./firmware-signature.ts";

/** What there is for files. */
export interface Filing {
  files: FileStore;
  fileUrls: FileUrls;
  /** Undefined if there is no key. */
  firmwareSigner: FirmwareSigner | undefined;
  /** The largest file that is taken, in bytes. */
  uploadBytesMax: number;
}
