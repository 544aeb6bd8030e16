import { badRequest } from "@chargemesh/kit/errors";
import type { Req, Res, V16 } from "@chargemesh/ocpp/version";
import type { ChargerLimits } from "../../db/configuration.ts";
import type { CommandRow, Db, Json } from "../../db/schema.ts";
import { type ChangeAnswer, learnChange, learnConfiguration } from "../../domain/configuration.ts";
import type { QuestionOf } from "../../domain/question.ts";
import type { Said } from "../dialects.ts";
import { requestOf, responseOf } from "./checked.ts";
import { requiredKeys, settingFault } from "./configuration-keys.ts";
import { isPasswordKey } from "./password-key.ts";

/** Says which keys to read; with none of them, all (OCPP 1.6 §5.8). */
export function sayReadConfiguration({ keys }: QuestionOf<"readConfiguration">): Said {
  return {
    action: "GetConfiguration",
    payload: (keys.length === 0 ? {} : { key: [...keys] }) satisfies Req<V16, "GetConfiguration">,
  };
}

const BY_ROTATION = "is the password, which POST /ocpp/chargers/{id}:rotatePassword sends and keeps secret";

/** Says what to set a key to (§5.3). INVALID_ARGUMENT if it is a standard key that cannot have this value, or the password. */
export function sayConfigure({ key, value }: QuestionOf<"configure">): Said {
  const fault = isPasswordKey(key) ? { field: "key", description: BY_ROTATION } : settingFault(key, value);
  if (fault !== undefined) throw badRequest([fault]);
  return { action: "ChangeConfiguration", payload: { key, value } satisfies Req<V16, "ChangeConfiguration"> };
}

/** Keeps what an answer to GetConfiguration says, but for the password. */
export async function learnFromGetConfiguration(tx: Db, command: CommandRow, response: Json): Promise<void> {
  const { configurationKey = [], unknownKey = [] } = responseOf("GetConfiguration", response);
  const asked = requestOf("GetConfiguration", command).key ?? [];
  const settings = configurationKey
    .filter(({ key }) => !isPasswordKey(key))
    .map(({ key, value, readonly }) => ({ key, value, readOnly: readonly }));
  const named = new Set(settings.map(({ key }) => key.toLowerCase()));
  const unknown = unknownKey.filter((key) => !isPasswordKey(key) && !named.has(key.toLowerCase()));
  // A charger that is asked for everything and leaves out what it must have has more than it can say at once.
  const unsaid = asked.length === 0 ? requiredKeys.filter((key) => !named.has(key.toLowerCase())) : [];
  const limits = limitsIn(settings);
  await learnConfiguration(tx, command.charger_id, { settings, unknown, unsaid, limits }, command.end_time ?? new Date());
}

const limitKeys: Readonly<Record<string, keyof ChargerLimits>> = {
  getconfigurationmaxkeys: "keys_per_reading",
  localauthlistmaxlength: "list_entries",
  sendlocallistmaxlength: "list_entries_per_update",
};

function limitsIn(settings: readonly { key: string; value: string | undefined }[]): ChargerLimits {
  const limits: ChargerLimits = {};
  for (const { key, value = "" } of settings) {
    const name = limitKeys[key.toLowerCase()];
    if (name !== undefined && /^\d{1,9}$/.test(value.trim())) limits[name] = Number(value);
  }
  return limits;
}

const changeAnswers: Record<Res<V16, "ChangeConfiguration">["status"], ChangeAnswer> = {
  Accepted: "taken",
  RebootRequired: "takenAfterBoot",
  Rejected: "refused",
  NotSupported: "unknown",
};

/** Keeps what an answer to ChangeConfiguration says, but for the password. */
export async function learnFromChangeConfiguration(tx: Db, command: CommandRow, response: Json): Promise<void> {
  const { key, value } = requestOf("ChangeConfiguration", command);
  if (isPasswordKey(key)) return;
  const { status } = responseOf("ChangeConfiguration", response);
  await learnChange(tx, command, key, value, changeAnswers[status]);
}
