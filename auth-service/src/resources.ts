import type { AuditEntry } from "@chargemesh/contracts/audit/v1/audit_entry";
import type { ApiKey } from "@chargemesh/contracts/auth/v1/api_key";
import type { IdentifyApiKeyResponse } from "@chargemesh/contracts/auth/v1/identity_service";
import type { Session } from "@chargemesh/contracts/auth/v1/session";
import type { User } from "@chargemesh/contracts/auth/v1/user";
import type { ApiKeyIdentity } from "@chargemesh/kit/api-keys";
import type { ApiKeyRow } from "./db/api-key.ts";
import type { AuditEntryRow } from "./db/audit-entry.ts";
import type { SessionRow } from "./db/session.ts";
import type { UserRow } from "./db/user.ts";

/** An entry of the audit log as the contract shows it. */
export function toAuditEntry(row: AuditEntryRow): AuditEntry {
  const { id, time, action, resource, result, details, count } = row;
  return {
    id,
    time,
    actor: { kind: row.actor_kind, id: row.actor_id, name: row.actor_name, apiKeyId: row.api_key_id },
    action,
    resource,
    result,
    remoteAddress: row.remote_address,
    requestId: row.request_id,
    details,
    count,
  };
}

/** A user as the contract shows them. */
export function toUser(row: UserRow): User {
  const { id, username, email, role, create_time, language } = row;
  const emailVerified = row.email_verify_time !== null;
  return { id, username, email: email ?? "", role, createTime: create_time, emailVerified, disabled: row.disable_time !== null, language };
}

/** A session as the contract shows it; `current` is the id of the one that asks. */
export function toSession(row: SessionRow, current: string | undefined): Session {
  const { id, create_time, refresh_time, expire_time, remote_address, user_agent } = row;
  return {
    id,
    createTime: create_time,
    refreshTime: refresh_time,
    expireTime: expire_time,
    remoteAddress: remote_address,
    userAgent: user_agent,
    current: id === current,
  };
}

/** An API key as the contract shows it. */
export function toApiKey(row: ApiKeyRow): ApiKey {
  return {
    id: row.id,
    userId: row.user_id,
    displayName: row.display_name,
    role: row.role,
    scopes: row.scopes,
    chargerIds: row.charger_ids,
    createTime: row.create_time,
    expireTime: row.expire_time,
    lastUseTime: row.last_use_time ?? undefined,
  };
}

/** What a key stands for, for the service that was shown it. */
export function toIdentifiedKey(identity: ApiKeyIdentity): IdentifyApiKeyResponse {
  const { username, expireTime, scopes, chargerIds, ...rest } = identity;
  const times = { createTime: undefined, expireTime: new Date(expireTime), lastUseTime: undefined };
  return { apiKey: { ...rest, ...times, displayName: "", scopes: [...scopes], chargerIds: [...chargerIds] }, username };
}
