import type { CommandEnd } from "../db/command.ts";
import type { Json } from "../db/schema.ts";
import { SECRET } from "../domain/command.ts";

/** A payload as it is sent: with what stands behind SECRET. */
export function withSecret(payload: Json, secret: string): Json {
  return JSON.parse(JSON.stringify(payload), (_key, value) => (typeof value === "string" ? value.replaceAll(SECRET, () => secret) : value));
}

/** How a command has ended, without the secret, should the charger have repeated it. */
export function withoutSecret(end: CommandEnd, secret: string): CommandEnd {
  const hide = (text: string): string => text.replaceAll(new RegExp(RegExp.escape(secret), "gi"), SECRET);
  const { status, response, errorCode, errorDescription } = end;
  return {
    state: end.state,
    ...(status === undefined ? {} : { status: hide(status) }),
    ...(response === undefined ? {} : { response: JSON.parse(hide(JSON.stringify(response))) }),
    ...(errorCode === undefined ? {} : { errorCode: hide(errorCode) }),
    ...(errorDescription === undefined ? {} : { errorDescription: hide(errorDescription) }),
  };
}
