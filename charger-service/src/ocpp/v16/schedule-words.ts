import type { Req, V16 } from "@chargemesh/ocpp/version";
import type { ScheduleQuestion } from "../../domain/schedule-question.ts";
import type { Said } from "../dialects.ts";
import { purposes16, toChargingProfile16 } from "./charging-profile.ts";
import { ID_TAG_LENGTH_MAX } from "./id-tag-info.ts";

type Words = {
  readonly [Kind in ScheduleQuestion["kind"]]: (question: Extract<ScheduleQuestion, { kind: Kind }>) => Said | undefined;
};

/** What is asked about reservations and charging profiles, in the words of OCPP 1.6 (§5.13, §5.1, §5.16, §5.5, §5.7). */
export const scheduleWords: Words = {
  reserve: ({ number, connectorId, idToken, parentIdToken, expireTime }) => ({
    action: "ReserveNow",
    payload: {
      reservationId: number,
      connectorId,
      idTag: idToken,
      // A parent too long for 1.6 is left out.
      ...(parentIdToken === "" || parentIdToken.length > ID_TAG_LENGTH_MAX ? {} : { parentIdTag: parentIdToken }),
      expiryDate: expireTime.toISOString(),
    } satisfies Req<V16, "ReserveNow">,
  }),
  cancelReservation: ({ number }) => ({
    action: "CancelReservation",
    payload: { reservationId: number } satisfies Req<V16, "CancelReservation">,
  }),
  setChargingProfile: ({ connectorId, transactionId, profile }) => ({
    action: "SetChargingProfile",
    payload: { connectorId, csChargingProfiles: toChargingProfile16(profile, transactionId) } satisfies Req<V16, "SetChargingProfile">,
  }),
  clearChargingProfiles: ({ filter: { number, connectorId, purpose, stackLevel } }) => ({
    action: "ClearChargingProfile",
    payload: {
      ...(number === undefined ? {} : { id: number }),
      ...(connectorId === undefined ? {} : { connectorId }),
      ...(purpose === undefined ? {} : { chargingProfilePurpose: purposes16[purpose] }),
      ...(stackLevel === undefined ? {} : { stackLevel }),
    } satisfies Req<V16, "ClearChargingProfile">,
  }),
  getCompositeSchedule: ({ connectorId, durationSeconds, rateUnit }) => ({
    action: "GetCompositeSchedule",
    payload: { connectorId, duration: durationSeconds, chargingRateUnit: rateUnit } satisfies Req<V16, "GetCompositeSchedule">,
  }),
};
