import { OneTimeTokenIssued } from "@chargemesh/contracts/auth/v1/events";
import type { Clock } from "@chargemesh/kit/clock";
import type { Logger } from "@chargemesh/kit/log";
import type { Handle } from "@chargemesh/kit/subscribe";
import type { Db } from "../db/schema.ts";
import type { LinkPurpose, Links } from "../mail/links.ts";
import { queueMail } from "../mail/queue.ts";
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
    const { userId, username, email, purpose, sealedToken, expireTime, language } = OneTimeTokenIssued.fromJSON(event.data ?? {});
    if (userId === "") return;
    const now = clock.now();
    // After a long time away: nobody waits for it any more.
    if (expireTime !== undefined && expireTime <= now) return;
    const isKnown = purpose !== "PURPOSE_UNSPECIFIED" && purpose !== "UNRECOGNIZED";
    const sealedLink = isKnown ? links.sealedLink(purpose, sealedToken) : undefined;
    if (!isKnown || sealedLink === undefined) return log.error({ event: event.id }, "a token that cannot be opened was dropped");
    // To the address that it shows to be somebody's, which need not be the user's yet.
    const envelope = { email, language, userId: undefined, eventId: event.id, now, sealedLink };
    if (await queueMail(db, templates[linkTemplates[purpose]], { username, expireTime }, envelope)) sender.wake();
  };
