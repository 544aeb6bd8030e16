import { createHmac } from "node:crypto";

/** What a secret begins with where people see it; the rest is the key, in base64. */
const PREFIX = "whsec_";

/**
 * The headers by which a receiver knows who sent `body`, and when, by the specification Standard Webhooks 1.0.0. There is a signature for
 * each of the secrets: while one takes the place of another, either verifies.
 */
export function signedHeaders(id: string, time: Date, body: string, secrets: readonly string[]): Record<string, string> {
  const timestamp = Math.floor(time.getTime() / 1_000);
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(PREFIX.length), "base64");
    return `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")}`;
  });
  return { "webhook-id": id, "webhook-timestamp": String(timestamp), "webhook-signature": signatures.join(" ") };
}
