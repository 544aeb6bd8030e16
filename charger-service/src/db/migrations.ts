import type { Migration } from "@chargemesh/kit/migrate";
import { initial } from "./migrations/0001-initial.ts";
import { commandWaits } from "./migrations/0002-command-waits.ts";
import { credentials } from "./migrations/0003-credentials.ts";
import { securityProfile } from "./migrations/0004-security-profile.ts";
import { messages } from "./migrations/0005-messages.ts";
import { reservations } from "./migrations/0006-reservations.ts";
import { chargingProfiles } from "./migrations/0007-charging-profiles.ts";
import { configuration } from "./migrations/0008-configuration.ts";
import { localLists } from "./migrations/0009-local-list.ts";
import { files } from "./migrations/0010-files.ts";
import { certificates } from "./migrations/0011-certificates.ts";
import { dataTransfers } from "./migrations/0012-data-transfers.ts";
import { connectionHistory } from "./migrations/0013-connection-history.ts";
import { events } from "./migrations/0014-events.ts";
import { webhooks } from "./migrations/0015-webhooks.ts";
import { userStanding } from "./migrations/0016-user-standing.ts";

/** Every migration of the schema `ocpp`, in order. Never edited once released; `docs/adr` says how a table changes. */
export const migrations: Record<string, Migration> = {
  "0001-initial": initial,
  "0002-command-waits": commandWaits,
  "0003-credentials": credentials,
  "0004-security-profile": securityProfile,
  "0005-messages": messages,
  "0006-reservations": reservations,
  "0007-charging-profiles": chargingProfiles,
  "0008-configuration": configuration,
  "0009-local-list": localLists,
  "0010-files": files,
  "0011-certificates": certificates,
  "0012-data-transfers": dataTransfers,
  "0013-connection-history": connectionHistory,
  "0014-events": events,
  "0015-webhooks": webhooks,
  "0016-user-standing": userStanding,
};
