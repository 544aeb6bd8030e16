import type { ListChargingProfilesRequest, ListChargingProfilesResponse } from "@chargemesh/contracts/charger/v1/charging_profile_service";
import { pageSize, toPage } from "@chargemesh/kit/page";
import { chargingProfilesBefore } from "../db/charging-profile.ts";
import { toChargingProfile } from "../resources/charging-profile.ts";
import type { RpcDeps } from "./deps.ts";
import { readNumberToken } from "./page-token.ts";
import { said } from "./request.ts";

export const listChargingProfiles =
  ({ db }: RpcDeps) =>
  async (request: ListChargingProfilesRequest): Promise<ListChargingProfilesResponse> => {
    const size = pageSize(request.pageSize);
    const found = await chargingProfilesBefore(db, readNumberToken(request.pageToken), size + 1, said(request.purpose));
    const { rows, nextPageToken } = toPage(found, size, ({ ordinal }) => [ordinal]);
    return { chargingProfiles: rows.map(toChargingProfile), nextPageToken };
  };
