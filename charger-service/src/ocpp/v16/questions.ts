import type { Req, V16 } from "@chargemesh/ocpp/version";
import type { Questions } from "../dialects.ts";

/** What domain/ asks of any charger, in the words of OCPP 1.6 (§5.11, §5.12, §5.2). */
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
  startOf(action, { idTag, connectorId }) {
    if (action !== "RemoteStartTransaction" || typeof idTag !== "string") return undefined;
    return { idToken: idTag, connectorId: typeof connectorId === "number" ? connectorId : 0 };
  },
};
