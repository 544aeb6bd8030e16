import { UserDeleted } from "@chargemesh/contracts/auth/v1/events";
import { recordAudit } from "@chargemesh/kit/audit";
import { transact } from "@chargemesh/kit/postgres";
import type { Handle } from "@chargemesh/kit/subscribe";
import type { Db } from "../db/schema.ts";
import { releaseTransactionsAndCommands } from "../db/user.ts";
import { releaseIdTokensOf } from "../domain/id-token.ts";
import { restrictWebhooksOf } from "../domain/webhook-disabling.ts";

/** Forgets whose things were those of a user who is no more. Their id tokens charge no more; what was charged stays in the books. */
export const userDeleted =
  ({ db, adminTypes }: { db: Db; adminTypes: readonly string[] }): Handle =>
  async (event) => {
    const { userId } = UserDeleted.fromJSON(event.data ?? {});
    await transact(db, async (tx) => {
      const idTokens = await releaseIdTokensOf(tx, userId);
      await releaseTransactionsAndCommands(tx, userId);
      await restrictWebhooksOf(tx, { userId, owner: undefined, type: event.type, time: new Date(event.time), adminTypes });
      const actor = { kind: "SERVICE", id: "auth-service", name: "auth-service" } as const;
      for (const idToken of idTokens)
        await recordAudit(tx, { resource: `idTokens/${idToken}`, action: event.type, actor, details: { status: "BLOCKED" } });
    });
  };
