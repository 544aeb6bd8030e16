import { makeUnsubscribeTokens } from "email-service/src/mail/unsubscribe-token.ts";
import { eventually, type Rest } from "../rest.ts";
import { type Done, type makeActors, nobody, userActor } from "./audited-calls.ts";

/** A call of every rpc that changes which mails somebody gets. */
export function auditedPreferenceCalls(
  admin: Rest,
  { env, somebody }: Pick<ReturnType<typeof makeActors>, "env" | "somebody">,
): Record<string, () => Promise<Done>> {
  return {
    "email.v1.PreferenceService/UpdateMyPreferences": async () => {
      const user = await somebody();
      const answer = await user.rest("PATCH", "/email/preferences", { charging: false });
      return { answer, resource: `users/${user.id}`, actor: userActor(user) };
    },
    "email.v1.PreferenceService/UpdateUserPreferences": async () => {
      const { id } = await somebody();
      const path = `/email/users/${id}/preferences`;
      await eventually(async () => (await admin("GET", path)).status === 200);
      return { answer: await admin("PATCH", path, { charging: false }), resource: `users/${id}` };
    },
    "email.v1.PreferenceService/Unsubscribe": async () => {
      const { id: userId } = await somebody();
      const token = makeUnsubscribeTokens(env.vars.MESH_SECRET).sign({ userId, category: "CHARGING" });
      const form = new URLSearchParams({ "List-Unsubscribe": "One-Click" });
      const response = await fetch(`${env.rest}/email/unsubscribe/${token}`, { method: "POST", body: form });
      const { status, headers } = response;
      return { answer: { status, headers, body: await response.text() }, resource: `users/${userId}`, actor: nobody };
    },
  };
}
