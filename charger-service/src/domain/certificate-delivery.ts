import { beginRenewals, setCertificateCommand, setRenewCommand, unsentCertificates } from "../db/certificate.ts";
import type { CertificateRow } from "../db/certificate-tables.ts";
import type { Db } from "../db/schema.ts";
import type { Certification } from "./certificate-request.ts";
import type { Commander } from "./command.ts";

/** How long a certificate waits for its charger, in s; if that has not come by then, it begins to wait anew. */
const TTL_SECONDS = 7 * 24 * 3_600;

/** Another replica has sent it, or it was revoked. */
class NotToBeSent extends Error {}

/** Sends certificates that have not been sent: those of one charger, or of all. An offline charger gets them when it connects. */
export async function sendCertificates({ db, commander }: { db: Db; commander: Commander }, now: Date, chargerId?: string): Promise<void> {
  const failures: unknown[] = [];
  for (const certificate of await unsentCertificates(db, now, chargerId)) {
    await send(commander, certificate).catch((err: unknown) => {
      if (!(err instanceof NotToBeSent)) failures.push(err);
    });
  }
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} certificates could not be sent`);
}

async function send(commander: Commander, { id, charger_id: chargerId, chain }: CertificateRow): Promise<void> {
  await commander.ask({
    chargerId,
    question: { kind: "takeCertificate", chain },
    field: "chain",
    waitSeconds: 0,
    ttlSeconds: TTL_SECONDS,
    idempotencyKey: "",
    userId: undefined,
    async keep(tx, command) {
      if (!(await setCertificateCommand(tx, id, command.id))) throw new NotToBeSent();
    },
  });
}

/** Asks connected chargers whose certificates end soon for new requests, each once. */
export async function renewCertificates(
  { db, commander }: { db: Db; commander: Commander },
  { signing, authority, renewalDays }: Certification,
  now: Date,
): Promise<void> {
  if (signing === "off" || authority === undefined) return;
  for (const { id, charger_id: chargerId } of await beginRenewals(db, now, renewalDays, authority.notAfter)) {
    await commander.ask({
      chargerId,
      question: { kind: "requestCertificate" },
      field: "charger_id",
      waitSeconds: 0,
      ttlSeconds: 0,
      idempotencyKey: "",
      userId: undefined,
      keep: (tx, command) => setRenewCommand(tx, id, command.id),
    });
  }
}
