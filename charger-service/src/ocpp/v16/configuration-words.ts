import type { Req, V16 } from "@chargemesh/ocpp/version";
import type { Learn } from "../../domain/command.ts";
import type { ConfigurationQuestion } from "../../domain/configuration-question.ts";
import type { QuestionOf } from "../../domain/question.ts";
import type { Said } from "../dialects.ts";
import { learnFromChangeConfiguration, learnFromGetConfiguration, sayConfigure, sayReadConfiguration } from "./configuration.ts";
import { learnFromDataTransfer, sayTransferData } from "./data-transfer.ts";
import { learnFromGetLocalListVersion, learnFromSendLocalList, sayLocalListVersion, sayUpdateLocalList } from "./local-list.ts";

/** How chargers are asked about how they are set up, in 1.6. */
export const configurationWords: { readonly [Kind in ConfigurationQuestion["kind"]]: (question: QuestionOf<Kind>) => Said } = {
  readConfiguration: sayReadConfiguration,
  configure: sayConfigure,
  localListVersion: sayLocalListVersion,
  updateLocalList: sayUpdateLocalList,
  transferData: sayTransferData,
  // The one CALL that makes a charger speak before it is accepted (§4.2).
  announceYourself: () => ({
    action: "TriggerMessage",
    payload: { requestedMessage: "BootNotification" } satisfies Req<V16, "TriggerMessage">,
  }),
};

/** What of their answers is kept. */
export const configurationAnswers: Readonly<Record<string, Learn>> = {
  GetConfiguration: learnFromGetConfiguration,
  ChangeConfiguration: learnFromChangeConfiguration,
  GetLocalListVersion: learnFromGetLocalListVersion,
  SendLocalList: learnFromSendLocalList,
  DataTransfer: learnFromDataTransfer,
};
