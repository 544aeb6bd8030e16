import { EventServiceService, type WatchEventsRequest, type WatchEventsResponse } from "@chargemesh/contracts/charger/v1/event_service";
import { AppError, badRequest } from "@chargemesh/kit/errors";
import type { Call } from "@chargemesh/kit/grpc-server";
import type { Caller } from "@chargemesh/kit/identity";
import { type EventFilter, eventMatch, eventTypesNamed, type Follower } from "../domain/event-match.ts";
import { eventTypes } from "../live/event-types.ts";
import { makeHub } from "../live/hub.ts";
import { checkKept, journalState } from "../live/journal.ts";
import type { Told } from "../live/ring.ts";
import type { RpcDeps } from "./deps.ts";
import { encodeResponse, readTold, type ToldEvent } from "./told-event.ts";

/** As the contract defines it, but that what many watch is encoded once. */
export const eventService = {
  ...EventServiceService,
  watchEvents: { ...EventServiceService.watchEvents, responseSerialize: encodeResponse },
};

/**
 * What happens from now on, or after the cursor that the request or the metadata `last-event-id` names, as far as the caller may see it.
 * FAILED_PRECONDITION if the journal has not all of it any more; UNAVAILABLE if NATS is away at the start.
 */
export const watchEvents = ({ nats, log }: RpcDeps) => {
  const hub = makeHub(nats, (message) => readTold(message, log), log);
  return async (request: WatchEventsRequest, call: Call): Promise<AsyncIterable<WatchEventsResponse>> => {
    const follower = followerOf(call.caller);
    const matches = eventMatch(eventTypes, filterOf(request), follower);
    const cursor = cursorOf(request.cursor || call.metadata("last-event-id"));
    const journal = await journalState(nats, log);
    if (cursor !== undefined) checkKept(journal, cursor);
    return matching(hub.follow(journal, cursor ?? journal.last, follower.userId, call.signal), ({ event }) => matches(event));
  };
};

async function* matching(
  told: AsyncIterable<Told<ToldEvent | undefined>>,
  matches: (told: ToldEvent) => boolean,
): AsyncGenerator<WatchEventsResponse, void, undefined> {
  for await (const { event } of told) {
    const response = event !== undefined && matches(event) ? event.response() : undefined;
    if (response !== undefined) yield response;
  }
}

function filterOf({ types, chargerId, transactionId }: WatchEventsRequest): EventFilter {
  const unknown = (index: number): never => {
    throw badRequest([{ field: `types[${index}]`, description: "is no type of an event" }]);
  };
  return {
    types: eventTypesNamed(eventTypes, types, unknown),
    chargerId: chargerId === "" ? undefined : chargerId,
    transactionId: transactionId === "" ? undefined : transactionId,
  };
}

/** The access rule lets nobody else in. */
function followerOf(caller: Caller): Follower {
  if (caller.kind !== "user") throw new AppError("permissionDenied", "ACCESS_DENIED", "This is for users.");
  return caller;
}

/** The sequence in the journal of the last event that was seen; undefined if none was. */
function cursorOf(text: string): number | undefined {
  if (text === "") return undefined;
  const sequence = /^(0|[1-9]\d*)$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(sequence)) return sequence;
  throw badRequest([{ field: "cursor", description: "is not the cursor of an event" }]);
}
