import type { Charger_Relaxation } from "@chargemesh/contracts/charger/v1/charger";
import { badRequest } from "@chargemesh/kit/errors";
import type { Relaxation } from "../db/schema.ts";
import { readSet } from "./request.ts";

const FIELD = "vendor_relaxation.relaxations";
/** At the door nobody knows the vendor yet. */
const ofTheDoor: readonly Relaxation[] = ["HEX_PASSWORD_TEXT", "ANY_BASIC_USER"];

/** What is allowed of a vendor. INVALID_ARGUMENT if it is nothing, or something that is only of single chargers. */
export function readVendorRelaxations(relaxations: readonly Charger_Relaxation[]): Relaxation[] {
  const read = readSet(FIELD, relaxations);
  if (read.length === 0) throw badRequest([{ field: FIELD, description: "is required" }]);
  const wrong = read.find((one) => ofTheDoor.includes(one));
  if (wrong !== undefined) throw badRequest([{ field: FIELD, description: `must not hold ${wrong}: it is for single chargers` }]);
  return read;
}
