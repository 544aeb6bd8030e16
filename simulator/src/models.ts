import { type Outlet, PHASE_V, type VehicleModel } from "./power-curve.ts";

/** What a charger says of itself when it boots, and what it can deliver. */
export interface ChargerModel {
  readonly vendor: string;
  readonly model: string;
  readonly firmwareVersion: string;
  /** One for each connector, from connector 1 on. */
  readonly outlets: readonly Outlet[];
}

const ac11: Outlet = { current: "AC", powerMaxW: 3 * 16 * PHASE_V, phases: 3 };
const ac22: Outlet = { current: "AC", powerMaxW: 3 * 32 * PHASE_V, phases: 3 };
const dc50: Outlet = { current: "DC", powerMaxW: 50_000, phases: 0 };
const dc150: Outlet = { current: "DC", powerMaxW: 150_000, phases: 0 };

export const chargerModels = {
  wallbox: { vendor: "Lindenwerk", model: "Wallbox 11", firmwareVersion: "2.4.1", outlets: [ac11] },
  post: { vendor: "Lindenwerk", model: "Post 22 Duo", firmwareVersion: "2.4.1", outlets: [ac22, ac22] },
  fast: { vendor: "Voltara", model: "DC 50", firmwareVersion: "1.19.0", outlets: [dc50] },
  hub: { vendor: "Voltara", model: "Hub 150", firmwareVersion: "3.0.7", outlets: [dc150, dc150] },
} as const satisfies Record<string, ChargerModel>;

export const vehicleModels: readonly VehicleModel[] = [
  { name: "city car", batteryWh: 37_000, acMaxW: 7_400, acPhases: 1, dcMaxW: 37_000 },
  { name: "hatchback", batteryWh: 52_000, acMaxW: 22_000, acPhases: 3, dcMaxW: 46_000 },
  { name: "saloon", batteryWh: 77_000, acMaxW: 11_000, acPhases: 3, dcMaxW: 135_000 },
  { name: "van", batteryWh: 68_000, acMaxW: 11_000, acPhases: 3, dcMaxW: 75_000 },
];
