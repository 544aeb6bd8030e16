import { createHash, randomBytes } from "node:crypto";
import { AppError } from "@chargemesh/kit/errors";
import { SECRET } from "./command.ts";

/** As many bytes as nobody guesses. */
const TOKEN_BYTES = 32;

/** Makes URLs at which files come in and are fetched. Whoever has the URL may use it, so what is secret in it is kept as a hash. */
export interface FileUrls {
  /**
   * The beginning of the URLs, without a slash at its end; `secure` for whoever comes by TLS. FAILED_PRECONDITION if nobody knows at which
   * address chargers reach us.
   */
  base(secure: boolean): string;
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
export function makeUploadUrl(urls: FileUrls, secure: boolean): FileUrl {
  return makeUrl(urls.base(secure), "uploads", "");
}

/** Where a charger fetches a file of this name. */
export function makeFirmwareUrl(urls: FileUrls, secure: boolean, fileName: string): FileUrl {
  return makeUrl(urls.base(secure), "firmware", encodeURIComponent(fileName));
}

function makeUrl(base: string, folder: "uploads" | "firmware", fileName: string): FileUrl {
  const secret = randomBytes(TOKEN_BYTES).toString("base64url");
  return { location: `${base}/${folder}/${SECRET}/${fileName}`, secret, hash: hashFileToken(secret) };
}

/** A URL of somebody else's with SECRET in it for the user name and the password, if it has both. */
export function hideCredentials(url: string): { location: string; secret?: string } {
  const [, scheme, secret, rest] = /^([a-z][a-z\d+.-]*:\/\/)([^/?#\\"\s]+:[^/?#\\"\s]+)(@.*)$/is.exec(url) ?? [];
  return secret === undefined ? { location: url } : { location: `${scheme}${SECRET}${rest}`, secret };
}

/** The URL as it is. */
export function shownUrl({ location, secret }: FileUrl): string {
  return location.replace(SECRET, secret);
}

export function hashFileToken(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

/** Where chargers reach us, as host:port; by TLS if there is a port for it. */
interface Doors {
  ocppAddress: string;
  ocppTlsAddress: string | undefined;
}

/** The URLs of a service that chargers reach at `publicUrl`, or, if that is not set, where it listens. */
export function makeFileUrls(publicUrl: string | undefined, doors: () => Doors, lifeMs: number): FileUrls {
  return {
    lifeMs,
    base(secure) {
      if (publicUrl !== undefined) return publicUrl;
      const { ocppAddress, ocppTlsAddress } = doors();
      const isSecure = secure && ocppTlsAddress !== undefined;
      const address = isSecure ? ocppTlsAddress : ocppAddress;
      // It listens at every address; which of them chargers know, it cannot.
      if (/^(0\.0\.0\.0|\[::\]|\*):/.test(address)) {
        throw new AppError(
          "failedPrecondition",
          "PUBLIC_URL_UNKNOWN",
          "Say in OCPP_PUBLIC_URL at which address chargers reach this service.",
        );
      }
      return `${isSecure ? "https" : "http"}://${address}`;
    },
  };
}

/** Whether a charger of this security profile comes by TLS, and may be sent to where only TLS is spoken. */
export function comesByTls({ security_profile }: { security_profile: number }): boolean {
  return security_profile >= 2;
}
