import { v16 } from "@chargemesh/ocpp/version";
import { expect, test } from "vitest";

// What a payload that departs from its schema is meant to say, and which relaxations that takes.

const now = "2026-11-22T12:00:00Z";
const status = { connectorId: 1, errorCode: "NoError", status: "Available" };
const start = { connectorId: 1, idTag: "A", meterStart: 0, timestamp: now };
const sample = (value: unknown, rest: object = {}) => ({ timestamp: now, sampledValue: [{ value, ...rest }] });

const mended = (action: string, payload: object) => {
  expect(v16.checkRequest(action, payload)).toBeDefined();
  const before = JSON.stringify(payload);
  const found = v16.mendRequest(action, payload);
  // What came is left as it was: the log may still show it.
  expect(JSON.stringify(payload)).toBe(before);
  return found && { ...found, uses: Object.fromEntries(found.uses) };
};

test.each<[string, string, object, object, object]>([
  ["fields that do not exist", "Authorize", { idTag: "A", more: { than: 1 } }, { idTag: "A" }, { EXTRA_FIELDS: ".more" }],
  [
    "one deep inside, in each item",
    "MeterValues",
    { connectorId: 1, meterValue: [sample("1", { x: 1 }), sample("2"), sample("3", { x: 2 })] },
    { connectorId: 1, meterValue: [sample("1"), sample("2"), sample("3")] },
    { EXTRA_FIELDS: ".meterValue[0].sampledValue[0].x" },
  ],
  [
    "a field named like what every object has",
    "Authorize",
    JSON.parse('{"idTag":"A","__proto__":{},"toString":1}'),
    { idTag: "A" },
    { EXTRA_FIELDS: ".__proto__" },
  ],
  ["long texts", "StatusNotification", { ...status, info: "€".repeat(51) }, { ...status, info: "€".repeat(51) }, { LONG_STRINGS: ".info" }],
  ["a long id tag", "Authorize", { idTag: "x".repeat(36) }, { idTag: "x".repeat(36) }, { LONG_STRINGS: ".idTag" }],
  ["words in another case", "StatusNotification", { ...status, status: "AVAILABLE" }, status, { ENUM_CASE: ".status" }],
  [
    "words that nobody knows",
    "StatusNotification",
    { ...status, errorCode: "Rain" },
    { ...status, errorCode: "OtherError" },
    { UNKNOWN_WORDS: ".errorCode" },
  ],
  ["a time without a zone", "StartTransaction", { ...start, timestamp: "2026-11-22T12:00:00" }, start, { TIME_WITHOUT_ZONE: ".timestamp" }],
  [
    "a time in another notation and without a zone",
    "StartTransaction",
    { ...start, timestamp: "2026-11-22 12:00" },
    start,
    { TIME_NOTATION: ".timestamp", TIME_WITHOUT_ZONE: ".timestamp" },
  ],
  [
    "a time in another notation",
    "StartTransaction",
    { ...start, timestamp: "2026-11-22 14:00:00,5 +0200" },
    { ...start, timestamp: "2026-11-22T14:00:00.5+02:00" },
    { TIME_NOTATION: ".timestamp" },
  ],
  ["numbers as texts", "StartTransaction", { ...start, connectorId: "1", meterStart: "0" }, start, { NUMBER_STRINGS: ".connectorId" }],
  [
    "texts as numbers, in each item",
    "MeterValues",
    { connectorId: 1, meterValue: [sample(1.5), sample("2"), sample(-3)] },
    { connectorId: 1, meterValue: [sample("1.5"), sample("2"), sample("-3")] },
    { NUMBER_STRINGS: ".meterValue[0].sampledValue[0].value" },
  ],
  [
    "a reading with a fraction",
    "StartTransaction",
    { ...start, meterStart: 1234.5 },
    { ...start, meterStart: 1235 },
    { FRACTIONS: ".meterStart" },
  ],
  ["null for nothing", "StatusNotification", { ...status, info: null, vendorId: null }, status, { NULL_FIELDS: ".info" }],
  ["an empty text for nothing", "StatusNotification", { ...status, timestamp: "" }, status, { EMPTY_STRINGS: ".timestamp" }],
  [
    "what is missing and harmless",
    "BootNotification",
    { chargePointModel: "One" },
    { chargePointVendor: "", chargePointModel: "One" },
    { MISSING_FIELDS: ".chargePointVendor" },
  ],
  [
    "one thing for a list",
    "MeterValues",
    { connectorId: 1, meterValue: { timestamp: now, sampledValue: { value: "1" } } },
    { connectorId: 1, meterValue: [sample("1")] },
    { SINGLE_ITEMS: ".meterValue" },
  ],
  [
    "several at once",
    "StatusNotification",
    { connectorId: "1", status: "charging", errorCode: null, firmware: "x" },
    { connectorId: 1, status: "Charging", errorCode: "NoError" },
    {
      NULL_FIELDS: ".errorCode",
      MISSING_FIELDS: ".errorCode",
      EXTRA_FIELDS: ".firmware",
      NUMBER_STRINGS: ".connectorId",
      ENUM_CASE: ".status",
    },
  ],
])("%s are understood", (_what, action, payload, meant, uses) => {
  expect(mended(action, payload)).toEqual({ payload: meant, uses });
});

