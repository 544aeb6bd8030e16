import { UserDeleted } from "@chargemesh/contracts/auth/v1/events";
import { transact } from "@chargemesh/kit/postgres";
import type { Handle } from "@chargemesh/kit/subscribe";
import { deleteMessagesTo } from "../db/message.ts";
import { recipientById, saveRecipient } from "../db/recipient.ts";
import type { Db } from "../db/schema.ts";

/**
 * Forgets a user who is no more, and the mails to them. Their id stays, with nothing beside it, so that an event which comes late does not
 * bring them back.
 */
export const userDeleted =
  ({ db }: { db: Db }): Handle =>
  async (event) => {
    const { userId } = UserDeleted.fromJSON(event.data ?? {});
    await transact(db, async (tx) => {
      const recipient = await recipientById(tx, userId);
      if (recipient !== undefined && recipient.email !== "") await deleteMessagesTo(tx, recipient.email);
      await saveRecipient(tx, { user_id: userId, username: "", email: "", update_time: new Date(event.time) });
    });
  };
