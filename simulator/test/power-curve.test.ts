import { describe, expect, test } from "vitest";
import { chargerModels, vehicleModels } from "../src/models.ts";
import { beginDraw, drawUntil, energyWh, type Outlet, powerW, type Vehicle } from "../src/power-curve.ts";

const [dc150] = chargerModels.hub.outlets;
const [ac22] = chargerModels.post.outlets;
const [ac11] = chargerModels.wallbox.outlets;
const [cityCar, hatchback, saloon] = vehicleModels;

function vehicle(model: typeof saloon, charge: number, limit = 1): Vehicle {
  if (model === undefined) throw new Error("no such model");
  return { model, charge, limit };
}

/** Looks every `step` seconds, for `seconds`. */
function watch(outlet: Outlet, car: Vehicle, seconds: number, step: number) {
  const draw = beginDraw(outlet, car);
  const points = [];
  for (let at = 0; at <= seconds; at += step) {
    drawUntil(draw, at);
    points.push({ at, powerW: powerW(draw), energyWh: energyWh(draw), charge: car.charge });
  }
  return points;
}

describe("DC", () => {
  const points = watch(dc150, vehicle(saloon, 0.1), 5_400, 10);

  test("the power rises to what the vehicle takes within 30 s and falls above 80 %", () => {
    expect(points[0]?.powerW).toBeLessThan(10_000);
    const flat = points.filter(({ at, charge }) => at >= 30 && charge <= 0.8);
    expect(flat.length).toBeGreaterThan(50);
    expect(new Set(flat.map((point) => point.powerW))).toEqual(new Set([135_000]));
    const tail = points.filter(({ charge }) => charge > 0.8 && charge < 1).map((point) => point.powerW);
    expect(tail.length).toBeGreaterThan(50);
    expect(tail).toEqual([...tail].sort((a, b) => b - a));
    expect(tail.at(-1)).toBeLessThan(20_000);
  });

  test("the battery ends full, and then nothing flows", () => {
    expect(points.at(-1)).toMatchObject({ powerW: 0, charge: 1 });
    // 90 % of 77 kWh, and what the battery lost of it.
    expect(points.at(-1)?.energyWh).toBeCloseTo((77_000 * 0.9) / 0.97, -2);
  });

  test("it stops by itself where the vehicle wants", () => {
    const last = watch(dc150, vehicle(saloon, 0.5, 0.8), 3_600, 60).at(-1);
    expect(last?.powerW).toBe(0);
    expect(last?.charge).toBeCloseTo(0.8, 2);
  });
});

describe("AC", () => {
  test.each([
    ["22 kW, a car of 11 kW on three phases", ac22, saloon, 11_000],
    ["22 kW, a car of 22 kW on three phases", ac22, hatchback, 22_000],
    ["22 kW, a car of one phase", ac22, cityCar, 7_360],
    ["11 kW, a car of 22 kW", ac11, hatchback, 11_040],
  ])("%s: constant", (_name, outlet, model, expected) => {
    const flat = watch(outlet, vehicle(model, 0.2), 3_600, 60).slice(1);
    expect(new Set(flat.map((point) => Math.round(point.powerW)))).toEqual(new Set([expected]));
  });

  test("a tail at the end", () => {
    const tail = watch(ac22, vehicle(saloon, 0.96), 7_200, 60).filter(({ charge }) => charge > 0.975 && charge < 1);
    expect(tail.length).toBeGreaterThan(3);
    for (const { powerW: power } of tail) expect(power).toBeLessThan(11_000);
  });
});

describe.each([
  ["DC", dc150],
  ["AC", ac22],
])("%s energy", (_name, outlet) => {
  const points = watch(outlet, vehicle(saloon, 0.1), 7_200, 0.7);

  test("never falls", () => {
    for (let i = 1; i < points.length; i++) expect(points[i]?.energyWh).toBeGreaterThanOrEqual(points[i - 1]?.energyWh ?? 0);
  });

  test("is the integral of the power", () => {
    let sum = 0;
    for (let i = 1; i < points.length; i++) sum += (((points[i]?.powerW ?? 0) + (points[i - 1]?.powerW ?? 0)) / 2) * (0.7 / 3600);
    const energy = points.at(-1)?.energyWh ?? 0;
    expect(Math.abs(energy - sum) / energy).toBeLessThan(0.002);
  });

  test("does not depend on how often one looks", () => {
    const seldom = watch(outlet, vehicle(saloon, 0.1), 7_000, 700).at(-1);
    const often = points.find(({ at }) => Math.abs(at - 7_000) < 0.01);
    expect(often?.energyWh).toBeCloseTo(seldom?.energyWh ?? 0, 3);
  });
});
