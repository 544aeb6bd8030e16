import type { Clock } from "@chargemesh/kit/clock";
import type { Logger } from "@chargemesh/kit/log";
import type { Stack } from "@chargemesh/kit/main";
import type { Nats } from "@chargemesh/kit/nats";
import { makeSealedTexts } from "@chargemesh/kit/sealed-text";
import type { Config } from "../config.ts";
import type { Db } from "../db/schema.ts";
import type { RpcDeps } from "../rpc/deps.ts";
import { queueEvents } from "./queue.ts";
import { keepReplays } from "./replay.ts";
import { runWebhooks } from "./run.ts";
import { makeUrlRule } from "./url.ts";

/** Sends to webhooks what happens, and what happened, until the stack closes. Answers what rpcs need to know of them. */
export function openWebhooks(
  { webhooks, meshSecret, drainMs }: Config,
  { db, nats, clock }: { db: Db; nats: Nats; clock: Clock },
  stack: Stack,
  log: Logger,
): Pick<RpcDeps, "webhookSecrets" | "webhookUrlFault" | "wakeWebhooks"> {
  const sealed = makeSealedTexts(meshSecret, "webhooks");
  const { wake } = runWebhooks({ ...webhooks, db, clock, sealed, drainMs }, stack, log);
  queueEvents({ db, nats, wake }, stack, log);
  keepReplays({ db, nats, wake }, stack, log);
  return { webhookSecrets: sealed, webhookUrlFault: makeUrlRule(webhooks), wakeWebhooks: wake };
}
