import { UserUpdated } from "@chargemesh/contracts/auth/v1/events";
import { transact } from "@chargemesh/kit/postgres";
import type { Handle } from "@chargemesh/kit/subscribe";
import type { Db } from "../db/schema.ts";
import { restrictWebhooksOf } from "../domain/webhook-disabling.ts";

/** Takes from a user's webhooks what the user may not see any more. */
export const userUpdated =
  ({ db, adminTypes }: { db: Db; adminTypes: readonly string[] }): Handle =>
  async (event) => {
    const { user } = UserUpdated.fromJSON(event.data ?? {});
    const role = (["DRIVER", "OPERATOR", "ADMIN"] as const).find((one) => one === user?.role);
    if (user === undefined || role === undefined) return;
    const news = { userId: user.id, owner: { role, isDisabled: user.disabled }, type: event.type, time: new Date(event.time), adminTypes };
    await transact(db, (tx) => restrictWebhooksOf(tx, news));
  };
