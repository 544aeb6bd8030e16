import type { CertificateQuestion } from "./certificate-question.ts";
import type { ConfigurationQuestion } from "./configuration-question.ts";

import type { NumberedProfile, ScheduleQuestion } from "./schedule-question.ts";

/** What is asked of a charger, in our words; each version of OCPP has its own for it, or none. */
export type Question =
  | ScheduleQuestion
  | ConfigurationQuestion
  | CertificateQuestion
  /** Start a transaction, with a charging profile if there is one. Connector 0 leaves the choice to the charger. */
  | {
      readonly kind: "remoteStart";
      readonly idToken: string;
      readonly connectorId: number;
      readonly chargingProfile: NumberedProfile | undefined;
    }
  | { readonly kind: "remoteStop"; readonly transactionId: number }
  /** Open or close the charger as a whole. */
  | { readonly kind: "changeAvailability"; readonly available: boolean }
  /** Show this password from now on. */
  | { readonly kind: "changePassword"; readonly password: Buffer }
  | UploadQuestion
  | FirmwareQuestion;

/** Upload a file to `location`, in which `secret` stands behind SECRET, and speak of it by `requestId`. Times are of the entries; retries 0 leaves them to the charger. */
interface UploadQuestion {
  readonly kind: "upload";
  readonly upload: "DIAGNOSTICS" | "DIAGNOSTICS_LOG" | "SECURITY_LOG";
  readonly requestId: number;
  readonly location: string;
  readonly secret: string;
  readonly logStartTime: Date | undefined;
  readonly logStopTime: Date | undefined;
  readonly retries: number;
  readonly retryIntervalSeconds: number;
}

/** Fetch firmware from `location`, in which `secret` stands behind SECRET if there is one, and install it; check its signature if it has one. */
interface FirmwareQuestion {
  readonly kind: "updateFirmware";
  readonly requestId: number;
  readonly location: string;
  readonly secret: string | undefined;
  readonly retrieveTime: Date;
  readonly installTime: Date | undefined;
  readonly retries: number;
  readonly retryIntervalSeconds: number;
  /** In base64, and the certificate (PEM) of the key that made it. */
  readonly signed: { readonly signature: string; readonly certificate: string } | undefined;
}

/** The question of one kind. */
export type QuestionOf<Kind extends Question["kind"]> = Extract<Question, { kind: Kind }>;
