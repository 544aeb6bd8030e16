import { UserCreated } from "@chargemesh/contracts/auth/v1/events";
import type { Clock } from "@chargemesh/kit/clock";
import type { Logger } from "@chargemesh/kit/log";
import { transact } from "@chargemesh/kit/postgres";
import type { Handle } from "@chargemesh/kit/subscribe";
import { holdRecipient, saveRecipient } from "../db/recipient.ts";
import type { Db } from "../db/schema.ts";
import { queueMail } from "../mail/queue.ts";
import type { Sender } from "../mail/sender.ts";
import { templates } from "../mail/templates/index.ts";
import { recipientOf } from "./recipient-of.ts";

/** Remembers the user, and welcomes them if they have an address. */
export const userCreated =
  ({ db, clock, sender, log }: { db: Db; clock: Clock; sender: Sender; log: Logger }): Handle =>
  async (event) => {
    const { user } = UserCreated.fromJSON(event.data ?? {});
    if (user === undefined) return log.error({ event }, "an event without its user was dropped");
    const { id, username, email, language } = user;
    const isQueued = await transact(db, async (tx) => {
      await saveRecipient(tx, recipientOf(user, event));
      const recipient = await holdRecipient(tx, id);
      // Who is gone by now, or may not come in, is not welcomed.
      if (recipient === undefined || recipient.username === "" || recipient.is_disabled) return false;
      return queueMail(tx, templates.welcome, { username }, { email, language, userId: id, eventId: event.id, now: clock.now() });
    });
    if (isQueued) sender.wake();
  };
