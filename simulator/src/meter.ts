import { type KeyName, MEASURANDS, textOf } from "./configuration.ts";
import type { Request } from "./messages.ts";
import { drawUntil, energyWh, PHASE_V, phasesOf, powerW, voltageV } from "./power-curve.ts";
import type { Charger, Connector } from "./state.ts";

type MeterValue = Request<"MeterValues">["meterValue"][number];
type SampledValue = MeterValue["sampledValue"][number];
type Context = NonNullable<SampledValue["context"]>;

const PHASES = ["L1", "L2", "L3"] as const;
const PHASES_TO_NEUTRAL = ["L1-N", "L2-N", "L3-N"] as const;

/** Carries what a connector draws on to now. */
export function readMeter(charger: Charger, { draw, transaction }: Connector): void {
  if (draw === undefined || transaction === undefined) return;
  drawUntil(draw, ((charger.time.now() - transaction.startTime) / 1000) * charger.speed);
}

/** The energy meter as it shows, in whole Wh. It never falls. */
export function registerWh({ meterWh, draw }: Connector): number {
  return Math.floor(meterWh + (draw === undefined ? 0 : energyWh(draw)));
}

/** The draw ends; the meter keeps what it counted. */
export function endDraw(connector: Connector): void {
  if (connector.draw === undefined) return;
  connector.meterWh += energyWh(connector.draw);
  connector.draw = undefined;
}

/**
 * What the meter of a connector shows now, as `key` (MeterValuesSampledData, StopTxnSampledData) asks for it.
 * Undefined if it asks for nothing.
 */
export function meterValue(charger: Charger, connector: Connector, context: Context, key: KeyName): MeterValue | undefined {
  const wanted = textOf(charger, key);
  const sampledValue: SampledValue[] = [];
  for (const measurand of MEASURANDS) if (wanted.includes(measurand)) sample(sampledValue, connector, context, measurand);
  return sampledValue.length === 0 ? undefined : { timestamp: new Date(charger.time.now()).toISOString(), sampledValue };
}

function sample(into: SampledValue[], connector: Connector, context: Context, measurand: (typeof MEASURANDS)[number]): void {
  const { draw, vehicle, outlet } = connector;
  const power = draw === undefined ? 0 : powerW(draw);
  const volts = draw === undefined ? PHASE_V : voltageV(draw);
  const phases = vehicle === undefined ? 0 : phasesOf(outlet, vehicle.model);
  switch (measurand) {
    case "Energy.Active.Import.Register":
      into.push({ value: String(registerWh(connector)), context, measurand, unit: "Wh" });
      break;
    case "Power.Active.Import":
      into.push({ value: String(Math.round(power)), context, measurand, unit: "W" });
      break;
    case "Voltage":
      if (phases === 0) into.push({ value: volts.toFixed(1), context, measurand, unit: "V" });
      for (let i = 0; i < phases; i++) into.push({ value: volts.toFixed(1), context, measurand, phase: PHASES_TO_NEUTRAL[i], unit: "V" });
      break;
    case "Current.Import": {
      const amperes = (power / volts / Math.max(phases, 1)).toFixed(1);
      if (phases === 0) into.push({ value: amperes, context, measurand, unit: "A" });
      for (let i = 0; i < phases; i++) into.push({ value: amperes, context, measurand, phase: PHASES[i], unit: "A" });
      break;
    }
    case "SoC":
      // Only with DC does the vehicle tell.
      if (outlet.current === "DC" && vehicle !== undefined) {
        into.push({ value: String(Math.floor(vehicle.charge * 100)), context, measurand, location: "EV", unit: "Percent" });
      }
  }
}
