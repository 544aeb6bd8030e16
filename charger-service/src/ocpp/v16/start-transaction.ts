import type { Req, Res, V16 } from "@chargemesh/ocpp/version";
import { startTransaction as start } from "../../domain/transaction-start.ts";
import type { Charger } from "../dispatch.ts";
import { connectorPlace } from "./connector-place.ts";
import { toIdTagInfo } from "./id-tag-info.ts";
import { toTime } from "./time.ts";

/** A transaction has started; it gets its id whatever the id tag is worth (OCPP 1.6 §4.8). */
export async function startTransaction(charger: Charger, request: Req<V16, "StartTransaction">): Promise<Res<V16, "StartTransaction">> {
  const report = {
    chargerId: charger.id,
    epoch: charger.epoch,
    ...connectorPlace(request.connectorId),
    idToken: request.idTag,
    startTime: toTime(request.timestamp),
    meterStartWh: request.meterStart,
    reservationNumber: request.reservationId,
  };
  const { transactionId, authorization } = await start(charger.db, report, charger.now());
  return { transactionId, idTagInfo: toIdTagInfo(authorization) };
}
