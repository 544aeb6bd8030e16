import type { SentBy } from "@chargemesh/ocpp/catalogue";
import type { Req, Res, V16 } from "@chargemesh/ocpp/version";
import type { Charger, Dispatch } from "../dispatch.ts";
import { authorize } from "./authorize.ts";
import { bootNotification } from "./boot-notification.ts";
import { dataTransfer } from "./data-transfer.ts";
import { diagnosticsStatusNotification } from "./diagnostics-status-notification.ts";
import { firmwareStatusNotification } from "./firmware-status-notification.ts";
import { heartbeat } from "./heartbeat.ts";
import { logStatusNotification } from "./log-status-notification.ts";
import { meterValues } from "./meter-values.ts";
import { securityEventNotification } from "./security-event-notification.ts";
import { signCertificate } from "./sign-certificate.ts";
import { signedFirmwareStatusNotification } from "./signed-firmware-status-notification.ts";
import { startTransaction } from "./start-transaction.ts";
import { statusNotification } from "./status-notification.ts";
import { stopTransaction } from "./stop-transaction.ts";

/** One row an action. A missing or misspelt one does not compile. */
type Routes = {
  readonly [A in SentBy<V16["catalogue"], "station">]: (charger: Charger, request: Req<V16, A>) => Promise<Res<V16, A>>;
};

/** Everything that a 1.6 charger may say to us. */
export const routes: Routes = {
  Authorize: authorize,
  BootNotification: bootNotification,
  DataTransfer: dataTransfer,
  DiagnosticsStatusNotification: diagnosticsStatusNotification,
  FirmwareStatusNotification: firmwareStatusNotification,
  Heartbeat: heartbeat,
  LogStatusNotification: logStatusNotification,
  MeterValues: meterValues,
  SecurityEventNotification: securityEventNotification,
  SignCertificate: signCertificate,
  SignedFirmwareStatusNotification: signedFirmwareStatusNotification,
  StartTransaction: startTransaction,
  StatusNotification: statusNotification,
  StopTransaction: stopTransaction,
};

/** The same for the dispatcher, which has checked each request against the schema of its action before it gets here. */
export const dispatch = routes as unknown as Dispatch;
