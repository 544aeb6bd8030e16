import type { Clock } from "@chargemesh/kit/clock";
import type { Logger } from "@chargemesh/kit/log";
import type { Nats } from "@chargemesh/kit/nats";
import type { SealedTexts } from "@chargemesh/kit/sealed-text";
import type { Db } from "../db/schema.ts";
import type { UnknownChargers } from "../domain/admission.ts";
import type { Certification } from "../domain/certificate-request.ts";
import type { LimitsOf } from "../domain/charger-limits.ts";
import type { Commander } from "../domain/command.ts";
import type { Filing } from "../domain/filing.ts";

/** What the rpcs of this service work with. Each takes out what it uses. */
export interface RpcDeps extends Filing {
  db: Db;
  commander: Commander;
  limitsOf: LimitsOf;
  certification: Certification;
  nats: Nats;
  clock: Clock;
  unknownChargers: UnknownChargers;
  /** Of the WebSocket subprotocols that a charger offers, the one to speak with it; empty if there is none. */
  chooseProtocol(offered: readonly string[]): string;
  /** What seals the secrets of webhooks. */
  webhookSecrets: SealedTexts;
  /** What is wrong with the URL of a webhook; undefined if nothing is. */
  webhookUrlFault(url: string): string | undefined;
  /** Says that there is something to be sent to webhooks. */
  wakeWebhooks(): void;
  log: Logger;
}
