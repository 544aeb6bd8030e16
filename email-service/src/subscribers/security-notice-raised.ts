import { SecurityNoticeRaised } from "@chargemesh/contracts/auth/v1/events";
import type { Clock } from "@chargemesh/kit/clock";
import type { Logger } from "@chargemesh/kit/log";
import type { Handle } from "@chargemesh/kit/subscribe";
import type { Db } from "../db/schema.ts";
import { queueMail } from "../mail/queue.ts";
import type { Sender } from "../mail/sender.ts";
import { templates } from "../mail/templates/index.ts";

/** Tells a user of what happened to their account, at the address that the event names: it may not be theirs any more. */
export const securityNoticeRaised =
  ({ db, clock, sender, log }: { db: Db; clock: Clock; sender: Sender; log: Logger }): Handle =>
  async (event) => {
    const { email, username, kind, time, remoteAddress, userAgent, language } = SecurityNoticeRaised.fromJSON(event.data ?? {});
    if (kind === "KIND_UNSPECIFIED" || kind === "UNRECOGNIZED")
      return log.error({ event: event.id }, "a notice of nothing known was dropped");
    const isForgottenOnceDone = kind === "ACCOUNT_DELETED";
    const envelope = { email, language, userId: undefined, eventId: event.id, now: clock.now(), isForgottenOnceDone };
    const what = { username, time, remoteAddress };
    const isQueued =
      kind === "NEW_SIGN_IN"
        ? await queueMail(db, templates["new-sign-in"], { ...what, userAgent }, envelope)
        : await queueMail(db, templates["security-notice"], { ...what, kind }, envelope);
    if (isQueued) sender.wake();
  };
