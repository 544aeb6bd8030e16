import { randomUUID } from "node:crypto";
import { requestId } from "@chargemesh/kit/request-id";
import { isEmail } from "@chargemesh/kit/rules";
import { insertMessage } from "../db/message.ts";
import type { Db } from "../db/schema.ts";
import { render } from "./document.ts";
import { readLanguage } from "./language.ts";
import { PREFERENCES_MARK, UNSUBSCRIBE_MARK } from "./links.ts";
import { queuedAt } from "./schedule.ts";
import type { Template } from "./templates/template.ts";

/** To whom a mail goes, and why. */
export interface Envelope {
  email: string;
  /** A tag of BCP 47, or empty. */
  language: string;
  /** undefined if it is for the address, whoever has it by now. */
  userId: string | undefined;
  eventId: string;
  now: Date;
  sealedLink?: string;
  isForgottenOnceDone?: boolean;
}

/** Queues what a template makes of the data. Says false if there is no address, or a mail of this event and template to it already. */
export async function queueMail<T>(tx: Db, template: Template<T>, data: T, envelope: Envelope): Promise<boolean> {
  const { email, userId, eventId, now, sealedLink = null, isForgottenOnceDone = false } = envelope;
  if (!isEmail(email)) return false;
  const language = readLanguage(envelope.language);
  const category = template.category === "ACCOUNT" || userId === undefined ? null : template.category;
  const message = await insertMessage(tx, {
    id: randomUUID(),
    to_address: email,
    ...render(template.write(data, language), {
      language,
      ...(category !== null && { unsubscribeUrl: UNSUBSCRIBE_MARK, preferencesUrl: PREFERENCES_MARK }),
    }),
    template: template.id,
    event_id: eventId,
    user_id: userId ?? null,
    category,
    request_id: requestId() ?? null,
    sealed_link: sealedLink,
    is_forgotten_once_done: isForgottenOnceDone,
    create_time: now,
    ...queuedAt(now),
  });
  return message !== undefined;
}
