import type { UnsubscribeRequest, UnsubscribeResponse } from "@chargemesh/contracts/email/v1/preference_service";
import type { HttpBody } from "@chargemesh/contracts/google/api/httpbody";
import { recordAudit } from "@chargemesh/kit/audit";
import type { Clock } from "@chargemesh/kit/clock";
import { badRequest } from "@chargemesh/kit/errors";
import { transact } from "@chargemesh/kit/postgres";
import { holdRecipient } from "../db/recipient.ts";
import type { Db } from "../db/schema.ts";
import type { Links } from "../mail/links.ts";
import { optOut } from "./preferences.ts";
import { readToken, unsubscribePage } from "./unsubscribe-page.ts";

/** More than any form of one short field. */
const FORM_BYTES_MAX = 10_000;

/** Whoever has the mail may unsubscribe; nobody has to sign in, for mail programs cannot. */
export const unsubscribe =
  ({ db, clock, links }: { db: Db; clock: Clock; links: Links }) =>
  async ({ token, form }: UnsubscribeRequest): Promise<UnsubscribeResponse> => {
    const unsubscribing = readToken(links, token);
    if (!(await isOneClick(form))) throw badRequest([{ field: "form", description: "must be List-Unsubscribe=One-Click" }]);
    const { userId, category } = unsubscribing;
    await transact(db, async (tx) => {
      // Of who is gone nothing is kept.
      if ((await holdRecipient(tx, userId))?.username === "") return;
      if (!(await optOut(tx, userId, category, clock.now()))) return;
      await recordAudit(tx, { resource: `users/${userId}`, details: { [category.toLowerCase()]: "off" } });
    });
    return { page: await unsubscribePage({ db, links }, unsubscribing, true) };
  };

/** RFC 8058, 3.1: urlencoded, or multipart/form-data. */
async function isOneClick(form: HttpBody | undefined): Promise<boolean> {
  if (form === undefined || form.data.length > FORM_BYTES_MAX) return false;
  const sent = new Response(Uint8Array.from(form.data), { headers: { "content-type": form.contentType } });
  // Neither kind of form, or none that can be read.
  const fields = await sent.formData().catch(() => undefined);
  return fields?.get("List-Unsubscribe") === "One-Click";
}
