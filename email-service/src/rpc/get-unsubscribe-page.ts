import type { GetUnsubscribePageRequest, GetUnsubscribePageResponse } from "@chargemesh/contracts/email/v1/preference_service";
import type { Db } from "../db/schema.ts";
import type { Links } from "../mail/links.ts";
import { readToken, unsubscribePage } from "./unsubscribe-page.ts";

export const getUnsubscribePage =
  (needs: { db: Db; links: Links }) =>
  async ({ token }: GetUnsubscribePageRequest): Promise<GetUnsubscribePageResponse> => ({
    page: await unsubscribePage(needs, readToken(needs.links, token), false),
  });
