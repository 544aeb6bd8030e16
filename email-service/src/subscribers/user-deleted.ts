import { UserDeleted } from "@chargemesh/contracts/auth/v1/events";
import { transact } from "@chargemesh/kit/postgres";
import type { Handle } from "@chargemesh/kit/subscribe";
import { deleteMessagesTo } from "../db/message.ts";
import { removeOptOutsOf } from "../db/opt-out.ts";
import { recipientById, saveRecipient } from "../db/recipient.ts";
import type { Db } from "../db/schema.ts";

/**
 * Forgets a user who is no more, what they wanted, and the mails to them. Their id stays, with nothing beside it, so that an event which comes
 * late does not bring them back.
 */
export const userDeleted =
  ({ db }: { db: Db }): Handle =>
  async (event) => {
    const { userId } = UserDeleted.fromJSON(event.data ?? {});
    await transact(db, async (tx) => {
      const email = (await recipientById(tx, userId))?.email ?? "";
      const gone = { username: "", email: "", language: "", role: "DRIVER", is_disabled: false } as const;
      // Whoever is about to mail them has done so once this is written, or finds nobody.
      await saveRecipient(tx, { ...gone, user_id: userId, update_time: new Date(event.time) });
      await deleteMessagesTo(tx, userId, email);
      await removeOptOutsOf(tx, userId);
    });
  };
