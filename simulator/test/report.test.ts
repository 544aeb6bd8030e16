import { expect, test } from "vitest";
import { makeCharger } from "../src/charger.ts";
import { makeReport } from "../src/report.ts";
import type { ChargerEvent, Transaction, TransactionMessage } from "../src/state.ts";

const charger = makeCharger({ url: "ws://127.0.0.1:1", id: "CP-1" });
const transaction: Transaction = {
  connectorId: 1,
  idTag: "A",
  meterStartWh: 1_000,
  startTime: 0,
  id: 7,
  idTagStatus: "Accepted",
  stop: { reason: "Local", meterWh: 6_240, time: 61_000 },
};
const stop: TransactionMessage = {
  action: "StopTransaction",
  payload: { transactionId: 7, meterStop: 6_240, timestamp: "2026-03-01T08:00:00Z" },
  transaction,
  attempts: 0,
};

test.each<[ChargerEvent[], string[]]>([
  [[{ type: "booted", status: "Accepted", interval: 300 }], ["CP-1          registered: Accepted"]],
  [[{ type: "refused", status: 401, reason: "HTTP 401" }], ["CP-1          could not connect: HTTP 401"]],
  [[{ type: "authorized", connectorId: 1, idTag: "A", status: "Accepted" }], []],
  [[{ type: "authorized", connectorId: 1, idTag: "A", status: "Blocked" }], ["CP-1/1        id token A: Blocked"]],
  [[{ type: "delivered", message: stop, response: {} }], ["CP-1/1        transaction 7 ended after 61 s and 5.2 kWh: Local"]],
  [
    [
      { type: "status", connectorId: 1, status: "Available", errorCode: "NoError" },
      { type: "status", connectorId: 1, status: "Faulted", errorCode: "GroundFailure" },
      { type: "status", connectorId: 1, status: "Available", errorCode: "NoError" },
    ],
    ["CP-1/1        is broken: GroundFailure", "CP-1/1        works again"],
  ],
  [
    [{ type: "command", action: "Reset", request: { type: "Soft" }, response: { status: "Accepted" } }],
    ["CP-1          asked to Reset: Accepted"],
  ],
])("%j", (events, expected) => {
  const lines: string[] = [];
  const report = makeReport(
    (line) => lines.push(line),
    () => 0,
  );
  for (const event of events) report(charger, event);
  expect(lines).toEqual(expected.map((line) => `00:00:00  ${line}`));
});

test("ten lines a second, and how many were left out", () => {
  const lines: string[] = [];
  let now = 0;
  const report = makeReport(
    (line) => lines.push(line),
    () => now,
  );
  for (let i = 0; i < 25; i++) report(charger, { type: "connected" });
  now = 1_000;
  report(charger, { type: "connected" });
  expect(lines.length).toBe(12);
  expect(lines.slice(-2)).toEqual(["          … and 15 more", "00:00:01  CP-1          connected"]);
});
