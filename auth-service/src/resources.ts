import type { AuditEntry } from "@chargemesh/contracts/audit/v1/audit_entry";
import type { User } from "@chargemesh/contracts/auth/v1/user";
import type { AuditEntryRow } from "./db/audit-entry.ts";
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
export function toUser({ id, username, email, role, create_time }: UserRow): User {
  return { id, username, email: email ?? "", role, createTime: create_time };
}
