import { changeEmail } from "./change-email.ts";
import { chargerFaulted } from "./charger-faulted.ts";
import { chargerOffline } from "./charger-offline.ts";
import { chargingInterrupted } from "./charging-interrupted.ts";
import { chargingStarted } from "./charging-started.ts";
import { newSignIn } from "./new-sign-in.ts";
import { receipt } from "./receipt.ts";
import { reservationExpiring } from "./reservation-expiring.ts";
import { resetPassword } from "./reset-password.ts";
import { securityNotice } from "./security-notice.ts";
import { verifyEmail } from "./verify-email.ts";
import { webhookDisabled } from "./webhook-disabled.ts";
import { welcome } from "./welcome.ts";

/** Every mail that we write by ourselves, by its id. */
export const templates = {
  welcome,
  "verify-email": verifyEmail,
  "change-email": changeEmail,
  "reset-password": resetPassword,
  "security-notice": securityNotice,
  "new-sign-in": newSignIn,
  "charging-started": chargingStarted,
  receipt,
  "charging-interrupted": chargingInterrupted,
  "reservation-expiring": reservationExpiring,
  "charger-offline": chargerOffline,
  "charger-faulted": chargerFaulted,
  "webhook-disabled": webhookDisabled,
};

export type TemplateId = keyof typeof templates;

export function isTemplateId(id: string): id is TemplateId {
  return Object.hasOwn(templates, id);
}
