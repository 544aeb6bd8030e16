import type { CommandRow } from "../db/schema.ts";

/** After these nobody knows whether the charger has done what it was asked; after any other error it has not. */
const DOUBTFUL = new Set(["CONNECTION_LOST", "TIMED_OUT", "INVALID_RESPONSE", "InternalError", "GenericError"]);

/** What a command that has ended has done at the charger: what was asked, nothing because the charger refused, nothing at all, or nobody knows. */
export type Effect = "DONE" | "REFUSED" | "NONE" | "UNKNOWN";

export function effectOf({ state, send_time, error_code }: CommandRow): Effect {
  if (state === "ACCEPTED") return "DONE";
  if (state === "REJECTED") return "REFUSED";
  return send_time !== null && DOUBTFUL.has(error_code) ? "UNKNOWN" : "NONE";
}
