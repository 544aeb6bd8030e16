import { randomUUID } from "node:crypto";
import { UserCreated } from "@chargemesh/contracts/auth/v1/events";
import type { Clock } from "@chargemesh/kit/clock";
import type { Logger } from "@chargemesh/kit/log";
import { transact } from "@chargemesh/kit/postgres";
import { requestId } from "@chargemesh/kit/request-id";
import { isEmail } from "@chargemesh/kit/rules";
import type { Handle } from "@chargemesh/kit/subscribe";
import { insertMessage } from "../db/message.ts";
import { recipientById, saveRecipient } from "../db/recipient.ts";
import type { Db } from "../db/schema.ts";
import { render } from "../mail/document.ts";
import { queuedAt } from "../mail/schedule.ts";
import type { Sender } from "../mail/sender.ts";
import { templates } from "../mail/templates/index.ts";

/** Remembers the user, and welcomes them if they have an address. */
export const userCreated =
  ({ db, clock, sender, log }: { db: Db; clock: Clock; sender: Sender; log: Logger }): Handle =>
  async (event) => {
    const { user } = UserCreated.fromJSON(event.data ?? {});
    if (user === undefined) return log.error({ event }, "an event without its user was dropped");
    const now = clock.now();
    const message = await transact(db, async (tx) => {
      await saveRecipient(tx, { user_id: user.id, username: user.username, email: user.email, update_time: new Date(event.time) });
      // Who is gone by now is not welcomed.
      const isGone = (await recipientById(tx, user.id))?.username === "";
      if (isGone || !isEmail(user.email)) return undefined;
      return insertMessage(tx, {
        id: randomUUID(),
        to_address: user.email,
        ...render(templates.welcome.write({ username: user.username }, "en"), { language: "en" }),
        template: "welcome",
        event_id: event.id,
        request_id: requestId() ?? null,
        create_time: now,
        ...queuedAt(now),
      });
    });
    if (message !== undefined) sender.wake();
  };
