import type { User } from "@chargemesh/contracts/auth/v1/user";
import type { CloudEvent } from "@chargemesh/kit/cloud-event";
import type { RecipientRow } from "../db/schema.ts";

/** What of a user decides which mails go to them. Whether the address is verified does not: who charges gets a receipt, and can say no more. */
export function recipientOf({ id, username, email, language, role, disabled }: User, { time }: CloudEvent): RecipientRow {
  return {
    user_id: id,
    username,
    email,
    language,
    role: role === "OPERATOR" || role === "ADMIN" ? role : "DRIVER",
    is_disabled: disabled,
    update_time: new Date(time),
  };
}
