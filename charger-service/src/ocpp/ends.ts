import type { Version } from "@chargemesh/ocpp/version";
import type { CommandEnd } from "../db/command.ts";
import type { Json } from "../db/schema.ts";
import { dialectOf } from "./dialects.ts";
import type { Outcome } from "./outgoing.ts";

/** The charger's own statuses that mean that it does what it was asked (decision 7). */
const accepting = new Set([undefined, "Accepted", "AcceptedCanceled", "Scheduled", "RebootRequired", "Unlocked"]);

/** What a charger's answer makes of a command. */
export function endOf(version: Version, action: string, outcome: Outcome): CommandEnd {
  switch (outcome.kind) {
    case "lost":
      return { state: "FAILED", errorCode: "CONNECTION_LOST", errorDescription: "The connection was lost before the charger answered." };
    case "timedOut":
      return { state: "TIMED_OUT", errorCode: "TIMED_OUT", errorDescription: "The charger did not answer in time." };
    case "error":
      return { state: "FAILED", errorCode: outcome.code, errorDescription: outcome.description };
    case "result": {
      const wrong = version.checkResponse(action, outcome.payload);
      if (wrong !== undefined) return { state: "FAILED", errorCode: "INVALID_RESPONSE", errorDescription: wrong.description };
      const response = withoutPasswords(version, action, { ...(outcome.payload as object) });
      const status = "status" in response ? String(response.status) : undefined;
      return { state: accepting.has(status) ? "ACCEPTED" : "REJECTED", status: status ?? "", response };
    }
  }
}

function withoutPasswords({ subprotocol }: Version, action: string, response: Json): Json {
  return dialectOf(subprotocol)?.questions.withoutPasswords(action, response) ?? response;
}
