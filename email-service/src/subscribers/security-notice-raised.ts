import { randomUUID } from "node:crypto";
import { SecurityNoticeRaised } from "@chargemesh/contracts/auth/v1/events";
import type { Clock } from "@chargemesh/kit/clock";
import type { Logger } from "@chargemesh/kit/log";
import { requestId } from "@chargemesh/kit/request-id";
import { isEmail } from "@chargemesh/kit/rules";
import type { Handle } from "@chargemesh/kit/subscribe";
import { insertMessage } from "../db/message.ts";
import type { Db } from "../db/schema.ts";
import { render } from "../mail/document.ts";
import { queuedAt } from "../mail/schedule.ts";
import type { Sender } from "../mail/sender.ts";
import { templates } from "../mail/templates/index.ts";

/** Tells a user of what happened to their account, at the address that the event names: it may not be theirs any more. */
export const securityNoticeRaised =
  ({ db, clock, sender, log }: { db: Db; clock: Clock; sender: Sender; log: Logger }): Handle =>
  async (event) => {
    const { email, username, kind, time, remoteAddress, userAgent } = SecurityNoticeRaised.fromJSON(event.data ?? {});
    if (kind === "KIND_UNSPECIFIED" || kind === "UNRECOGNIZED")
      return log.error({ event: event.id }, "a notice of nothing known was dropped");
    if (!isEmail(email)) return;
    const now = clock.now();
    const document =
      kind === "NEW_SIGN_IN"
        ? templates["new-sign-in"].write({ username, time, remoteAddress, userAgent }, "en")
        : templates["security-notice"].write({ kind, username, time, remoteAddress }, "en");
    const message = await insertMessage(db, {
      id: randomUUID(),
      to_address: email,
      ...render(document, { language: "en" }),
      template: kind === "NEW_SIGN_IN" ? "new-sign-in" : "security-notice",
      event_id: event.id,
      request_id: requestId() ?? null,
      is_forgotten_once_done: kind === "ACCOUNT_DELETED",
      create_time: now,
      ...queuedAt(now),
    });
    if (message !== undefined) sender.wake();
  };
