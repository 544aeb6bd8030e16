import { profileSent, profileSentWithStart, profilesCleared, scheduleReported } from "../../domain/assignment-outcome.ts";
import type { Learn } from "../../domain/command.ts";
import { reservationKept, reservationLetGo } from "../../domain/reservation-outcome.ts";
import { fromChargingProfile16, purposes, toScheduleReport } from "./charging-profile.ts";
import { payloadsOf } from "./payloads.ts";
import { toTime } from "./time.ts";

/** What 1.6 chargers answer about reservations and charging profiles. */
export const scheduleAnswers: Readonly<Record<string, Learn>> = {
  async ReserveNow(tx, command, answer) {
    const { request, response } = payloadsOf<"ReserveNow">(command.payload, answer);
    if (response.status !== "Accepted") return;
    await reservationKept(tx, {
      chargerId: command.charger_id,
      number: request.reservationId,
      evseId: request.connectorId,
      connectorId: request.connectorId,
      idToken: request.idTag,
      parentIdToken: request.parentIdTag ?? "",
      expireTime: toTime(request.expiryDate),
      commandId: command.id,
    });
  },
  // "Rejected" is that there is no such reservation (§6.10): then it is over, too.
  async CancelReservation(tx, command, answer) {
    const { request } = payloadsOf<"CancelReservation">(command.payload, answer);
    await reservationLetGo(tx, command.charger_id, request.reservationId);
  },
  async RemoteStartTransaction(tx, command, answer) {
    const { request, response } = payloadsOf<"RemoteStartTransaction">(command.payload, answer);
    if (response.status !== "Accepted" || request.chargingProfile === undefined) return;
    await profileSentWithStart(tx, command, request.connectorId ?? 0, fromChargingProfile16(request.chargingProfile));
  },
  async SetChargingProfile(tx, command, answer) {
    const { request, response } = payloadsOf<"SetChargingProfile">(command.payload, answer);
    if (response.status !== "Accepted") return;
    const { transactionId } = request.csChargingProfiles;
    const place = { chargerId: command.charger_id, evseId: request.connectorId, connectorId: request.connectorId, transactionId };
    await profileSent(tx, command.id, place, fromChargingProfile16(request.csChargingProfiles));
  },
  // "Unknown" is that none matches (§6.12): then there is none, whatever we believed.
  async ClearChargingProfile(tx, command, answer) {
    const { request } = payloadsOf<"ClearChargingProfile">(command.payload, answer);
    const { id, connectorId, chargingProfilePurpose, stackLevel } = request;
    const purpose = chargingProfilePurpose && purposes[chargingProfilePurpose];
    await profilesCleared(tx, command.charger_id, { number: id, connectorId, purpose, stackLevel });
  },
  async GetCompositeSchedule(tx, command, answer) {
    const { request, response } = payloadsOf<"GetCompositeSchedule">(command.payload, answer);
    await scheduleReported(tx, command, request.connectorId, toScheduleReport(response));
  },
};
