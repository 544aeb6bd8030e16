import type { Migration } from "@chargemesh/kit/migrate";
import { initial } from "./migrations/0001-initial.ts";
import { accounts } from "./migrations/0002-accounts.ts";
import { tokens } from "./migrations/0003-tokens.ts";
import { audit } from "./migrations/0004-audit.ts";
import { devices } from "./migrations/0005-devices.ts";

/** By number. One that has been released is never edited; the code before and after it must both run on it. */
export const migrations: Record<string, Migration> = {
  "0001-initial": initial,
  "0002-accounts": accounts,
  "0003-tokens": tokens,
  "0004-audit": audit,
  "0005-devices": devices,
};
