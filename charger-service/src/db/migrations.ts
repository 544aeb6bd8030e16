import type { Migration } from "@chargemesh/kit/migrate";
import { initial } from "./migrations/0001-initial.ts";
import { commandWaits } from "./migrations/0002-command-waits.ts";
import { credentials } from "./migrations/0003-credentials.ts";

/** Every migration of the schema `ocpp`, in order. Never edited once released; `docs/adr` says how a table changes. */
export const migrations: Record<string, Migration> = {
  "0001-initial": initial,
  "0002-command-waits": commandWaits,
  "0003-credentials": credentials,
};
