import { describe, expect, test } from "vitest";
import type { SchedulePeriod } from "../src/db/charging-profile-tables.ts";
import { type CompositePeriod, composeSchedule, convert, type InstalledProfile, type Span } from "../src/domain/composite-schedule.ts";
import { compareSchedules } from "../src/domain/schedule-comparison.ts";
import { anyProfile, DAY, limitByWalking, NOON, profile, randomOf } from "./walked-schedule.ts";

// What charging profiles come to: by examples of OCPP 1.6 §3.13, and by a slower way of reckoning that knows nothing of the first.

const HOUR = 3_600;

const spanOf = (fields: Partial<Span> = {}): Span => ({
  startTime: NOON,
  durationSeconds: DAY,
  rateUnit: "A",
  voltage: 230,
  transactionStart: undefined,
  ...fields,
});
const limits = (periods: readonly CompositePeriod[]) => periods.map(({ startSeconds, limit }) => [startSeconds, limit]);
const compose = (profiles: InstalledProfile[], fields: Partial<Span> = {}, connectorId = 1) =>
  limits(composeSchedule(profiles, connectorId, spanOf(fields)));
const START = NOON.toISOString();

describe("by example", () => {
  test("without a profile nothing is limited", () => {
    expect(compose([])).toEqual([[0, undefined]]);
  });

  test("a higher stack level counts while it says something, and the lower one before and after", () => {
    const low = profile("TRANSACTION_DEFAULT", { start: "2027-01-01T00:00:00.000Z", limits: [[0, 32]] });
    const high = profile("TRANSACTION_DEFAULT", {
      stackLevel: 1,
      start: "2027-03-27T13:00:00.000Z",
      duration: HOUR,
      limits: [
        [0, 10],
        [1_800, 8],
      ],
    });
    expect(compose([low, high])).toEqual([
      [0, 32],
      [HOUR, 10],
      [HOUR + 1_800, 8],
      [2 * HOUR, 32],
    ]);
  });

  test("a profile of the transaction outweighs the defaults on whatever level, and leaves gaps to them", () => {
    const common = profile("TRANSACTION_DEFAULT", { stackLevel: 9, start: START, limits: [[0, 6]] });
    const own = profile("TRANSACTION", { duration: HOUR, limits: [[0, 20]] });
    expect(compose([common, own], { transactionStart: NOON })).toEqual([
      [0, 20],
      [HOUR, 6],
    ]);
    const begun = new Date(NOON.getTime() - 1_800_000);
    expect(compose([common, own], { transactionStart: begun })).toEqual([
      [0, 20],
      [1_800, 6],
    ]);
  });

  test("the charger's most is never passed, and is all that limits the charger as a whole", () => {
    const most = profile("CHARGER_MAX", {
      start: START,
      limits: [
        [0, 16],
        [HOUR, 40],
      ],
    });
    const own = profile("TRANSACTION_DEFAULT", { start: START, limits: [[0, 32]] });
    expect(compose([most, own])).toEqual([
      [0, 16],
      [HOUR, 32],
    ]);
    expect(compose([most, own], {}, 0)).toEqual([
      [0, 16],
      [HOUR, 40],
    ]);
  });

  test("a default of the connector's own replaces the one for all on its level, and no other", () => {
    const all = profile("TRANSACTION_DEFAULT", { at: 0, start: START, limits: [[0, 32]] });
    const higher = profile("TRANSACTION_DEFAULT", { at: 0, stackLevel: 1, start: "2027-03-27T14:00:00.000Z", limits: [[0, 30]] });
    const own = profile("TRANSACTION_DEFAULT", { start: START, duration: HOUR, limits: [[0, 10]] });
    expect(compose([all, higher, own])).toEqual([
      [0, 10],
      [HOUR, undefined],
      [2 * HOUR, 30],
    ]);
    expect(compose([all, higher, own], {}, 2)).toEqual([
      [0, 32],
      [2 * HOUR, 30],
    ]);
  });

  test("a daily one begins at the same moment of each UTC day, also over the night of 23 hours in Europe", () => {
    const nightly = profile("TRANSACTION_DEFAULT", {
      kind: "RECURRING",
      recurrency: "DAILY",
      start: "2027-01-01T22:00:00.000Z",
      limits: [
        [0, 32],
        [8 * HOUR, 8],
      ],
    });
    const twoDays = { durationSeconds: 2 * DAY };
    expect(compose([nightly], twoDays)).toEqual([
      [0, 8],
      [10 * HOUR, 32],
      [18 * HOUR, 8],
      [34 * HOUR, 32],
      [42 * HOUR, 8],
    ]);
  });

  test("a weekly one with a duration leaves the rest of the week, and says nothing before its first time", () => {
    const weekly = { kind: "RECURRING", recurrency: "WEEKLY", duration: 2 * HOUR } as const;
    const monday = profile("TRANSACTION_DEFAULT", { ...weekly, start: "2027-03-15T06:00:00.000Z", limits: [[0, 5]] });
    const week = { durationSeconds: 7 * DAY };
    expect(compose([monday], week)).toEqual([
      [0, undefined],
      [42 * HOUR, 5],
      [44 * HOUR, undefined],
    ]);
    const later = profile("TRANSACTION_DEFAULT", { ...weekly, start: "2027-04-05T06:00:00.000Z", limits: [[0, 5]] });
    expect(compose([later], week)).toEqual([[0, undefined]]);
  });

  test("validity bounds a profile on both sides", () => {
    const bounded = profile("TRANSACTION_DEFAULT", {
      start: "2027-01-01T00:00:00.000Z",
      validFromTime: "2027-03-27T13:00:00.000Z",
      validToTime: "2027-03-27T14:00:00.000Z",
      limits: [[0, 5]],
    });
    expect(compose([bounded])).toEqual([
      [0, undefined],
      [HOUR, 5],
      [2 * HOUR, undefined],
    ]);
  });

  test("amperes are watts by volts and phases, three where none are said", () => {
    expect(convert(16, undefined, "A", "W", 230)).toBe(11_040);
    expect(convert(16, 1, "A", "W", 230)).toBe(3_680);
    expect(convert(11_040, 3, "W", "A", 230)).toBe(16);
    const own = profile("TRANSACTION_DEFAULT", { start: START, limits: [[0, 10, 1]] });
    const most = profile("CHARGER_MAX", { start: START, unit: "W", limits: [[0, 5_000]] });
    // 2,300 W on one phase are less than 5,000 W; 10 A are more than 7.246 A on three.
    expect(compose([own, most], { rateUnit: "W" })).toEqual([[0, 2_300]]);
    expect(compose([own, most], { rateUnit: "A" })).toEqual([[0, 7.246]]);
  });
});

