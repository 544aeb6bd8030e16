import { AuditEntryRecorded } from "@chargemesh/contracts/audit/v1/events";
import type { QueryExecutorProvider } from "kysely";
import { type CallContext, callContext } from "./call-context.ts";
import type { Caller } from "./identity.ts";
import { appendEvent } from "./outbox.ts";

/** Who did something. `id` is that of the user, the charger's identity, or the service's name; `name` is the username. */
export interface Actor {
  kind: "ANONYMOUS" | "USER" | "SERVICE" | "CHARGER";
  id: string;
  name?: string;
  apiKeyId?: string;
}

/** What an entry says beside who did it and from where. Never a password, a token or a key, nor a text that may be one by mistake. */
export interface AuditRecord {
  /** What it was done to, by its path: "users/{id}", "chargers/{id}". */
  resource: string;
  /** What was done; by default the rpc that is being served. */
  action?: string;
  /** What was done where no rpc is being served, and a service or a charger does it by itself: "ocpp/Connect". */
  actionByItself?: string;
  /** "OK", which is the default, or the reason of the refusal. */
  result?: string;
  details?: Readonly<Record<string, string>>;
  /** Who did it, if it is not whoever calls: a user who signs in does not call as that user yet. */
  actor?: Actor;
  /** From where, if it is not a call. */
  remoteAddress?: string;
}

/** Says, in the caller's transaction, that somebody did something: it is kept if, and only if, what they did is. */
export async function recordAudit(tx: QueryExecutorProvider, record: AuditRecord): Promise<void> {
  const context = callContext();
  const { resource, result = "OK", details = {} } = record;
  const action = record.action ?? context?.rpc ?? record.actionByItself;
  if (action === undefined) throw new Error(`what was done to ${resource} has no name`);
  if (result !== "OK" && context !== undefined) kept.add(context);
  await appendAuditEntry(tx, {
    resource,
    action,
    result,
    details,
    actor: record.actor ?? actorOf(context?.caller),
    remoteAddress: record.remoteAddress ?? context?.remoteAddress ?? "",
    count: 1,
  });
}

/** Calls whose handler has recorded the refusal itself, in the transaction of what it did about it. */
const kept = new WeakSet<CallContext>();

/** Whether a call's handler has recorded its refusal itself. */
export function hasRecordedRefusal(context: CallContext): boolean {
  return kept.has(context);
}

type Attempt = Pick<AuditRecord, "resource" | "details" | "actor">;
const attempts = new WeakMap<CallContext, Attempt>();

/** Says what the call that is being served is about to do, for the entry that it leaves if it is refused. */
export function nameAttempt(attempt: Attempt): void {
  const context = callContext();
  if (context !== undefined) attempts.set(context, attempt);
}

/** What a call said that it was about to do. */
export function attemptOf(context: CallContext): Attempt {
  return attempts.get(context) ?? { resource: "" };
}

/** An entry as it travels; the event that carries it has its id, its time and the id of its request. */
export type PlainEntry = Required<Omit<AuditRecord, "actionByItself">> & { count: number };

export async function appendAuditEntry(tx: QueryExecutorProvider, entry: PlainEntry): Promise<void> {
  const { details, actor, ...rest } = entry;
  const auditEntry = {
    ...rest,
    actor: { name: "", apiKeyId: "", ...actor },
    details: { ...details },
    id: "",
    time: undefined,
    requestId: "",
  };
  await appendEvent(tx, AuditEntryRecorded, entry.action, { auditEntry });
}

/** A user who does something without calling as that user: who signs in, or shows a token that was mailed to them. */
export function userActor({ id, username }: { id: string; username: string }): Actor {
  return { kind: "USER", id, name: username };
}

/** A caller as the audit log names them. Where nobody calls, a service does something by itself: the one that says so. */
export function actorOf(caller: Caller | undefined): Actor {
  switch (caller?.kind) {
    case "user":
      return {
        kind: "USER",
        id: caller.userId,
        name: caller.username,
        ...(caller.credential.kind === "apiKey" ? { apiKeyId: caller.credential.id } : {}),
      };
    case "service":
      return { kind: "SERVICE", id: caller.name };
    case "anonymous":
      return { kind: "ANONYMOUS", id: "" };
    case undefined:
      return { kind: "SERVICE", id: "" };
  }
}
