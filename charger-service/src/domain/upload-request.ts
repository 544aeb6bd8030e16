import { randomInt, randomUUID } from "node:crypto";
import type { Clock } from "@chargemesh/kit/clock";
import { type AppError, badRequest } from "@chargemesh/kit/errors";
import { chargerById } from "../db/charger.ts";
import type { UploadKind, UploadRow } from "../db/file-tables.ts";
import type { Db } from "../db/schema.ts";
import { insertUpload, uploadByCommand } from "../db/upload.ts";
import { uploadUpdated } from "../events.ts";
import { type Asking, type Commander, noCharger } from "./command.ts";
import { comesByTls, type FileUrls, makeUploadUrl } from "./file-url.ts";

/** What a charger is asked to upload. Times are of the entries; undefined means all. */
export interface WantedUpload {
  kind: UploadKind;
  logStartTime: Date | undefined;
  logStopTime: Date | undefined;
  /** 0 leaves it to the charger. */
  retries: number;
  retryIntervalSeconds: number;
}

/** What asking for files takes. */
export interface UploadDeps {
  db: Db;
  commander: Commander;
  clock: Clock;
  fileUrls: FileUrls;
}

/** Numbers by which chargers speak of what they were asked: int32, and nobody who types one by hand hits on ours. */
export function makeRequestId(): number {
  return randomInt(1, 2 ** 31);
}

/** Asks a charger for a file. NOT_FOUND if there is no such charger, FAILED_PRECONDITION if there is no URL to give it. */
export async function askForUpload(
  { db, commander, clock, fileUrls }: UploadDeps,
  asking: Asking,
  wanted: WantedUpload,
): Promise<UploadRow> {
  const charger = await chargerById(db, asking.chargerId);
  if (charger === undefined) throw noCharger(asking.chargerId);
  const { location, secret, hash } = makeUploadUrl(fileUrls, comesByTls(charger));
  const requestId = makeRequestId();
  const expireTime = new Date(clock.now().getTime() + asking.ttlSeconds * 1_000 + fileUrls.lifeMs);
  const command = await commander.ask({
    ...asking,
    question: { ...wanted, kind: "upload", upload: wanted.kind, requestId, location, secret },
    field: "kind",
    keep: async (tx, { id }) => {
      const upload = await insertUpload(tx, {
        id: randomUUID(),
        charger_id: asking.chargerId,
        kind: wanted.kind,
        command_id: id,
        request_id: requestId,
        log_start_time: wanted.logStartTime ?? null,
        log_stop_time: wanted.logStopTime ?? null,
        token_hash: hash,
        expire_time: expireTime,
      });
      await uploadUpdated(tx, upload);
    },
  });
  const upload = await uploadByCommand(db, command.id);
  if (upload === undefined) throw withoutRow(asking);
  return upload;
}

/** Why a command has nothing that hangs on it: its key was that of a command sent by hand, or the charger is gone again. */
export function withoutRow({ chargerId, idempotencyKey }: Asking): AppError {
  if (idempotencyKey === "") return noCharger(chargerId);
  return badRequest([{ field: "idempotency_key", description: "was used for another command of this charger" }]);
}