test.each<[string, string, object]>([
  ["an id tag that no id token can be", "Authorize", { idTag: "x".repeat(37) }],
  ["a text that nobody wrote", "StatusNotification", { ...status, info: "x".repeat(4_097) }],
  ["a status that nobody knows", "StatusNotification", { ...status, status: "Sleeping" }],
  ["a unit that nobody knows", "MeterValues", { connectorId: 1, meterValue: [sample("1", { unit: "Joule" })] }],
  ["a connector with a fraction", "StatusNotification", { ...status, connectorId: 1.5 }],
  ["a connector that is no number", "StatusNotification", { ...status, connectorId: "one" }],
  ["a connector that is an empty text", "StatusNotification", { ...status, connectorId: "" }],
  ["a start without its time", "StartTransaction", { connectorId: 1, idTag: "A", meterStart: 0 }],
  ["a time that is none", "StartTransaction", { ...start, timestamp: "2026-02-30 12:00" }],
  ["a number for a time", "StartTransaction", { ...start, timestamp: 1_795_375_800 }],
  ["null in a list", "MeterValues", { connectorId: 1, meterValue: [null] }],
  ["what is mended and not all that is wrong", "StatusNotification", { ...status, status: "Sleeping", more: 1 }],
  [
    "more fields than a charger makes up",
    "Authorize",
    { idTag: "A", ...Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`f${i}`, i])) },
  ],
])("%s is not", (_what, action, payload) => {
  expect(mended(action, payload)).toBeUndefined();
});

test("answers of chargers are understood alike, with numbers finer than allowed", () => {
  const schedule = {
    chargingRateUnit: "A",
    chargingSchedulePeriod: [
      { startPeriod: 0, limit: 16.25 },
      { startPeriod: 60, limit: 8 },
    ],
  };
  const response = { status: "accepted", chargingSchedule: schedule };
  expect(v16.mendResponse("GetCompositeSchedule", response)).toEqual({
    payload: { status: "Accepted", chargingSchedule: schedule },
    uses: new Map([
      ["ENUM_CASE", ".status"],
      ["FINE_NUMBERS", ".chargingSchedule.chargingSchedulePeriod[0].limit"],
    ]),
  });
  // What stands for a number while it is checked must not hide that another is none.
  const wrong = {
    ...schedule,
    chargingSchedulePeriod: [
      { startPeriod: 0, limit: 16.25 },
      { startPeriod: 60, limit: "eight" },
    ],
  };
  expect(v16.mendResponse("GetCompositeSchedule", { status: "Accepted", chargingSchedule: wrong })).toBeUndefined();
  expect(v16.mendResponse("GetCompositeSchedule", [])).toBeUndefined();
  expect(v16.mendResponse("Nonsense", {})).toBeUndefined();
});
