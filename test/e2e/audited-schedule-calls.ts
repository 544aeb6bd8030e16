import type { Rest } from "../rest.ts";
import type { Done, makeActors } from "./audited-calls.ts";

/** A call of every rpc about reservations and charging profiles that must leave an entry. */
export function auditedScheduleCalls(admin: Rest, { newCharger }: ReturnType<typeof makeActors>): Record<string, () => Promise<Done>> {
  let cards = 0;
  const newReservation = async () => {
    const { id: chargerId } = await newCharger();
    cards += 1;
    const idToken = `RESERVING-${cards}`;
    await admin("POST", "/ocpp/idTokens", { idToken });
    const expireTime = new Date(Date.now() + 600_000).toISOString();
    return admin("POST", "/ocpp/reservations", { chargerId, connectorId: 1, idToken, expireTime, ttlSeconds: 600, waitSeconds: 1 });
  };
  const schedule = { startTime: "2027-01-01T00:00:00Z", rateUnit: "A", periods: [{ startSeconds: 0, limit: 16 }] };
  const newProfile = () => admin("POST", "/ocpp/chargingProfiles", { purpose: "CHARGER_MAX", kind: "ABSOLUTE", schedule });
  return {
    "charger.v1.ReservationService/CreateReservation": async () => {
      const answer = await newReservation();
      return { answer, resource: `reservations/${answer.body.id}` };
    },
    "charger.v1.ReservationService/CancelReservation": async () => {
      const { id } = (await newReservation()).body;
      return { answer: await admin("POST", `/ocpp/reservations/${id}:cancel`), resource: `reservations/${id}` };
    },
    "charger.v1.ChargingProfileService/CreateChargingProfile": async () => {
      const answer = await newProfile();
      return { answer, resource: `chargingProfiles/${answer.body.id}` };
    },
    "charger.v1.ChargingProfileService/UpdateChargingProfile": async () => {
      const { id } = (await newProfile()).body;
      return { answer: await admin("PATCH", `/ocpp/chargingProfiles/${id}`, { stackLevel: 2 }), resource: `chargingProfiles/${id}` };
    },
    "charger.v1.ChargingProfileService/DeleteChargingProfile": async () => {
      const { id } = (await newProfile()).body;
      return { answer: await admin("DELETE", `/ocpp/chargingProfiles/${id}`), resource: `chargingProfiles/${id}` };
    },
    "charger.v1.ChargingProfileService/AssignChargingProfile": async () => {
      const { id } = (await newProfile()).body;
      const { id: chargerId } = await newCharger();
      return { answer: await admin("POST", `/ocpp/chargingProfiles/${id}:assign`, { chargerId }), resource: `chargingProfiles/${id}` };
    },
    "charger.v1.ChargingProfileService/ClearChargingProfiles": async () => {
      const { id } = await newCharger();
      return { answer: await admin("POST", `/ocpp/chargers/${id}:clearChargingProfiles`), resource: `chargers/${id}` };
    },
  };
}
