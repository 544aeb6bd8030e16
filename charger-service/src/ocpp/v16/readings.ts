import type { Req, V16 } from "@chargemesh/ocpp/version";
import type { SampledValue } from "../../db/schema.ts";
import type { Reading } from "../../domain/metering.ts";
import { toTime } from "./time.ts";

type MeterValue = Req<V16, "MeterValues">["meterValue"][number];

/** Meter values with the defaults of OCPP 1.6 §7.43 filled in. */
export function toReadings(meterValues: readonly MeterValue[]): Reading[] {
  return meterValues.map(({ timestamp, sampledValue }) => ({ time: toTime(timestamp), sampledValues: sampledValue.map(toSampledValue) }));
}

function toSampledValue(sample: MeterValue["sampledValue"][number]): SampledValue {
  const measurand = sample.measurand ?? "Energy.Active.Import.Register";
  return {
    value: sample.value,
    context: sample.context ?? "Sample.Periodic",
    format: sample.format ?? "Raw",
    measurand,
    phase: sample.phase ?? "",
    location: sample.location ?? "Outlet",
    // "Default = Wh if the (default) measurand is an Energy type"; else the charger left the unit open.
    unit: sample.unit ?? (measurand.startsWith("Energy.") ? "Wh" : ""),
  };
}
