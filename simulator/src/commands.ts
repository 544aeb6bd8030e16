import { problem } from "@chargemesh/ocpp/call-error";
import { type Call, resultFrame } from "@chargemesh/ocpp/frame";
import { v16 } from "@chargemesh/ocpp/version";
import { changeConfiguration, getConfiguration, isOn, isPasswordKey } from "./configuration.ts";
import { beat, beatLater, boot, connectAnew, restart } from "./lifecycle.ts";
import { ask, reply } from "./link.ts";
import type { Received, Request, Response } from "./messages.ts";
import { admit, endTransaction, isFree, plugIn, presentToken, sampleAnew, sendMeterValues, someVehicle } from "./session.ts";
import { type Charger, type Connector, connectorOf, emit, type Part } from "./state.ts";
import { partOf, partsOf, refresh, report } from "./status.ts";

/** An answer, and what the charger does once it is sent. */
interface Handled<A extends Received> {
  readonly answer: Response<A>;
  readonly after?: () => void;
}

type Supported =
  | "ChangeAvailability"
  | "ChangeConfiguration"
  | "ClearCache"
  | "DataTransfer"
  | "GetConfiguration"
  | "RemoteStartTransaction"
  | "RemoteStopTransaction"
  | "Reset"
  | "TriggerMessage"
  | "UnlockConnector";

type Commands = { readonly [A in Supported]: (charger: Charger, request: Request<A>) => Handled<A> };

/** What the CSMS may ask of this charger: the Core and RemoteTrigger profiles of OCPP 1.6. */
const commands: Commands = {
  ChangeAvailability: changeAvailability,
  ChangeConfiguration(charger, request) {
    const answer = changeConfiguration(charger, request);
    return answer.status === "Accepted" ? { answer, after: () => obey(charger, request.key) } : { answer };
  },
  // It has no cache to clear (section 5.4).
  ClearCache: () => ({ answer: { status: "Rejected" } }),
  DataTransfer: () => ({ answer: { status: "UnknownVendorId" } }),
  GetConfiguration: (charger, request) => ({ answer: getConfiguration(charger, request) }),
  RemoteStartTransaction: remoteStart,
  RemoteStopTransaction: remoteStop,
  Reset: (charger, { type }) => ({ answer: { status: "Accepted" }, after: () => restart(charger, type) }),
  TriggerMessage: triggerMessage,
  UnlockConnector: unlockConnector,
};

/** Answers a CALL of the CSMS, with a CALLERROR where it is none that this charger knows or not as OCPP has it. */
export function receive(charger: Charger, { id, action, payload }: Call): void {
  if (!isSupported(action)) {
    const why = v16.checkSender("csms", action) ?? problem("NotSupported", `${action} is not something this charger does`);
    reply(charger.link, v16.refusal(id, why));
    return;
  }
  const wrong = v16.checkRequest(action, payload);
  if (wrong !== undefined) {
    reply(charger.link, v16.refusal(id, wrong));
    return;
  }
  const { answer, after } = run(charger, action, payload);
  reply(charger.link, resultFrame(id, answer));
  emit(charger, { type: "command", action, request: payload, response: answer });
  after?.();
}

/** Its schema was checked before. */
function run<A extends Supported>(charger: Charger, action: A, payload: object): Handled<A> {
  return commands[action](charger, payload as Request<A>);
}

function isSupported(action: string): action is Supported {
  return Object.hasOwn(commands, action);
}

/** Section 5.2: what charges is not interrupted. For connector 0 it counts for all. */
function changeAvailability(charger: Charger, { connectorId, type }: Request<"ChangeAvailability">): Handled<"ChangeAvailability"> {
  const parts: readonly Part[] =
    connectorId === 0 ? partsOf(charger) : [connectorOf(charger, connectorId)].filter((part) => part !== undefined);
  if (parts.length === 0) return { answer: { status: "Rejected" } };
  const operative = type === "Operative";
  const busy = operative ? [] : parts.filter((part) => connectorOf(charger, part.id)?.transaction !== undefined);
  const after = (): void => {
    for (const part of parts) {
      part.operativeNext = busy.includes(part) ? operative : undefined;
      if (busy.includes(part)) continue;
      part.operative = operative;
      refresh(charger, part);
    }
  };
  return { answer: { status: busy.length === 0 ? "Accepted" : "Scheduled" }, after };
}

