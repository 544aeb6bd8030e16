import type { Message_State } from "@chargemesh/contracts/email/v1/message";
import type { ListMessagesRequest, ListMessagesResponse } from "@chargemesh/contracts/email/v1/message_service";
import { badRequest } from "@chargemesh/kit/errors";
import { pageSize, readPageToken, toPage } from "@chargemesh/kit/page";
import { listMessages as readMessages } from "../db/message.ts";
import type { Db, MessageRow, MessageState } from "../db/schema.ts";
import { toMessage } from "../resources.ts";

/** Callers take answers of 4 MiB, and a character has up to 3 bytes: a page of long texts is shorter than was asked for. */
const PAGE_TEXT_CHARACTERS_MAX = 1_000_000;

export const listMessages =
  ({ db }: { db: Db }) =>
  async (request: ListMessagesRequest): Promise<ListMessagesResponse> => {
    const size = pageSize(request.pageSize);
    const filter = {
      to: given(request.to),
      state: stateOf(request.state),
      bounced: request.bounced,
      template: given(request.template),
      userId: given(request.userId.toLowerCase()),
      after: placeOf(request.pageToken),
    };
    const found = await readMessages(db, filter, size + 1);
    const page = toPage(found, fitting(found, size), ({ create_time, id }) => [create_time.toISOString(), id]);
    return { messages: page.rows.map(toMessage), nextPageToken: page.nextPageToken };
  };

function given(text: string): string | undefined {
  return text === "" ? undefined : text;
}

function stateOf(state: Message_State): MessageState | undefined {
  return state === "QUEUED" || state === "SENT" || state === "FAILED" ? state : undefined;
}

const PLACE = { time: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, id: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/ };

function placeOf(pageToken: string): { createTime: Date; id: string } | undefined {
  const [time, id] = readPageToken(pageToken, 2) ?? [];
  if (time === undefined || id === undefined) return undefined;
  const createTime = new Date(time);
  if (!PLACE.time.test(time) || Number.isNaN(createTime.getTime()) || !PLACE.id.test(id))
    throw badRequest([{ field: "page_token", description: "must be a next_page_token of the same list" }]);
  return { createTime, id };
}

/** How many of the rows make a page: `size`, or fewer if their texts are long, but at least one. */
function fitting(rows: readonly MessageRow[], size: number): number {
  let characters = 0;
  for (const [i, { text }] of rows.entries()) {
    characters += text.length;
    if (characters > PAGE_TEXT_CHARACTERS_MAX) return Math.min(size, Math.max(i, 1));
  }
  return size;
}