test("what many profiles come to is what walking through them says, at each second where anything may change", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = randomOf(seed * 7_919);
    const byPlace = new Map<string, InstalledProfile>();
    // A charger has one of each purpose, level and place.
    for (let i = random(8); i >= 0; i--) {
      const one = anyProfile(random);
      byPlace.set(`${one.content.purpose} ${one.content.stackLevel} ${one.connectorId}`, one);
    }
    const profiles = [...byPlace.values()];
    const span = spanOf({
      durationSeconds: 3 * DAY,
      transactionStart: random(2) === 0 ? undefined : new Date(NOON.getTime() - random(DAY) * 1000),
    });
    const periods = composeSchedule(profiles, 1, span);
    expect(periods[0]?.startSeconds).toBe(0);
    const seconds = periods.flatMap(({ startSeconds }) => [startSeconds - 1, startSeconds]).filter((second) => second >= 0);
    for (const second of [...seconds, ...Array.from({ length: 40 }, () => random(3 * DAY))]) {
      const said = periods.findLast(({ startSeconds }) => startSeconds <= second);
      expect(said?.limit, `seed ${seed}, second ${second}`).toBe(limitByWalking(profiles, 1, second, span));
    }
    periods.forEach((period, i) => {
      const before = periods[i - 1];
      if (before !== undefined) {
        expect(period.startSeconds).toBeGreaterThan(before.startSeconds);
        expect([period.limit, period.numberPhases]).not.toEqual([before.limit, before.numberPhases]);
      }
    });
  }
});

describe("beside the charger's", () => {
  const ours = [
    { startSeconds: 0, limit: 16, numberPhases: undefined },
    { startSeconds: HOUR, limit: undefined, numberPhases: undefined },
    { startSeconds: 2 * HOUR, limit: 8, numberPhases: undefined },
  ];
  const report = (periods: SchedulePeriod[], fields: object = {}) => ({
    status: "Accepted",
    startTime: START,
    rateUnit: "A" as const,
    periods,
    ...fields,
  });

  test.each<[string, SchedulePeriod[], object, number[][]]>([
    [
      "the same, but for rounding and its own where we have none",
      [
        { startSeconds: 0, limit: 16.1 },
        { startSeconds: HOUR, limit: 32 },
        { startSeconds: 2 * HOUR, limit: 8 },
      ],
      {},
      [],
    ],
    [
      "another limit",
      [
        { startSeconds: 0, limit: 16 },
        { startSeconds: 2 * HOUR, limit: 10 },
      ],
      {},
      [[2 * HOUR, DAY, 8, 10]],
    ],
    ["what ends early tells nothing of the rest", [{ startSeconds: 0, limit: 16 }], { durationSeconds: 2 * HOUR }, []],
    [
      "in watts",
      [
        { startSeconds: 0, limit: 11_050 },
        { startSeconds: 2 * HOUR, limit: 5_520 },
      ],
      { rateUnit: "W" },
      [],
    ],
    [
      "by a clock of three seconds ahead",
      [
        { startSeconds: 0, limit: 16 },
        { startSeconds: 2 * HOUR, limit: 8 },
      ],
      { startTime: "2027-03-27T12:00:03.000Z" },
      [],
    ],
    ["nothing at all", [], { rateUnit: undefined }, []],
  ])("%s", (_what, periods, fields, expected) => {
    const found = compareSchedules(ours, report(periods, fields), spanOf());
    expect(found.map((one) => [one.startSeconds, one.endSeconds, one.limit, one.reportedLimit])).toEqual(expected);
  });
});
