import type { Rest } from "../rest.ts";
import type { Done, makeActors } from "./audited-calls.ts";

/** A call of every rpc that changes how a charger is set up, or what vendors may say. */
export function auditedSetupCalls(
  admin: Rest,
  { newCharger }: Pick<ReturnType<typeof makeActors>, "newCharger">,
): Record<string, () => Promise<Done>> {
  let messages = 0;
  const ofCharger = (method: string, path: string, body?: object, first?: (id: string) => Promise<unknown>) => async (): Promise<Done> => {
    const { id } = await newCharger();
    await first?.(id);
    return { answer: await admin(method, `/ocpp/chargers/${id}${path}`, body), resource: `chargers/${id}` };
  };
  const newMessage = () => admin("POST", "/ocpp/vendorMessages", { vendorId: `com.audit-${++messages}` });
  const ofMessage = (method: string, body?: object) => async (): Promise<Done> => {
    const { id } = (await newMessage()).body;
    return { answer: await admin(method, `/ocpp/vendorMessages/${id}`, body), resource: `vendorMessages/${id}` };
  };
  const wanted = { value: "60", waitSeconds: 1 };
  const want = (id: string) => admin("PATCH", `/ocpp/chargers/${id}/configuration/HeartbeatInterval`, wanted);
  const addToken = () => admin("POST", "/ocpp/idTokens", { idToken: `LISTED-${++messages}` });
  return {
    "charger.v1.ConfigurationService/UpdateConfigurationKey": ofCharger("PATCH", "/configuration/HeartbeatInterval", wanted),
    "charger.v1.ConfigurationService/ReleaseConfigurationKey": ofCharger("POST", "/configuration/HeartbeatInterval:release", {}, want),
    "charger.v1.ConfigurationService/RefreshConfiguration": ofCharger("POST", "/configuration:refresh", { waitSeconds: 1 }),
    "charger.v1.LocalListService/UpdateLocalList": ofCharger("PATCH", "/localList", { mode: "ALL" }),
    "charger.v1.LocalListService/SyncLocalList": ofCharger("POST", "/localList:sync", { waitSeconds: 1 }),
    "charger.v1.LocalListService/SelectIdToken": async () => {
      const { idToken } = (await addToken()).body;
      return ofCharger("PUT", `/localList/selection/${idToken}`)();
    },
    "charger.v1.LocalListService/DeselectIdToken": async () => {
      const { idToken } = (await addToken()).body;
      const path = `/localList/selection/${idToken}`;
      return ofCharger("DELETE", path, undefined, (id) => admin("PUT", `/ocpp/chargers/${id}${path}`))();
    },
    "charger.v1.DataTransferService/TransferData": ofCharger("POST", ":transferData", { vendorId: "com.audit" }),
    "charger.v1.DataTransferService/CreateVendorMessage": async () => {
      const answer = await newMessage();
      return { answer, resource: `vendorMessages/${answer.body.id}` };
    },
    "charger.v1.DataTransferService/UpdateVendorMessage": ofMessage("PATCH", { answer: "REJECTED" }),
    "charger.v1.DataTransferService/DeleteVendorMessage": ofMessage("DELETE"),
  };
}
