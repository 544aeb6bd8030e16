import type { ChargingProfile, ChargingProfileAssignment, DeepPartial } from "@chargemesh/contracts/charger/v1/charging_profile";
import {
  AssignChargingProfileRequest,
  ClearChargingProfilesRequest,
  CreateChargingProfileRequest,
  ListChargingProfileAssignmentsRequest,
  UpdateChargingProfileRequest,
} from "@chargemesh/contracts/charger/v1/charging_profile_service";
import { GetCompositeScheduleRequest } from "@chargemesh/contracts/charger/v1/composite_schedule_service";
import { StartTransactionRequest } from "@chargemesh/contracts/charger/v1/transaction_service";
import type { Metadata } from "@grpc/grpc-js";
import { call, given, type Service } from "../service.ts";

export type Partially = DeepPartial<ChargingProfile>;
/** A default that recurs, one for a transaction, and the most of a charger. */
export const byDefault: Partially = {
  purpose: "TRANSACTION_DEFAULT",
  kind: "RECURRING",
  recurrency: "DAILY",
  schedule: {
    startTime: new Date("2027-01-01T00:00:00.000Z"),
    rateUnit: "A",
    periods: [
      { startSeconds: 0, limit: 16.1 },
      { startSeconds: 3_600, limit: 8, numberPhases: 1 },
    ],
  },
};
export const forOne: Partially = { purpose: "TRANSACTION", kind: "RELATIVE", schedule: { rateUnit: "W", periods: [{ limit: 7_000 }] } };
export const most: Partially = {
  purpose: "CHARGER_MAX",
  kind: "ABSOLUTE",
  schedule: { startTime: new Date("2020-01-01T00:00:00.000Z"), rateUnit: "A", periods: [{ limit: 32 }] },
};

/** What an operator does with charging profiles; those of a charger are of `chargerId` unless they say otherwise. */
export function makeProfileDesk(service: Service, operator: Metadata, chargerId: string) {
  const create = async (chargingProfile: Partially = byDefault): Promise<ChargingProfile> => {
    const request = CreateChargingProfileRequest.fromPartial({ chargingProfile });
    return given((await call(service.chargingProfiles, service.chargingProfiles.createChargingProfile, request, operator)).chargingProfile);
  };
  const update = async (chargingProfile: Partially, updateMask: string[]): Promise<ChargingProfile> => {
    const request = UpdateChargingProfileRequest.fromPartial({ chargingProfile, updateMask });
    return given((await call(service.chargingProfiles, service.chargingProfiles.updateChargingProfile, request, operator)).chargingProfile);
  };
  const get = async (id: string): Promise<ChargingProfile> =>
    given((await call(service.chargingProfiles, service.chargingProfiles.getChargingProfile, { id }, operator)).chargingProfile);
  const remove = (id: string) => call(service.chargingProfiles, service.chargingProfiles.deleteChargingProfile, { id }, operator);
  const assign = async (fields: Partial<AssignChargingProfileRequest>): Promise<ChargingProfileAssignment> => {
    const request = AssignChargingProfileRequest.fromPartial({ chargerId, ...fields });
    return given((await call(service.chargingProfiles, service.chargingProfiles.assignChargingProfile, request, operator)).assignment);
  };
  const assignments = async (fields: Partial<ListChargingProfileAssignmentsRequest>): Promise<ChargingProfileAssignment[]> => {
    const request = ListChargingProfileAssignmentsRequest.fromPartial({ chargingProfileId: "-", ...fields });
    return (await call(service.chargingProfiles, service.chargingProfiles.listChargingProfileAssignments, request, operator)).assignments;
  };
  const stateOf = async ({ id, chargerId }: ChargingProfileAssignment) =>
    (await assignments({ chargerId })).find((one) => one.id === id)?.state;
  const clear = async (fields: Partial<ClearChargingProfilesRequest>) => {
    const request = ClearChargingProfilesRequest.fromPartial({ chargerId, ...fields });
    return given((await call(service.chargingProfiles, service.chargingProfiles.clearChargingProfiles, request, operator)).command);
  };
  const composite = async (fields: Partial<GetCompositeScheduleRequest>) => {
    const request = GetCompositeScheduleRequest.fromPartial({ chargerId, ...fields });
    const { compositeSchedules } = service;
    return given((await call(compositeSchedules, compositeSchedules.getCompositeSchedule, request, operator)).compositeSchedule);
  };
  const remoteStart = async (fields: DeepPartial<StartTransactionRequest>, as = operator) => {
    const request = StartTransactionRequest.fromPartial({ chargerId, idToken: "Card", ...fields });
    return given((await call(service.transactions, service.transactions.startTransaction, request, as)).command);
  };
  return { create, update, get, remove, assign, assignments, stateOf, clear, composite, remoteStart };
}
