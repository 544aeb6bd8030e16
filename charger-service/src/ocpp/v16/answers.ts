import type { Learn } from "../../domain/command.ts";
import { certificateAnswers } from "./certificate-answers.ts";
import { configurationAnswers } from "./configuration-words.ts";
import { fileAnswers } from "./file-answers.ts";
import { scheduleAnswers } from "./schedule-answers.ts";

/** What 1.6 chargers tell us in answer to our CALLs and we keep, by action, whoever asked. Runs in the transaction in which the command ends. */
export const answers: Readonly<Record<string, Learn>> = {
  ...certificateAnswers,
  ...configurationAnswers,
  ...scheduleAnswers,
  ...fileAnswers,
};
