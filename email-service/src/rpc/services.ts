import { MessageServiceService } from "@chargemesh/contracts/email/v1/message_service";
import { PreferenceServiceService } from "@chargemesh/contracts/email/v1/preference_service";
import { TemplateServiceService } from "@chargemesh/contracts/email/v1/template_service";
import type { Clock } from "@chargemesh/kit/clock";
import { type Registration, serve } from "@chargemesh/kit/grpc-server";
import type { Db } from "../db/schema.ts";
import type { Links } from "../mail/links.ts";
import type { Sender } from "../mail/sender.ts";
import { createMessage } from "./create-message.ts";
import { getMessage } from "./get-message.ts";
import { getMyPreferences } from "./get-my-preferences.ts";
import { getTemplate } from "./get-template.ts";
import { getUnsubscribePage } from "./get-unsubscribe-page.ts";
import { getUserPreferences } from "./get-user-preferences.ts";
import { listMessages } from "./list-messages.ts";
import { listTemplates } from "./list-templates.ts";
import { previewTemplate } from "./preview-template.ts";
import { retryMessage } from "./retry-message.ts";
import { retryMessages } from "./retry-messages.ts";
import { unsubscribe } from "./unsubscribe.ts";
import { updateMyPreferences } from "./update-my-preferences.ts";
import { updateUserPreferences } from "./update-user-preferences.ts";

/** The protos of the services below. */
export const protoFiles = ["message_service", "preference_service", "template_service"].map((name) => `chargemesh/email/v1/${name}.proto`);

/** Every rpc, and what answers it. */
export function registrations(deps: { db: Db; clock: Clock; sender: Sender; links: Links }): Registration[] {
  return [
    serve(MessageServiceService, {
      createMessage: createMessage(deps),
      getMessage: getMessage(deps),
      listMessages: listMessages(deps),
      retryMessage: retryMessage(deps),
      retryMessages: retryMessages(deps),
    }),
    serve(PreferenceServiceService, {
      getMyPreferences: getMyPreferences(deps),
      updateMyPreferences: updateMyPreferences(deps),
      getUserPreferences: getUserPreferences(deps),
      updateUserPreferences: updateUserPreferences(deps),
      getUnsubscribePage: getUnsubscribePage(deps),
      unsubscribe: unsubscribe(deps),
    }),
    serve(TemplateServiceService, { listTemplates, getTemplate, previewTemplate }),
  ];
}
