import type {
  ListChargingProfileAssignmentsRequest,
  ListChargingProfileAssignmentsResponse,
} from "@chargemesh/contracts/charger/v1/charging_profile_service";
import { badRequest } from "@chargemesh/kit/errors";
import { pageSize, toPage } from "@chargemesh/kit/page";
import { assignmentsBefore } from "../db/assignment.ts";
import { TRANSACTION_ID_MAX } from "../db/transaction.ts";
import { toAssignment } from "../resources/charging-profile.ts";
import type { RpcDeps } from "./deps.ts";
import { readNumberToken } from "./page-token.ts";
import { said, text } from "./request.ts";

/** Stands for every profile (AIP-159). */
const ANY = "-";

export const listChargingProfileAssignments =
  ({ db }: RpcDeps) =>
  async (request: ListChargingProfileAssignmentsRequest): Promise<ListChargingProfileAssignmentsResponse> => {
    const size = pageSize(request.pageSize);
    const found = await assignmentsBefore(db, readNumberToken(request.pageToken), size + 1, {
      chargingProfileId: request.chargingProfileId === ANY ? undefined : request.chargingProfileId,
      chargerId: text(request.chargerId),
      transactionId: readTransactionId(request.transactionId),
      state: said(request.state),
    });
    const { rows, nextPageToken } = toPage(found, size, ({ ordinal }) => [ordinal]);
    return { assignments: rows.map(toAssignment), nextPageToken };
  };

function readTransactionId(id: string): number | undefined {
  if (id === "") return undefined;
  if (/^[1-9]\d{0,9}$/.test(id) && Number(id) <= TRANSACTION_ID_MAX) return Number(id);
  throw badRequest([{ field: "transaction_id", description: "must be the id of a transaction" }]);
}