/** What a changed key changes at once. */
function obey(charger: Charger, key: string): void {
  if (/^HeartbeatInterval$/i.test(key)) beatLater(charger);
  if (/^MeterValueSampleInterval$/i.test(key)) sampleAnew(charger);
  if (isPasswordKey(key)) connectAnew(charger);
}

/** Section 5.11. Without a connector: one where a vehicle waits, else any that is free. */
function remoteStart(charger: Charger, { connectorId, idTag }: Request<"RemoteStartTransaction">): Handled<"RemoteStartTransaction"> {
  const free = charger.connectors.filter((each) => isFree(each) && (connectorId === undefined || each.id === connectorId));
  const connector = free.find((each) => each.vehicle !== undefined) ?? free[0];
  if (connector === undefined || charger.registration !== "Accepted" || charger.restarting) return { answer: { status: "Rejected" } };
  return { answer: { status: "Accepted" }, after: () => startRemotely(charger, connector, idTag) };
}

function startRemotely(charger: Charger, connector: Connector, idTag: string): void {
  if (connector.vehicle === undefined && charger.options.plugsInOnRemoteStart !== false) plugIn(charger, connector, someVehicle(charger));
  if (isOn(charger, "AuthorizeRemoteTxRequests")) presentToken(charger, connector, idTag, () => {});
  else admit(charger, connector, idTag);
}

/** Section 5.12. */
function remoteStop(charger: Charger, { transactionId }: Request<"RemoteStopTransaction">): Handled<"RemoteStopTransaction"> {
  const connector = charger.connectors.find(({ transaction }) => transaction?.id === transactionId);
  if (connector === undefined) return { answer: { status: "Rejected" } };
  return { answer: { status: "Accepted" }, after: () => endTransaction(charger, connector, "Remote") };
}

/** Section 5.18. The transaction ends first; that the connector is not known is NotSupported too. */
function unlockConnector(charger: Charger, { connectorId }: Request<"UnlockConnector">): Handled<"UnlockConnector"> {
  const connector = connectorOf(charger, connectorId);
  if (connector === undefined) return { answer: { status: "NotSupported" } };
  endTransaction(charger, connector, "UnlockCommand");
  return { answer: { status: "Unlocked" } };
}

/** Section 5.17. The message follows the answer. A charger that was rejected sends nothing but BootNotification (section 4.2). */
function triggerMessage(charger: Charger, { requestedMessage, connectorId }: Request<"TriggerMessage">): Handled<"TriggerMessage"> {
  const parts = connectorId === undefined ? partsOf(charger) : [partOf(charger, connectorId)].filter((part) => part !== undefined);
  if (parts.length === 0 || (charger.registration === "Rejected" && requestedMessage !== "BootNotification")) {
    return { answer: { status: "Rejected" } };
  }
  const send: Record<typeof requestedMessage, () => void> = {
    BootNotification: () => boot(charger),
    DiagnosticsStatusNotification: () => ask(charger.link, "DiagnosticsStatusNotification", { status: "Idle" }, () => {}),
    FirmwareStatusNotification: () => ask(charger.link, "FirmwareStatusNotification", { status: "Idle" }, () => {}),
    Heartbeat: () => beat(charger),
    MeterValues: () => {
      for (const { id } of parts) {
        const connector = connectorOf(charger, id);
        if (connector !== undefined) sendMeterValues(charger, connector, "Trigger");
      }
    },
    StatusNotification: () => {
      for (const part of parts) report(charger, part);
    },
  };
  return { answer: { status: "Accepted" }, after: send[requestedMessage] };
}
