import type { Clock } from "@chargemesh/kit/clock";
import type { SealedTexts } from "@chargemesh/kit/sealed-text";
import type { ClaimedDelivery } from "../db/webhook-sending.ts";
import type { Made } from "./record.ts";
import type { Outcome, Send } from "./send.ts";
import { signedHeaders } from "./sign.ts";

export interface AttemptDeps {
  clock: Clock;
  /** What seals the secrets of webhooks. */
  sealed: SealedTexts;
  send: Send;
}

const UNSIGNED: Outcome = {
  status: undefined,
  error: "its secret cannot be read any more, so nothing was sent: rotate it",
  response: "",
  retryAfter: undefined,
  durationMs: 0,
};

/**
 * Posts an event to its webhook: a CloudEvent in structured mode, with the headers of Standard Webhooks, whose id is the event's, however
 * often it is sent. Rejects only when `signal` has stopped it.
 */
export async function attempt({ clock, sealed, send }: AttemptDeps, delivery: ClaimedDelivery, signal: AbortSignal): Promise<Made> {
  const { event, url } = delivery;
  const time = clock.now();
  const body = JSON.stringify(event);
  const secrets = secretsOf(delivery, time).flatMap((secret) => sealed.open(secret) ?? []);
  const headers = {
    "content-type": "application/cloudevents+json",
    "content-length": String(Buffer.byteLength(body)),
    "user-agent": "chargemesh-webhooks",
    ...(event.traceparent === undefined ? {} : { traceparent: event.traceparent }),
    ...signedHeaders(event.id, time, body, secrets),
  };
  const outcome = secrets.length === 0 ? UNSIGNED : await send({ url, headers, body }, signal);
  return { delivery, outcome, time, now: clock.now() };
}

/** The secret, and the one before it for as long as that still signs. */
function secretsOf({ sealedSecret, sealedPreviousSecret, previousSecretExpireTime }: ClaimedDelivery, now: Date): string[] {
  const isPreviousGood = previousSecretExpireTime !== null && previousSecretExpireTime > now;
  return isPreviousGood && sealedPreviousSecret !== null ? [sealedSecret, sealedPreviousSecret] : [sealedSecret];
}
