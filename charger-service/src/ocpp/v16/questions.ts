import type { Req, Res, V16 } from "@chargemesh/ocpp/version";
import { SECRET } from "../../domain/command.ts";
import type { Questions } from "../dialects.ts";

/** OCPP-J 1.6 §6.2.2 and the security whitepaper: the hexadecimal digits of 16 to 20 bytes. */
const PASSWORD_BYTES = { min: 16, max: 20 };
/** Configuration keys compare without regard to case (§7.22). */
const isPasswordKey = (key: unknown): boolean => typeof key === "string" && key.toLowerCase() === "authorizationkey";

/** What domain/ asks of any charger, in the words of OCPP 1.6 (§5.11, §5.12, §5.2, §5.3). */
export const questions: Questions = {
  remoteStart: (idToken, connectorId) => ({
    action: "RemoteStartTransaction",
    payload: { idTag: idToken, ...(connectorId === 0 ? {} : { connectorId }) } satisfies Req<V16, "RemoteStartTransaction">,
  }),
  remoteStop: (transactionId) => ({
    action: "RemoteStopTransaction",
    payload: { transactionId } satisfies Req<V16, "RemoteStopTransaction">,
  }),
  changeAvailability: (available) => ({
    action: "ChangeAvailability",
    payload: { connectorId: 0, type: available ? "Operative" : "Inoperative" } satisfies Req<V16, "ChangeAvailability">,
  }),
  changePassword(password) {
    if (password.length < PASSWORD_BYTES.min || password.length > PASSWORD_BYTES.max) return undefined;
    const payload = { key: "AuthorizationKey", value: SECRET } satisfies Req<V16, "ChangeConfiguration">;
    return { action: "ChangeConfiguration", payload, secret: password.toString("hex").toUpperCase() };
  },
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
