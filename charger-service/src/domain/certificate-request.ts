import { recordAudit } from "@chargemesh/kit/audit";
import { AppError } from "@chargemesh/kit/errors";
import { transact, violates } from "@chargemesh/kit/postgres";
import { certificateOfRequest, insertCertificate, unsetCertificateCommand } from "../db/certificate.ts";
import {
  type CertificateRequestView,
  certificateRequestById,
  certificateRequestByText,
  decideOnRequest,
  insertCertificateRequest,
  replacePending,
  requestsSince,
} from "../db/certificate-request.ts";
import type { CertificateRequestRow } from "../db/certificate-tables.ts";
import { type ChargerRow, chargerById } from "../db/charger.ts";
import { commandById } from "../db/command.ts";
import type { Db, SecurityProfile } from "../db/schema.ts";
import { toColumn } from "../db/text.ts";
import { certificateRequestUpdated, certificateUpdated } from "../events.ts";
import type { Authority } from "./authority.ts";
import type { Issued, RequestFault, SoundRequest } from "./signing.ts";

/** How chargers get certificates. */
export interface Certification {
  /** Whether what chargers ask for is signed at once, waits for an operator, or is refused. */
  readonly signing: "auto" | "approve" | "off";
  /** Undefined if nothing can be signed; then `signing` is off. */
  readonly authority: Authority | undefined;
  /** What a request must say as its organization; empty is anything. */
  readonly organization: string;
  /** How long certificates are good, and how long before their end they are renewed. */
  readonly days: number;
  readonly renewalDays: number;
}

/** Why a request is not signed. AUTHORITY_ENDS: within a day, so that what it signs would be worth nothing. */
type Fault = RequestFault | "SIGNING_OFF" | "AUTHORITY_ENDS";

const DAY_MS = 24 * 3_600_000;
/** A charger needs one in months. One that is broken, or somebody else's, must not fill the books. */
const REQUESTS_A_DAY_MAX = 50;
/** For how long a refusal needs no second look, in ms. */
const REFUSAL_MS = 60_000;

/** A charger's request, as PEM, and by what the charger came in that makes it. */
export interface Wish {
  chargerId: string;
  securityProfile: SecurityProfile;
  csr: string;
}

/**
 * A charger asks for a certificate. Answers whether it gets one, now or once an operator has said so. The same request again is the same one; a new
 * one stands in place of one that waits. A charger that has shown nothing when it came in waits for an operator also where others do not.
 */
export async function requestCertificate(db: Db, settings: Certification, wish: Wish, now: Date): Promise<boolean> {
  const { chargerId, csr } = wish;
  const text = csr.toWellFormed();
  const before = await certificateRequestByText(db, chargerId, text);
  if (before !== undefined && wasJustRefused(before, now)) return false;
  if (before !== undefined && (await isInHand(db, before, now))) return true;
  const charger = await chargerById(db, chargerId);
  if (charger === undefined || (await requestsSince(db, chargerId, new Date(now.getTime() - DAY_MS))) >= REQUESTS_A_DAY_MAX) return false;
  const checked = await check(settings, charger, csr, now);
  if (typeof checked === "string" && before?.state === "REJECTED" && before.reason === checked) return false;
  // What is asked of it or known of it by now proves nothing of whoever came in before.
  const hasProvenItself = wish.securityProfile > 0 && charger.registration === "ACCEPTED";
  const isTrusted = settings.signing === "auto" && hasProvenItself;
  const issued = typeof checked !== "string" && isTrusted ? await sign(checked, settings, now) : undefined;
  const keep = (tx: Db): Promise<boolean> =>
    typeof checked === "string"
      ? keepRefused(tx, chargerId, text, checked, now)
      : keepRequest(tx, { chargerId, text, request: checked.request, issued, now });
  return transact(db, keep).catch((err: unknown) => {
    // The charger was deleted in this moment.
    if (violates(err, "certificate_request_charger_id_fkey")) return false;
    throw err;
  });
}

/** Whether a look at this request would tell nothing new. */
function wasJustRefused({ state, reason, decide_time: time }: CertificateRequestRow, now: Date): boolean {
  return state === "REJECTED" && reason !== "BY_OPERATOR" && time !== null && now.getTime() - time.getTime() < REFUSAL_MS;
}

/** Whether something comes of this request already. What was sent and may have got lost is sent again. */
async function isInHand(db: Db, request: CertificateRequestRow, now: Date): Promise<boolean> {
  if (request.state === "PENDING") return true;
  const certificate = request.state === "SIGNED" ? await certificateOfRequest(db, request.id) : undefined;
  if (certificate === undefined || certificate.state !== "PENDING_INSTALL" || certificate.not_after <= now) return false;
  const command = certificate.command_id === null ? undefined : await commandById(db, certificate.charger_id, certificate.command_id);
  if (command !== undefined && command.end_time !== null) await unsetCertificateCommand(db, certificate.id);
  return true;
}

/** A sound request, and who would sign it. */
interface Signable {
  request: SoundRequest;
  authority: Authority;
}

