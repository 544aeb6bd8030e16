import { AuditEntryRecorded } from "@chargemesh/contracts/audit/v1/events";
import type { Logger } from "@chargemesh/kit/log";
import { jsonText } from "@chargemesh/kit/postgres";
import type { Handle } from "@chargemesh/kit/subscribe";
import { insertAuditEntry } from "../db/audit-entry.ts";
import type { Db } from "../db/schema.ts";

/** Keeps what a service says that somebody did. */
export const auditEntryRecorded =
  ({ db, log }: { db: Db; log: Logger }): Handle =>
  async (event) => {
    const { auditEntry } = AuditEntryRecorded.fromJSON(event.data ?? {});
    const { kind } = auditEntry?.actor ?? {};
    if (auditEntry?.actor === undefined || kind === undefined || kind === "KIND_UNSPECIFIED" || kind === "UNRECOGNIZED")
      return log.error({ event: event.id, source: event.source }, "an event without its audit entry was dropped");
    const { actor, action, resource, result, remoteAddress, details, count } = auditEntry;
    // Done to nobody: it was said only so that it took as long as for somebody.
    if (resource === "" && result === "OK") return;
    await insertAuditEntry(db, {
      id: event.id,
      time: new Date(event.time),
      actor_kind: kind,
      // A service that acts by itself need not say who it is: the event does.
      actor_id: kind === "SERVICE" && actor.id === "" ? event.source : actor.id,
      actor_name: actor.name,
      api_key_id: actor.apiKeyId,
      action,
      resource,
      result,
      remote_address: remoteAddress,
      request_id: event.requestid ?? "",
      details: jsonText(details),
      count,
    });
  };
