import type { SentBy } from "@chargemesh/ocpp/catalogue";
import type { Action, Messages, Req, Res, V16, V201 } from "@chargemesh/ocpp/version";
import { expect, expectTypeOf, test } from "vitest";

/** What a service's dispatch table looks like: a row per message that a charger of this version may send. */
type Routes<V extends Messages> = {
  readonly [A in SentBy<V["catalogue"], "station"> & Action<V>]: (request: Req<V, A>) => Res<V, A>;
};

const currentTime = "2026-11-22T19:30:00Z";

const routes: Routes<V16> = {
  Authorize: ({ idTag }) => ({ idTagInfo: { status: idTag === "good" ? "Accepted" : "Invalid" } }),
  BootNotification: () => ({ status: "Accepted", currentTime, interval: 300 }),
  DataTransfer: () => ({ status: "UnknownVendorId" }),
  DiagnosticsStatusNotification: () => ({}),
  FirmwareStatusNotification: () => ({}),
  Heartbeat: () => ({ currentTime }),
  LogStatusNotification: () => ({}),
  MeterValues: () => ({}),
  SecurityEventNotification: () => ({}),
  SignCertificate: () => ({ status: "Rejected" }),
  SignedFirmwareStatusNotification: () => ({}),
  StartTransaction: () => ({ transactionId: 1, idTagInfo: { status: "Accepted" } }),
  StatusNotification: () => ({}),
  StopTransaction: () => ({ idTagInfo: undefined }),
};

test("a table with every row compiles and works", () => {
  expect(routes.Authorize({ idTag: "good" })).toEqual({ idTagInfo: { status: "Accepted" } });
  expect(Object.keys(routes)).toHaveLength(14);
});

test("a hole, a misspelling, a command or a wrong answer does not compile", () => {
  const { Heartbeat: _, ...others } = routes;
  // @ts-expect-error Heartbeat is missing.
  const hole: Routes<V16> = others;
  // @ts-expect-error There is no such message.
  const misspelt: Routes<V16> = { ...others, HeartBeat: routes.Heartbeat };
  // @ts-expect-error Reset is for chargers to answer.
  const command: Routes<V16> = { ...routes, Reset: () => ({ status: "Accepted" }) };
  // @ts-expect-error An answer needs its required fields.
  const empty: Routes<V16> = { ...routes, Heartbeat: () => ({}) };
  // @ts-expect-error And nothing but the words of its enumerations.
  const word: Routes<V16> = { ...routes, SignCertificate: () => ({ status: "Perhaps" }) };
  expect([hole, misspelt, command, empty, word]).toHaveLength(5);
});

test("every row of a catalogue has a type, and every type a row", () => {
  expectTypeOf<keyof V16["catalogue"]>().toEqualTypeOf<keyof V16["requests"]>();
  expectTypeOf<keyof V16["catalogue"]>().toEqualTypeOf<keyof V16["responses"]>();
  expectTypeOf<keyof V201["catalogue"]>().toEqualTypeOf<keyof V201["requests"]>();
  expectTypeOf<keyof V201["catalogue"]>().toEqualTypeOf<keyof V201["responses"]>();
  expectTypeOf<SentBy<V201["catalogue"], "csms">>().extract<"DataTransfer" | "Authorize">().toEqualTypeOf<"DataTransfer">();
  expectTypeOf<Req<V201, "TransactionEvent">["eventType"]>().toEqualTypeOf<"Started" | "Updated" | "Ended">();
});
