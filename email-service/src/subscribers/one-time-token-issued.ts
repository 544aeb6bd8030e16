import { randomUUID } from "node:crypto";
import { OneTimeTokenIssued } from "@chargemesh/contracts/auth/v1/events";
import type { Clock } from "@chargemesh/kit/clock";
import type { Logger } from "@chargemesh/kit/log";
import { requestId } from "@chargemesh/kit/request-id";
import { isEmail } from "@chargemesh/kit/rules";
import type { Handle } from "@chargemesh/kit/subscribe";
import { insertMessage } from "../db/message.ts";
import type { Db } from "../db/schema.ts";
import { render } from "../mail/document.ts";
import type { LinkPurpose, Links } from "../mail/links.ts";
import { queuedAt } from "../mail/schedule.ts";
import type { Sender } from "../mail/sender.ts";
import { type TemplateId, templates } from "../mail/templates/index.ts";

/** The template of the mail with a link. */
const linkTemplates = {
  VERIFY_EMAIL: "verify-email",
  CHANGE_EMAIL: "change-email",
  RESET_PASSWORD: "reset-password",
} as const satisfies Record<LinkPurpose, TemplateId>;

/** Mails a one-time token to whom it is for, as a link. A token of nobody, or of somebody without an address, goes nowhere. */
export const oneTimeTokenIssued =
  ({ db, clock, sender, links, log }: { db: Db; clock: Clock; sender: Sender; links: Links; log: Logger }): Handle =>
  async (event) => {
    const { userId, username, email, purpose, sealedToken, expireTime } = OneTimeTokenIssued.fromJSON(event.data ?? {});
    if (userId === "" || !isEmail(email)) return;
    const now = clock.now();
    // After a long time away: nobody waits for it any more.
    if (expireTime !== undefined && expireTime <= now) return;
    const isKnown = purpose !== "PURPOSE_UNSPECIFIED" && purpose !== "UNRECOGNIZED";
    const sealedLink = isKnown ? links.sealedLink(purpose, sealedToken) : undefined;
    if (!isKnown || sealedLink === undefined) return log.error({ event: event.id }, "a token that cannot be opened was dropped");
    const template = linkTemplates[purpose];
    const message = await insertMessage(db, {
      id: randomUUID(),
      to_address: email,
      ...render(templates[template].write({ username, expireTime }, "en"), { language: "en" }),
      template,
      event_id: event.id,
      request_id: requestId() ?? null,
      sealed_link: sealedLink,
      create_time: now,
      ...queuedAt(now),
    });
    if (message !== undefined) sender.wake();
  };
