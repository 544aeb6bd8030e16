import type { GetMessageRequest, GetMessageResponse } from "@chargemesh/contracts/email/v1/message_service";
import { AppError } from "@chargemesh/kit/errors";
import { messageById } from "../db/message.ts";
import type { Db } from "../db/schema.ts";
import { toMessage } from "../resources.ts";

export const getMessage =
  ({ db }: { db: Db }) =>
  async ({ id }: GetMessageRequest): Promise<GetMessageResponse> => {
    const row = await messageById(db, id);
    if (row === undefined) throw new AppError("notFound", "MESSAGE_NOT_FOUND", `No message ${id}.`);
    return { message: toMessage(row) };
  };
