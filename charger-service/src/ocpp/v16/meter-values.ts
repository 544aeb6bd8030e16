import type { Req, Res, V16 } from "@chargemesh/ocpp/version";
import { recordReadings } from "../../domain/metering.ts";
import type { Charger } from "../dispatch.ts";
import { connectorPlace } from "./connector-place.ts";
import { toReadings } from "./readings.ts";

/** Readings of a connector's meter, of a transaction or not (OCPP 1.6 §4.7). */
export async function meterValues(charger: Charger, request: Req<V16, "MeterValues">): Promise<Res<V16, "MeterValues">> {
  const place = { chargerId: charger.id, ...connectorPlace(request.connectorId) };
  await recordReadings(charger.db, place, request.transactionId, toReadings(request.meterValue));
  return {};
}
