import type { ProfileContent, ProfilePurpose, RateUnit } from "../db/charging-profile-tables.ts";

// What is asked of chargers about what they keep for whom, and how much they let charge.

/** A charging profile for a charger, under the number by which it will know it. */
export interface NumberedProfile {
  readonly number: number;
  readonly content: ProfileContent;
}

/** What a charging profile must be, to be forgotten: the one of this number or, without, all that are as far as is said. Connector 0 is the charger as a whole. */
export interface ProfileFilter {
  readonly number?: number | undefined;
  readonly connectorId?: number | undefined;
  readonly purpose?: ProfilePurpose | undefined;
  readonly stackLevel?: number | undefined;
}

export type ScheduleQuestion =
  /** Keep a connector for whoever has this id token, or one of the same parent. Connector 0 is any one. */
  | {
      readonly kind: "reserve";
      readonly number: number;
      readonly connectorId: number;
      readonly idToken: string;
      /** Empty if none. */
      readonly parentIdToken: string;
      readonly expireTime: Date;
    }
  | { readonly kind: "cancelReservation"; readonly number: number }
  /** Limit what is charged. Connector 0 is the charger as a whole or, of a default, each connector. */
  | {
      readonly kind: "setChargingProfile";
      readonly connectorId: number;
      readonly transactionId: number | undefined;
      readonly profile: NumberedProfile;
    }
  | { readonly kind: "clearChargingProfiles"; readonly filter: ProfileFilter }
  /** Say what all charging profiles come to, from now on. */
  | {
      readonly kind: "getCompositeSchedule";
      readonly connectorId: number;
      readonly durationSeconds: number;
      readonly rateUnit: RateUnit;
    };
