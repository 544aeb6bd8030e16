import type { Version } from "@chargemesh/ocpp/version";
import type { CommandEnd } from "../db/command.ts";
import type { Json } from "../db/schema.ts";
import type { Tolerance } from "../domain/tolerance.ts";
import type { Connection } from "./connection.ts";
import { dialectOf } from "./dialects.ts";
import type { Outcome } from "./outgoing.ts";

/** The charger's own statuses that mean that it does what it was asked (decision 7). */
const accepting = new Set([undefined, "Accepted", "AcceptedCanceled", "Scheduled", "RebootRequired", "Unlocked"]);

/** What a charger's answer makes of a command. Throws only if the database is away. */
export async function endOf(
  { version, chargerId }: Connection,
  tolerance: Tolerance,
  action: string,
  outcome: Outcome,
): Promise<CommandEnd> {
  switch (outcome.kind) {
    case "lost":
      return { state: "FAILED", errorCode: "CONNECTION_LOST", errorDescription: "The connection was lost before the charger answered." };
    case "timedOut":
      return { state: "TIMED_OUT", errorCode: "TIMED_OUT", errorDescription: "The charger did not answer in time." };
    case "error":
      return { state: "FAILED", errorCode: outcome.code, errorDescription: outcome.description };
    case "result": {
      const { payload, wrong } = await readResponse(version, chargerId, tolerance, action, outcome.payload);
      if (wrong !== undefined) return { state: "FAILED", errorCode: "INVALID_RESPONSE", errorDescription: wrong };
      const response = withoutPasswords(version, action, { ...(payload as object) });
      const status = "status" in response ? String(response.status) : undefined;
      return { state: accepting.has(status) ? "ACCEPTED" : "REJECTED", status: status ?? "", response };
    }
  }
}

/** Holds an answer to the schema of its action, and where it departs from that to what is allowed of the charger. */
async function readResponse(
  version: Version,
  chargerId: string,
  tolerance: Tolerance,
  action: string,
  payload: unknown,
): Promise<{ payload?: unknown; wrong?: string }> {
  const problem = version.checkResponse(action, payload);
  if (problem === undefined) return { payload };
  const mended = version.mendResponse(action, payload);
  if (mended === undefined) return { wrong: problem.description };
  const missing = await tolerance.missing({ chargerId, action, uses: mended.uses });
  if (missing.length === 0) return { payload: mended.payload };
  return { wrong: `${problem.description} (would be taken with ${missing.join(", ")})` };
}

function withoutPasswords({ subprotocol }: Version, action: string, response: Json): Json {
  return dialectOf(subprotocol)?.questions.withoutPasswords(action, response) ?? response;
}
