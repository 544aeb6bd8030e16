/** What a connector can deliver. */
export interface Outlet {
  readonly current: "AC" | "DC";
  /** For AC the most that all phases together deliver. */
  readonly powerMaxW: number;
  /** How many phases of AC it has; DC has none. */
  readonly phases: 0 | 1 | 3;
}

/** What an electric vehicle takes. */
export interface VehicleModel {
  readonly name: string;
  readonly batteryWh: number;
  readonly acMaxW: number;
  readonly acPhases: 1 | 3;
  readonly dcMaxW: number;
}

/** One vehicle: its battery fills as it charges. */
export interface Vehicle {
  readonly model: VehicleModel;
  /** How full its battery is, 0 to 1. */
  charge: number;
  /** At how full a battery it stops by itself, up to 1. */
  readonly limit: number;
}

/** A vehicle that draws from an outlet, from one moment on. */
export interface Draw {
  readonly outlet: Outlet;
  readonly vehicle: Vehicle;
  /** How full the battery was when it began, 0 to 1. */
  readonly chargeAtBegin: number;
  /** What it may draw at most, in W. */
  readonly limitW: number;
  /** What charging profiles leave of that now, in W. */
  allowedW: number;
  /** Up to which second of it `wh` counts: a whole number of steps. */
  seconds: number;
  /** The seconds beyond that, less than a step. */
  restSeconds: number;
  wh: number;
}

/** Voltage of one phase of AC to neutral. */
export const PHASE_V = 230;

/** The grid of the integral. On one grid the sum does not depend on how often one looks, so that seeds decide it. */
const STEP_SECONDS = 1;

/** What arrives in the battery: DC is metered behind the charger's converter, AC before the vehicle's own. */
const EFFICIENCY = { AC: 0.9, DC: 0.97 } as const;

/** How long the power takes to rise to its maximum, in seconds. */
const RAMP_SECONDS = { AC: 5, DC: 30 } as const;

/** From how full a battery on the power falls, and the share of it that is left when the battery is full. */
const TAPER = { AC: { from: 0.97, left: 0.3 }, DC: { from: 0.8, left: 0.08 } } as const;

/** A vehicle begins to draw. */
export function beginDraw(outlet: Outlet, vehicle: Vehicle): Draw {
  return {
    outlet,
    vehicle,
    chargeAtBegin: vehicle.charge,
    limitW: limitOf(outlet, vehicle.model),
    allowedW: Infinity,
    seconds: 0,
    restSeconds: 0,
    wh: 0,
  };
}

/** Carries `draw` on to `seconds` after it began. Going back has no effect. */
export function drawUntil(draw: Draw, seconds: number): void {
  if (seconds <= draw.seconds + draw.restSeconds) return;
  const whole = Math.floor(seconds / STEP_SECONDS) * STEP_SECONDS;
  for (; draw.seconds < whole; draw.seconds += STEP_SECONDS) {
    const power = powerW(draw);
    if (power === 0) {
      draw.seconds = whole;
      break;
    }
    draw.wh += (power * STEP_SECONDS) / 3600;
    draw.vehicle.charge = fill(draw);
  }
  draw.restSeconds = seconds - whole;
}

/** The power that flows, in W. 0 once the vehicle has what it wants. */
export function powerW({ outlet: { current }, vehicle, limitW, allowedW, seconds }: Draw): number {
  if (vehicle.charge >= vehicle.limit) return 0;
  const ramp = Math.min(1, (seconds + STEP_SECONDS) / RAMP_SECONDS[current]);
  const { from, left } = TAPER[current];
  const taper = vehicle.charge <= from ? 1 : 1 - ((1 - left) * (vehicle.charge - from)) / (1 - from);
  return Math.min(limitW * Math.min(ramp, taper), Math.max(0, allowedW));
}

/** The energy that has flowed since it began, in Wh. It never falls. */
export function energyWh(draw: Draw): number {
  return draw.wh + (powerW(draw) * draw.restSeconds) / 3600;
}

/** Phases of AC that carry current; 0 for DC. */
export function phasesOf({ phases }: Outlet, { acPhases }: VehicleModel): number {
  return Math.min(phases, acPhases);
}

/** The voltage at the plug: of a phase for AC; of the battery, which rises as it fills, for DC. */
export function voltageV({ outlet, vehicle }: Draw): number {
  return outlet.current === "AC" ? PHASE_V : 340 + 70 * vehicle.charge;
}

function limitOf(outlet: Outlet, model: VehicleModel): number {
  if (outlet.current === "DC") return Math.min(outlet.powerMaxW, model.dcMaxW);
  const phases = phasesOf(outlet, model);
  return Math.min((outlet.powerMaxW / outlet.phases) * phases, (model.acMaxW / model.acPhases) * phases);
}

function fill({ outlet, vehicle, chargeAtBegin, wh }: Draw): number {
  return Math.min(1, chargeAtBegin + (wh * EFFICIENCY[outlet.current]) / vehicle.model.batteryWh);
}
