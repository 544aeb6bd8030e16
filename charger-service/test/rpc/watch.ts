import type { Event } from "@chargemesh/contracts/charger/v1/event";
import { WatchEventsRequest, type WatchEventsResponse } from "@chargemesh/contracts/charger/v1/event_service";
import type { ClientReadableStream, Metadata, ServiceError } from "@grpc/grpc-js";
import { given, type Service } from "../service.ts";

/** A stream of events being read. */
export interface Watch {
  next(): Promise<Event>;
  cancel(): void;
  /** How it ended. */
  ended: Promise<ServiceError | undefined>;
  stream: ClientReadableStream<WatchEventsResponse>;
}

/** Begins to watch, and resolves when the metadata are there. Rejects if it is refused. */
export async function openWatch({ events }: Service, as: Metadata, request: Partial<WatchEventsRequest> = {}): Promise<Watch> {
  const stream = events.watchEvents(WatchEventsRequest.fromPartial(request), as);
  const ended = new Promise<ServiceError | undefined>((resolve) => {
    stream.on("error", resolve);
    stream.on("end", () => resolve(undefined));
  });
  const live = Promise.withResolvers<void>();
  stream.once("metadata", () => live.resolve());
  void ended.then((err) => live.reject(err));
  await live.promise;
  const received: Event[] = [];
  let arrived = Promise.withResolvers<void>();
  stream.on("data", ({ event }: WatchEventsResponse) => {
    received.push(given(event));
    arrived.resolve();
  });
  return {
    async next() {
      while (received.length === 0) {
        arrived = Promise.withResolvers<void>();
        await arrived.promise;
      }
      return given(received.shift());
    },
    cancel: () => stream.cancel(),
    ended,
    stream,
  };
}
