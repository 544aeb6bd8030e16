import type { Res, V16 } from "@chargemesh/ocpp/version";
import type { Authorization, AuthorizationStatus } from "../../domain/authorization.ts";

type IdTagInfo = Res<V16, "Authorize">["idTagInfo"];

const statuses: Record<AuthorizationStatus, IdTagInfo["status"]> = {
  ACCEPTED: "Accepted",
  BLOCKED: "Blocked",
  EXPIRED: "Expired",
  INVALID: "Invalid",
  CONCURRENT_TX: "ConcurrentTx",
};

/** OCPP 1.6 §7.28: an IdToken is a CiString20Type. */
export const ID_TAG_LENGTH_MAX = 20;

/** An authorization as a 1.6 charger is told it (§7.27). A parent too long for 1.6 is left out. */
export function toIdTagInfo({ status, expiryTime, parentIdToken }: Omit<Authorization, "userId">): IdTagInfo {
  return {
    status: statuses[status],
    ...(expiryTime === undefined ? {} : { expiryDate: expiryTime.toISOString() }),
    ...(parentIdToken === "" || parentIdToken.length > ID_TAG_LENGTH_MAX ? {} : { parentIdTag: parentIdToken }),
  };
}
