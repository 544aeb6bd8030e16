import type { Migration } from "@chargemesh/kit/migrate";
import { initial } from "./migrations/0001-initial.ts";
import { accountMails } from "./migrations/0002-account-mails.ts";
import { outbox } from "./migrations/0003-outbox.ts";
import { delivery } from "./migrations/0004-delivery.ts";
import { preferences } from "./migrations/0005-preferences.ts";
import { digests } from "./migrations/0006-digests.ts";

/** Every migration of the schema `email`, in order. Never edited once released. */
export const migrations: Record<string, Migration> = {
  "0001-initial": initial,
  "0002-account-mails": accountMails,
  "0003-outbox": outbox,
  "0004-delivery": delivery,
  "0005-preferences": preferences,
  "0006-digests": digests,
};