async function check(settings: Certification, charger: ChargerRow, csr: string, now: Date): Promise<Signable | Fault> {
  const { signing, authority, organization } = settings;
  if (signing === "off" || authority === undefined) return "SIGNING_OFF";
  if (authority.notAfter.getTime() < now.getTime() + DAY_MS) return "AUTHORITY_ENDS";
  const { checkRequest } = await import("./signing.ts");
  const request = await checkRequest(csr, charger.certificate_name || charger.id, organization);
  return typeof request === "string" ? request : { request, authority };
}

async function sign({ request, authority }: Signable, { days }: Certification, now: Date): Promise<Issued> {
  const { signRequest } = await import("./signing.ts");
  return signRequest(authority, request, now, days);
}

async function keepRefused(tx: Db, chargerId: string, csr: string, reason: Fault, now: Date): Promise<boolean> {
  const id = await insertCertificateRequest(tx, { charger_id: chargerId, csr, state: "REJECTED", reason, decide_time: now });
  await tellOf(tx, id);
  return false;
}

interface Kept {
  chargerId: string;
  text: string;
  request: SoundRequest;
  issued: Issued | undefined;
  now: Date;
}

async function keepRequest(tx: Db, { chargerId, text, request, issued, now }: Kept): Promise<boolean> {
  const replaced = await replacePending(tx, chargerId);
  if (replaced !== undefined) await tellOf(tx, replaced);
  const id = await insertCertificateRequest(tx, {
    charger_id: chargerId,
    csr: text,
    state: issued === undefined ? "PENDING" : "SIGNED",
    subject: toColumn(request.subject),
    key: request.key,
    decide_time: issued === undefined ? null : now,
  });
  if (issued !== undefined) await keepIssued(tx, chargerId, id, issued);
  await tellOf(tx, id);
  return true;
}

async function keepIssued(tx: Db, chargerId: string, requestId: string, issued: Issued): Promise<void> {
  const row = await insertCertificate(tx, {
    charger_id: chargerId,
    request_id: requestId,
    serial_number: issued.serialNumber,
    fingerprint: issued.fingerprint,
    subject: toColumn(issued.subject),
    issuer: toColumn(issued.issuer),
    not_before: issued.notBefore,
    not_after: issued.notAfter,
    chain: issued.chain,
  });
  await certificateUpdated(tx, row);
}

/** Signs a request that waits. NOT_FOUND if there is none, FAILED_PRECONDITION if it has been decided on, or cannot be signed any more. */
export async function approveRequest(
  db: Db,
  settings: Certification,
  id: string,
  userId: string | undefined,
  now: Date,
): Promise<CertificateRequestView> {
  const pending = await pendingRequest(db, id);
  const charger = await chargerById(db, pending.charger_id);
  if (charger === undefined) throw noCertificateRequest(id);
  const checked = await check(settings, charger, pending.csr, now);
  if (checked === "SIGNING_OFF") throw new AppError("failedPrecondition", "SIGNING_OFF", "There is no authority that could sign it.");
  if (typeof checked === "string") {
    throw new AppError("failedPrecondition", "CERTIFICATE_REQUEST_UNFIT", `Certificate request ${id} cannot be signed: ${checked}.`);
  }
  const issued = await sign(checked, settings, now);
  return transact(db, async (tx) => {
    if ((await decideOnRequest(tx, id, "SIGNED", "", userId)) === undefined) throw decided(id);
    await keepIssued(tx, pending.charger_id, id, issued);
    return decidedOn(tx, id, pending.charger_id);
  });
}

/** Decides not to sign a request that waits. NOT_FOUND if there is none, FAILED_PRECONDITION if it has been decided on. */
export async function rejectRequest(db: Db, id: string, userId: string | undefined): Promise<CertificateRequestView> {
  const pending = await pendingRequest(db, id);
  return transact(db, async (tx) => {
    if ((await decideOnRequest(tx, id, "REJECTED", "BY_OPERATOR", userId)) === undefined) throw decided(id);
    return decidedOn(tx, id, pending.charger_id);
  });
}

async function pendingRequest(db: Db, id: string): Promise<CertificateRequestView> {
  const request = await certificateRequestById(db, id);
  if (request === undefined) throw noCertificateRequest(id);
  if (request.state !== "PENDING") throw decided(id);
  return request;
}

async function decidedOn(tx: Db, id: string, chargerId: string): Promise<CertificateRequestView> {
  await recordAudit(tx, { resource: `chargers/${chargerId}`, details: { certificateRequest: id } });
  return tellOf(tx, id);
}

async function tellOf(tx: Db, id: string): Promise<CertificateRequestView> {
  const request = await certificateRequestById(tx, id);
  if (request === undefined) throw noCertificateRequest(id);
  await certificateRequestUpdated(tx, request);
  return request;
}

function decided(id: string): AppError {
  return new AppError("failedPrecondition", "CERTIFICATE_REQUEST_DECIDED", `Certificate request ${id} has been decided on.`);
}

/** NOT_FOUND for a request. */
export function noCertificateRequest(id: string): AppError {
  return new AppError("notFound", "CERTIFICATE_REQUEST_NOT_FOUND", `There is no certificate request ${id}.`);
}
