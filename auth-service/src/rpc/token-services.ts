import { ApiKeyServiceService } from "@chargemesh/contracts/auth/v1/api_key_service";
import { IdentityServiceService } from "@chargemesh/contracts/auth/v1/identity_service";
import { SessionServiceService } from "@chargemesh/contracts/auth/v1/session_service";
import type { Clock } from "@chargemesh/kit/clock";
import { type Registration, serve } from "@chargemesh/kit/grpc-server";
import type { Db } from "../db/schema.ts";
import type { Passwords } from "../domain/passwords.ts";
import { admitExternalUser } from "./admit-external-user.ts";
import { createApiKey } from "./create-api-key.ts";
import { deleteApiKey } from "./delete-api-key.ts";
import { deleteMySession } from "./delete-my-session.ts";
import { deleteSession } from "./delete-session.ts";
import { getApiKey } from "./get-api-key.ts";
import { identifyApiKey } from "./identify-api-key.ts";
import { listApiKeys } from "./list-api-keys.ts";
import { listMySessions } from "./list-my-sessions.ts";
import { listSessions } from "./list-sessions.ts";
import { revokeMySessions } from "./revoke-my-sessions.ts";
import { revokeSessions } from "./revoke-sessions.ts";

/** What the rpcs on sessions and keys work with. */
export interface TokenDeps {
  db: Db;
  passwords: Passwords;
  clock: Clock;
  apiKeyDaysMax: number;
}

/** Their .proto files, for rules and reflection. */
export const tokenProtoFiles = [
  "chargemesh/auth/v1/session_service.proto",
  "chargemesh/auth/v1/api_key_service.proto",
  "chargemesh/auth/v1/identity_service.proto",
];

/** What proves who somebody is: their sessions, their keys, and whom other services ask about. */
export function tokenRegistrations(deps: TokenDeps): Registration[] {
  return [
    serve(SessionServiceService, {
      listMySessions: listMySessions(deps),
      deleteMySession: deleteMySession(deps),
      revokeMySessions: revokeMySessions(deps),
      listSessions: listSessions(deps),
      deleteSession: deleteSession(deps),
      revokeSessions: revokeSessions(deps),
    }),
    serve(ApiKeyServiceService, {
      createApiKey: createApiKey(deps),
      getApiKey: getApiKey(deps),
      listApiKeys: listApiKeys(deps),
      deleteApiKey: deleteApiKey(deps),
    }),
    serve(IdentityServiceService, {
      identifyApiKey: identifyApiKey(deps),
      admitExternalUser: admitExternalUser(deps),
    }),
  ];
}
