import { UserUpdated } from "@chargemesh/contracts/auth/v1/events";
import type { Logger } from "@chargemesh/kit/log";
import type { Handle } from "@chargemesh/kit/subscribe";
import { saveRecipient } from "../db/recipient.ts";
import type { Db } from "../db/schema.ts";
import { recipientOf } from "./recipient-of.ts";

/** Remembers the user as they are now. */
export const userUpdated =
  ({ db, log }: { db: Db; log: Logger }): Handle =>
  async (event) => {
    const { user } = UserUpdated.fromJSON(event.data ?? {});
    if (user === undefined) return log.error({ event }, "an event without its user was dropped");
    await saveRecipient(db, recipientOf(user, event));
  };
