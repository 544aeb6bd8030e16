import type { CloudEvent } from "@chargemesh/kit/cloud-event";
import type { EventType } from "@chargemesh/kit/event-types";

/** Which events somebody wants; what is undefined does not matter. */
export interface EventFilter {
  /** Full names. */
  readonly types: ReadonlySet<string> | undefined;
  readonly chargerId: string | undefined;
  readonly transactionId: string | undefined;
}

/** Who follows events, for whom they are chosen by their audience. */
export interface Follower {
  readonly role: "DRIVER" | "OPERATOR" | "ADMIN";
  readonly userId: string;
}

const LEVELS = { DRIVER: 0, OPERATOR: 1, ADMIN: 2, SERVICE: 3 } as const;

/** Whether an event is one that `follower` wants and may see. What the protos do not know, from a newer replica, is nobody's. */
export function eventMatch(
  eventTypes: ReadonlyMap<string, EventType>,
  { types, chargerId, transactionId }: EventFilter,
  { role, userId }: Follower,
): (event: CloudEvent) => boolean {
  return ({ type, data }) => {
    if (types !== undefined && !types.has(type)) return false;
    const eventType = eventTypes.get(type);
    if (eventType === undefined || typeof data !== "object" || data === null) return false;
    if (LEVELS[eventType.audience] > LEVELS[role]) return false;
    if (role === "DRIVER" && eventType.userOf(data) !== userId) return false;
    if (chargerId !== undefined && eventType.chargerOf(data) !== chargerId) return false;
    return transactionId === undefined || eventType.transactionOf(data) === transactionId;
  };
}

/**
 * The full names of event types that are named by these, or by the last part of them: "TransactionStarted". Undefined for none at all, which
 * is every type. `onUnknown` is told of one that there is not, or that nobody outside may follow.
 */
export function eventTypesNamed(
  eventTypes: ReadonlyMap<string, EventType>,
  names: readonly string[],
  onUnknown: (index: number) => never,
): ReadonlySet<string> | undefined {
  if (names.length === 0) return undefined;
  const open = [...eventTypes.values()].filter(({ audience }) => audience !== "SERVICE").map(({ type }) => type);
  return new Set(names.map((name, index) => open.find((type) => type === name || type.endsWith(`.${name}`)) ?? onUnknown(index)));
}
