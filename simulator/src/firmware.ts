import { constants, verify, X509Certificate } from "node:crypto";
import { trusts } from "./certificates.ts";
import { restart } from "./lifecycle.ts";
import { ask } from "./link.ts";
import type { Handled, Request } from "./messages.ts";
import { reportSecurity } from "./security-log.ts";
import type { Charger } from "./state.ts";
import { callOff, download, type Retries, type Transfer, transfer } from "./transfers.ts";

type Status = Request<"SignedFirmwareStatusNotification">["status"] & Request<"FirmwareStatusNotification">["status"];
type SignedStatus = Request<"SignedFirmwareStatusNotification">["status"];

/** The update that was asked for last. */
export interface Firmware {
  status: SignedStatus;
  /** That of a signed one. */
  requestId: number | undefined;
  transfer: Transfer | undefined;
}

export const noFirmware = (): Firmware => ({ status: "Idle", requestId: undefined, transfer: undefined });

/** One of the two ways to ask for an update. */
interface Update extends Retries {
  readonly location: string;
  /** When to begin, in ms since 1970. */
  readonly time: number;
  readonly requestId?: number;
  readonly isGood?: (file: Buffer) => boolean;
}

/** OCPP 1.6 sections 4.5 and 5.19. */
export function updateFirmware(charger: Charger, request: Request<"UpdateFirmware">): Handled<"UpdateFirmware"> {
  const { location, retrieveDate, retries, retryInterval } = request;
  return { answer: {}, after: () => begin(charger, { location, time: Date.parse(retrieveDate), retries, retryInterval }) };
}

/** Security whitepaper, SignedUpdateFirmware: nothing is installed that the signing certificate does not vouch for. */
export function signedUpdateFirmware(charger: Charger, request: Request<"SignedUpdateFirmware">): Handled<"SignedUpdateFirmware"> {
  const { firmware, requestId, retries, retryInterval } = request;
  const certificate = certificateIn(firmware.signingCertificate);
  if (certificate === undefined || !trusts(charger, "ManufacturerRootCertificate", certificate)) {
    const after = (): void => reportSecurity(charger, "InvalidFirmwareSigningCertificate");
    return { answer: { status: "InvalidCertificate" }, after };
  }
  const wasUnderWay = charger.firmware.transfer !== undefined;
  const isGood = (file: Buffer): boolean => isSignedBy(certificate, file, firmware.signature);
  const time = Date.parse(firmware.retrieveDateTime);
  const update = { location: firmware.location, time, retries, retryInterval, requestId, isGood };
  return { answer: { status: wasUnderWay ? "AcceptedCanceled" : "Accepted" }, after: () => begin(charger, update) };
}

/** Says how it stands with the update, if there is one, as that was asked for. */
export function sayFirmwareStatus({ link, firmware: { status, requestId } }: Charger): void {
  if (requestId !== undefined) ask(link, "SignedFirmwareStatusNotification", { status, requestId }, () => {});
  else if (isPlain(status)) ask(link, "FirmwareStatusNotification", { status }, () => {});
}

function begin(charger: Charger, update: Update): void {
  const own = charger.firmware;
  callOff(own.transfer);
  own.requestId = update.requestId;
  const say = (status: SignedStatus): void => {
    own.status = status;
    sayFirmwareStatus(charger);
  };
  const waiting: Transfer = { cancelled: false, nextTry: undefined };
  own.transfer = waiting;
  const start = (): void => {
    if (waiting.cancelled || charger.closed) return;
    own.transfer = transfer(charger, update, {
      begins: () => say("Downloading"),
      attempt: () => download(update.location),
      fails: () => say("DownloadFailed"),
      succeeds(file) {
        say("Downloaded");
        if (update.isGood !== undefined) {
          const isGood = update.isGood(file);
          say(isGood ? "SignatureVerified" : "InvalidSignature");
          if (!isGood) reportSecurity(charger, "InvalidFirmwareSignature");
          if (!isGood) own.transfer = undefined;
          if (!isGood) return;
        }
        install(charger, versionOf(update.location), say);
      },
    });
  };
  waiting.nextTry = charger.time.after(Math.max(0, update.time - charger.time.now()), start);
}

/** Installs when nobody charges, restarts with it, and says so after the boot. */
function install(charger: Charger, version: string, say: (status: SignedStatus) => void): void {
  const own = charger.firmware;
  const { transfer: mine } = own;
  const goesOn = (): boolean => own.transfer === mine && !charger.closed;
  const now = (): void => {
    say("Installing");
    if (own.requestId !== undefined) say("InstallRebooting");
    charger.nextFirmwareVersion = version;
    charger.waiters.push((event) => {
      if (event.type !== "booted" || event.status !== "Accepted") return false;
      if (!goesOn()) return true;
      say("Installed");
      reportSecurity(charger, "FirmwareUpdated", version);
      own.transfer = undefined;
      own.status = "Idle";
      return true;
    });
    restart(charger, "Soft");
  };
  const isBusy = (): boolean => charger.connectors.some(({ transaction }) => transaction !== undefined);
  if (!isBusy()) {
    now();
    return;
  }
  charger.waiters.push((event) => {
    if (event.type !== "stopped") return false;
    if (goesOn() && isBusy()) return false;
    if (goesOn()) now();
    return true;
  });
}

/** What it boots with afterwards: the version in the name of the file, else its name. */
function versionOf(location: string): string {
  const name = decodeURIComponent(new URL(location).pathname.split("/").at(-1) ?? "");
  return (/\d+(?:\.\d+)+/.exec(name)?.[0] ?? name.replace(/\.\w+$/, "")).slice(0, 50);
}

function isPlain(status: SignedStatus): status is Status {
  return ["Downloaded", "DownloadFailed", "Downloading", "Idle", "InstallationFailed", "Installing", "Installed"].includes(status);
}

function certificateIn(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

/** RSA-PSS or ECDSA over the SHA-256, in base64 (security whitepaper, L01). */
function isSignedBy({ publicKey: key }: X509Certificate, file: Buffer, signature: string): boolean {
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO };
  return verify("sha256", file, key.asymmetricKeyType === "rsa" ? { key, ...pss } : key, Buffer.from(signature, "base64"));
}
