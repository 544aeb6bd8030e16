import { createHash, randomBytes } from "node:crypto";
import { AppError } from "@chargemesh/kit/errors";
import { SECRET } from "./command.ts";

/** As many bytes as nobody guesses. */
const TOKEN_BYTES = 32;

/** Makes URLs at which files come in and are fetched. Whoever has the URL may use it, so what is secret in it is kept as a hash. */
export interface FileUrls {
  /** The beginning of the URLs, without a slash at its end. FAILED_PRECONDITION if nobody knows at which address chargers reach us. */
  base(): string;
  /** How long a URL is good, in ms. */
  lifeMs: number;
}

/** A URL, and what of it must not be seen. */
export interface FileUrl {
  /** With SECRET in it, for which `secret` stands. */
  location: string;
  secret: string;
  hash: Buffer;
}

/** Where a charger is to upload a file, whose name it appends. */
export function makeUploadUrl(urls: FileUrls): FileUrl {
  return makeUrl(urls, "uploads", "");
}

/** Where a charger fetches a file of this name. */
export function makeFirmwareUrl(urls: FileUrls, fileName: string): FileUrl {
  return makeUrl(urls, "firmware", encodeURIComponent(fileName));
}

function makeUrl(urls: FileUrls, folder: "uploads" | "firmware", fileName: string): FileUrl {
  const secret = randomBytes(TOKEN_BYTES).toString("base64url");
  return { location: `${urls.base()}/${folder}/${SECRET}/${fileName}`, secret, hash: hashFileToken(secret) };
}

/** The URL as it is. */
export function shownUrl({ location, secret }: FileUrl): string {
  return location.replace(SECRET, secret);
}

export function hashFileToken(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

/** The URLs of a service that chargers reach at `publicUrl`, or, if that is not set, at the address where it listens. */
export function makeFileUrls(publicUrl: string | undefined, ocppAddress: () => string, lifeMs: number): FileUrls {
  return {
    lifeMs,
    base() {
      if (publicUrl !== undefined) return publicUrl;
      const address = ocppAddress();
      // It listens at every address; which of them chargers know, it cannot.
      if (/^(0\.0\.0\.0|\[::\]|\*):/.test(address)) {
        throw new AppError(
          "failedPrecondition",
          "PUBLIC_URL_UNKNOWN",
          "Say in OCPP_PUBLIC_URL at which address chargers reach this service.",
        );
      }
      return `http://${address}`;
    },
  };
}
