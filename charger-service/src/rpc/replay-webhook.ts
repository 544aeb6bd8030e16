import type { ReplayWebhookRequest, ReplayWebhookResponse } from "@chargemesh/contracts/charger/v1/webhook_service";
import { badRequest } from "@chargemesh/kit/errors";
import type { Call } from "@chargemesh/kit/grpc-server";
import { keptWebhook } from "../domain/webhook.ts";
import { beginReplay } from "../domain/webhook-delivery.ts";
import { journalState } from "../live/journal.ts";
import { sequenceBefore } from "../live/journal-time.ts";
import { toWebhook } from "../resources/webhook.ts";
import type { RpcDeps } from "./deps.ts";
import { readTime } from "./request.ts";
import { keeperOf, readTypes } from "./webhook-facts.ts";

/** Has events of the past sent once more, up to what the journal holds now. UNAVAILABLE while NATS is away. */
export const replayWebhook =
  ({ db, nats, clock, log }: RpcDeps) =>
  async (request: ReplayWebhookRequest, call: Call): Promise<ReplayWebhookResponse> => {
    const { id, startTime, types } = request;
    if (startTime === undefined) throw badRequest([{ field: "start_time", description: "is required" }]);
    const start = readTime("start_time", startTime);
    const end = request.endTime === undefined ? clock.now() : readTime("end_time", request.endTime);
    if (end <= start) throw badRequest([{ field: "start_time", description: "must be before end_time, which is now if there is none" }]);
    const keeper = keeperOf(call);
    const { owner_role } = await keptWebhook(db, id, keeper.role);
    const named = readTypes("types", types, owner_role);
    const { last } = await journalState(nats, log);
    const facts = { start_time: start, end_time: end, types: named, cursor: await sequenceBefore(nats, start), end_cursor: last };
    const { webhook, replay } = await beginReplay(db, id, facts, keeper);
    return { webhook: toWebhook(webhook, replay) };
  };
