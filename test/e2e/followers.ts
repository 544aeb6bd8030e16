import { get } from "node:http";
import { EventServiceClient, WatchEventsRequest, type WatchEventsResponse } from "@chargemesh/contracts/charger/v1/event_service";
import { credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";

/** What a reader has seen of an event. */
export interface Seen {
  cursor: string;
  type: string;
  subject: string;
}

/** How long to wait before coming again, in ms. */
const PAUSE_MS = 10;
const pause = () => new Promise<void>((resolve) => setTimeout(resolve, PAUSE_MS));

/** Reads once, on after a cursor, until it is cut or `seen` says that it is enough. Rejects if it is refused. */
type Read = (after: string, seen: (event: Seen) => boolean) => Promise<void>;

/** Where to read: from after a cursor to the event of `last`, as who shows `token`. */
interface Way {
  address: string;
  token: string;
  after: string;
  last: string;
}

/** Reads again and again, each time on after the last event that it has seen, until the last one has come. */
async function follow(read: Read, { after, last }: Way): Promise<Seen[]> {
  const all: Seen[] = [];
  while (all.at(-1)?.subject !== last) {
    await read(all.at(-1)?.cursor ?? after, (event) => {
      all.push(event);
      return event.subject === last;
    });
    await pause();
  }
  return all;
}

/** Follows the events over server-sent events as a browser does: by the field `id` of the last whole one. */
export function followSse(way: Way): Promise<Seen[]> {
  const read: Read = (after, seen) =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${way.token}`, accept: "text/event-stream", "last-event-id": after };
      const request = get(`http://${way.address}/ocpp/events`, { headers, agent: false }, (response) => {
        if (response.statusCode !== 200 && response.statusCode !== 503) return reject(new Error(`refused: ${response.statusCode}`));
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
          const blocks = text.split("\n\n");
          text = blocks.pop() ?? "";
          if (blocks.some((block) => isEnough(block, seen))) request.destroy();
        });
      });
      request.on("error", () => undefined).on("close", resolve);
    });
  return follow(read, way);
}

function isEnough(block: string, seen: (event: Seen) => boolean): boolean {
  const field = (name: string): string => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1] ?? "";
  if (field("id") === "") return false;
  const { cursor, type, subject } = JSON.parse(field("data"));
  if (cursor !== field("id") || type !== field("event")) throw new Error(`the fields of ${block} are not those of its event`);
  return seen({ cursor, type, subject });
}

/** Follows the events over gRPC. */
export function followGrpc(way: Way): Promise<Seen[]> {
  const metadata = new Metadata();
  metadata.set("authorization", `Bearer ${way.token}`);
  const read: Read = (after, seen) =>
    new Promise((resolve, reject) => {
      // A client of its own, for grpc-js waits longer and longer before it connects again.
      const client = new EventServiceClient(way.address, credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1 });
      const stream = client.watchEvents(WatchEventsRequest.fromPartial({ cursor: after }), metadata);
      const end = (): void => {
        client.close();
        resolve();
      };
      stream.on("data", ({ event }: WatchEventsResponse) => {
        if (event !== undefined && seen({ cursor: event.cursor, type: event.type, subject: event.subject })) stream.cancel();
      });
      stream.on("end", end);
      stream.on("error", (err: ServiceError) => {
        const isCut = err.code === status.UNAVAILABLE || err.code === status.CANCELLED || err.code === status.INTERNAL;
        if (isCut) end();
        else reject(err);
      });
    });
  return follow(read, way);
}
