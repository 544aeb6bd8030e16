import type { Req, Res, V16 } from "@chargemesh/ocpp/version";
import { SECRET } from "../../domain/command.ts";
import type { Question, QuestionOf } from "../../domain/question.ts";
import type { Questions, Said } from "../dialects.ts";
import { certificateWords } from "./certificate-words.ts";
import { toChargingProfile16 } from "./charging-profile.ts";
import { configurationWords } from "./configuration-words.ts";
import { sayUpdateFirmware, sayUpload } from "./file-words.ts";
import { ID_TAG_LENGTH_MAX } from "./id-tag-info.ts";
import { isPasswordKey } from "./password-key.ts";
import { scheduleWords } from "./schedule-words.ts";

/** OCPP-J 1.6 §6.2.2 and the security whitepaper: the hexadecimal digits of 16 to 20 bytes. */
const PASSWORD_BYTES = { min: 16, max: 20 };

/** How each question is put. Undefined if 1.6 has no words for it. */
const words: { readonly [Kind in Question["kind"]]: (question: QuestionOf<Kind>) => Said | undefined } = {
  ...scheduleWords,
  ...certificateWords,
  ...configurationWords,
  remoteStart: ({ idToken, connectorId, chargingProfile }) => ({
    action: "RemoteStartTransaction",
    payload: {
      idTag: idToken,
      ...(connectorId === 0 ? {} : { connectorId }),
      ...(chargingProfile === undefined ? {} : { chargingProfile: toChargingProfile16(chargingProfile) }),
    } satisfies Req<V16, "RemoteStartTransaction">,
  }),
  remoteStop: ({ transactionId }) => ({
    action: "RemoteStopTransaction",
    payload: { transactionId } satisfies Req<V16, "RemoteStopTransaction">,
  }),
  changeAvailability: ({ available }) => ({
    action: "ChangeAvailability",
    payload: { connectorId: 0, type: available ? "Operative" : "Inoperative" } satisfies Req<V16, "ChangeAvailability">,
  }),
  changePassword({ password }) {
    if (password.length < PASSWORD_BYTES.min || password.length > PASSWORD_BYTES.max) return undefined;
    const payload = { key: "AuthorizationKey", value: SECRET } satisfies Req<V16, "ChangeConfiguration">;
    return { action: "ChangeConfiguration", payload, secret: password.toString("hex").toUpperCase() };
  },
  upload: sayUpload,
  updateFirmware: sayUpdateFirmware,
};

/** What domain/ asks of any charger, in the words of OCPP 1.6 (§5). */
export const questions: Questions = {
  idTokenLengthMax: ID_TAG_LENGTH_MAX,
  // While it is pending "not allowed" are these; one that is rejected is left alone (§4.2).
  mayAsk: (registration, action) =>
    registration === "ACCEPTED" || (registration === "PENDING" && !["RemoteStartTransaction", "RemoteStopTransaction"].includes(action)),
  // The kind of a question decides which of the words gets it, which TypeScript cannot follow.
  say: (question) => (words[question.kind] as (question: Question) => Said | undefined)(question),
  passwordField: (action, { key }) => (action === "ChangeConfiguration" && isPasswordKey(key) ? "key" : undefined),
  withoutPasswords(action, response) {
    const { configurationKey } = response as Res<V16, "GetConfiguration">;
    if (action !== "GetConfiguration" || configurationKey === undefined) return response;
    const redacted = configurationKey.map((one) => (isPasswordKey(one.key) && one.value !== undefined ? { ...one, value: SECRET } : one));
    return { ...response, configurationKey: redacted };
  },
  startOf(action, { idTag, connectorId }) {
    if (action !== "RemoteStartTransaction" || typeof idTag !== "string") return undefined;
    return { idToken: idTag, connectorId: typeof connectorId === "number" ? connectorId : 0 };
  },
};
