import type { Db } from "./schema.ts";

const NO_BOUNCE = { bounce_code: null, bounce_status: null, bounce_text: null };

/** Whatever anybody else thought of it meanwhile: it has been sent. Its link is forgotten. False if it was so already, or is no more. */
export async function markSent(db: Db, id: string, sendTime: Date): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("message")
    .set({ state: "SENT", send_time: sendTime, next_attempt_time: null, last_error: "", sealed_link: null, ...NO_BOUNCE })
    .where("id", "=", id)
    .where("state", "<>", "SENT")
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Queues it for another attempt, unless its fate is sealed. */
export async function markDeferred(db: Db, id: string, error: string, nextAttemptTime: Date): Promise<void> {
  await db
    .updateTable("message")
    .set({ last_error: error, next_attempt_time: nextAttemptTime })
    .where("id", "=", id)
    .where("state", "=", "QUEUED")
    .execute();
}

/** Why a mail was given up. */
export interface Failure {
  error: string;
  /** What the mail server said, if it has refused it for good. */
  bounce: { code: number; status: string; text: string } | undefined;
}

/** Gives it up, unless its fate is sealed; then false. */
export async function markFailed(db: Db, id: string, { error, bounce }: Failure): Promise<boolean> {
  const said = bounce === undefined ? NO_BOUNCE : { bounce_code: bounce.code, bounce_status: bounce.status, bounce_text: bounce.text };
  const { numUpdatedRows } = await db
    .updateTable("message")
    .set({ state: "FAILED", last_error: error, next_attempt_time: null, ...said })
    .where("id", "=", id)
    .where("state", "=", "QUEUED")
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}
