import { afterAll, beforeAll, expect, test } from "vitest";
import { given } from "../service.ts";
import { openSite, type Site } from "./site.ts";
import type { Frame, Station } from "./station.ts";

// Frames in, frames out (or silence), and after each the next good frame is answered on the same socket.

let site: Site;
let station: Station;

beforeAll(async () => {
  // What a charger may send at most is another test's.
  site = await openSite({ OCPP_FRAMES_PER_SECOND: "100000" });
  station = await site.join("F-1");
});
afterAll(async () => {
  await station?.leave();
  await site?.leave();
});

/** What is answered to this, until a heartbeat that is sent after it is answered. */
async function answersTo(frame: unknown): Promise<Frame[]> {
  const before = station.frames.length;
  station.say(frame);
  await station.call("Heartbeat", {});
  return station.frames.slice(before, -1);
}

const now = "2026-11-22T12:00:00Z";
const start = { connectorId: 1, idTag: "A", meterStart: 0, timestamp: now };
const status = { connectorId: 1, errorCode: "NoError", status: "Available" };
const reading = { connectorId: 1, meterValue: [{ timestamp: now, sampledValue: [{ value: "1" }] }] };
const anything = expect.anything();

test.each([
  [""],
  ["hello"],
  ["{"],
  ['[2,"1"'],
  ['[2,"1","Heartbeat",{}]]'],
  ["null"],
  ["2"],
  ['"2"'],
  ["{}"],
  ['{"0":2,"1":"1","2":"Heartbeat","3":{}}'],
  ["[]"],
  ["[null]"],
  ["[[]]"],
  ['["2","1","Heartbeat",{}]'],
  ["[2]"],
  ['[2,1,"Heartbeat",{}]'],
  ['[2,null,"Heartbeat",{}]'],
  ['[2,["1"],"Heartbeat",{}]'],
  [`[2,"${"x".repeat(256)}","Heartbeat",{}]`],
  ['[1,"1","Heartbeat",{}]'],
  ['[5,"1","Heartbeat",{}]'],
  ['[-2,"1","Heartbeat",{}]'],
  ['[2.5,"1","Heartbeat",{}]'],
  ['[1e400,"1","Heartbeat",{}]'],
  ['[3,"nobody waits",{}]'],
  ['[3,"nobody waits"]'],
  ["[3]"],
  ['[4,"nobody waits","GenericError","",{}]'],
  ['[4,"nobody waits"]'],
  ["[4]"],
  ["[".repeat(100_000)],
  [`${"[".repeat(60_000)}${"]".repeat(60_000)}`],
  [Buffer.from('[2,"1","Heartbeat",{}]')],
  [Buffer.alloc(0)],
])("%.60s is met with silence", async (frame) => {
  expect(await answersTo(frame)).toEqual([]);
});

test.each<[string, string, string]>([
  ['[2,"1"]', "FormationViolation", "a CALL has 4 elements, not 2"],
  ['[2,"1","Heartbeat"]', "ProtocolError", "the payload is missing"],
  ['[2,"1","Heartbeat",{},{}]', "FormationViolation", "a CALL has 4 elements, not 5"],
  ['[2,"1",7,{}]', "ProtocolError", "the action is not a string"],
  ['[2,"1","Heartbeat",[]]', "TypeConstraintViolation", "the payload must be an object"],
  ['[2,"1","Heartbeat","{}"]', "TypeConstraintViolation", "the payload must be an object"],
  ['[2,"1","MakeCoffee",{}]', "NotImplemented", "MakeCoffee is not known"],
  ['[2,"1","heartbeat",{}]', "NotImplemented", "heartbeat is not known"],
  ['[2,"1","",{}]', "NotImplemented", " is not known"],
  ['[2,"1","toString",{}]', "NotImplemented", "toString is not known"],
  ['[2,"1","__proto__",{}]', "NotImplemented", "__proto__ is not known"],
  ['[2,"1","Reset",{"type":"Hard"}]', "NotSupported", "Reset is for chargers to answer"],
  ['[2,"1","Authorize",{}]', "OccurenceConstraintViolation", ".idTag is required"],
  ['[2,"1","Authorize",{"idTag":7}]', "TypeConstraintViolation", ".idTag must be a string"],
  ['[2,"1","Authorize",{"idTag":null}]', "TypeConstraintViolation", ".idTag must be a string"],
  ['[2,"1","Authorize",{"idTag":"123456789012345678901"}]', "PropertyConstraintViolation", ".idTag must be at most 20 characters long"],
  ['[2,"1","Authorize",{"idTag":"A","more":1}]', "FormationViolation", ".more is not a field of this message"],
  ['[2,"1","Authorize",{"idTag":"A","__proto__":{}}]', "FormationViolation", ".__proto__ is not a field of this message"],
  ['[2,"1","Authorize",{"idTag":"a\\u0000b"}]', "PropertyConstraintViolation", "a text holds the character U+0000"],
  ['[2,"1","DataTransfer",{"vendorId":"a","data":"\\u0000"}]', "PropertyConstraintViolation", "a text holds the character U+0000"],
  ['[2,"1","BootNotification",{}]', "OccurenceConstraintViolation", ".chargePointVendor is required"],
])("%s is refused with %s", async (frame, code, description) => {
  expect(await answersTo(frame)).toEqual([[4, "1", code, description, {}]]);
});

test.each<[string, object, string, string | RegExp]>([
  ["StatusNotification", { ...status, status: "Sleeping" }, "PropertyConstraintViolation", /^\.status must be one of Available, /],
  ["StatusNotification", { ...status, connectorId: -1 }, "PropertyConstraintViolation", ".connectorId must be in 0..10000"],
  ["StatusNotification", { ...status, connectorId: 10_001 }, "PropertyConstraintViolation", ".connectorId must be in 0..10000"],
  ["StatusNotification", { ...status, connectorId: 2 ** 31 }, "PropertyConstraintViolation", ".connectorId must be in 0..10000"],
  ["StatusNotification", { ...status, connectorId: 2 ** 53 }, "PropertyConstraintViolation", ".connectorId must be in 0..10000"],
  ["StatusNotification", { ...status, connectorId: 1e300 }, "PropertyConstraintViolation", ".connectorId must be in 0..10000"],
  ["StatusNotification", { ...status, connectorId: 1.5 }, "TypeConstraintViolation", ".connectorId must be an integer"],
  ["StatusNotification", { ...status, connectorId: "1" }, "TypeConstraintViolation", ".connectorId must be an integer"],
  ["StatusNotification", { ...status, info: "x".repeat(51) }, "PropertyConstraintViolation", ".info must be at most 50 characters long"],
  ["StartTransaction", { ...start, connectorId: -1 }, "PropertyConstraintViolation", ".connectorId must be in 0..10000"],
  ["StartTransaction", { ...start, timestamp: "yesterday" }, "PropertyConstraintViolation", /^\.timestamp must be a valid date-time/],
  ["StartTransaction", { ...start, timestamp: "2026-02-30T00:00:00Z" }, "PropertyConstraintViolation", /^\.timestamp must be/],
  ["StartTransaction", { ...start, timestamp: 0 }, "TypeConstraintViolation", ".timestamp must be a string"],
  ["StartTransaction", { ...start, meterStart: 0.5 }, "TypeConstraintViolation", ".meterStart must be an integer"],
  ["StartTransaction", { ...start, meterStart: "0" }, "TypeConstraintViolation", ".meterStart must be an integer"],
  ["StopTransaction", { transactionId: 1, timestamp: now }, "OccurenceConstraintViolation", ".meterStop is required"],
  ["StopTransaction", { transactionId: 0.5, meterStop: 1, timestamp: now }, "TypeConstraintViolation", ".transactionId must be an integer"],
  ["MeterValues", { ...reading, connectorId: -1 }, "PropertyConstraintViolation", ".connectorId must be in 0..10000"],
  ["MeterValues", { ...reading, meterValue: {} }, "TypeConstraintViolation", ".meterValue must be an array"],
  [
    "MeterValues",
    { connectorId: 1, meterValue: [{ timestamp: now, sampledValue: [{ value: 1 }] }] },
    "TypeConstraintViolation",
    ".meterValue[0].sampledValue[0].value must be a string",
  ],
  [
    "MeterValues",
    { connectorId: 1, meterValue: [{ timestamp: now, sampledValue: [{ value: "1", unit: "Joule" }] }] },
    "PropertyConstraintViolation",
    /^\.meterValue\[0\]\.sampledValue\[0\]\.unit must be one of Wh, /,
  ],
])("%s %j is refused with %s", async (action, payload, code, description) => {
  const text = typeof description === "string" ? description : expect.stringMatching(description);
  expect(await answersTo([2, "1", action, payload])).toEqual([[4, "1", code, text, {}]]);
});

test.each<[unknown, Frame]>([
  ['[2,"1","Heartbeat",null]', [3, "1", { currentTime: anything }]],
  [' [ 2 , "" , "Heartbeat" , { } ] ', [3, "", { currentTime: anything }]],
  [
    [2, "🔌".repeat(36), "Heartbeat", {}],
    [3, "🔌".repeat(36), { currentTime: anything }],
  ],
  [
    [2, "x".repeat(37), "Heartbeat", {}],
    [4, "x".repeat(37), "FormationViolation", "the message id is longer than 36 characters", {}],
  ],
  ['[2,"\\u0000","Heartbeat",{}]', [3, "\u0000", { currentTime: anything }]],
  ['[2,"\\ud800","Heartbeat",{}]', [3, "\ud800", { currentTime: anything }]],
  // Half of a pair is no Unicode; a text that only looks like an escape is a text.
  ['[2,"1","Authorize",{"idTag":"\\ud800"}]', [3, "1", { idTagInfo: { status: "Invalid" } }]],
  ['[2,"1","Authorize",{"idTag":"\\\\u0000"}]', [3, "1", { idTagInfo: { status: "Invalid" } }]],
  [
    [2, "1", "Authorize", { idTag: "🔌".repeat(20) }],
    [3, "1", { idTagInfo: { status: "Invalid" } }],
  ],
  [
    [2, "1", "Authorize", { idTag: "'; drop table charger; --" }],
    [4, "1", "PropertyConstraintViolation", anything, {}],
  ],
  [
    [2, "1", "Authorize", { idTag: "' or true --" }],
    [3, "1", { idTagInfo: { status: "Invalid" } }],
  ],
  [
    [2, "1", "Authorize", { idTag: "" }],
    [3, "1", { idTagInfo: { status: "Invalid" } }],
  ],
  [
    [2, "1", "DataTransfer", { vendorId: "Acme", data: "{}" }],
    [3, "1", { status: "UnknownVendorId" }],
  ],
  [
    [2, "1", "StatusNotification", { ...status, connectorId: 0, info: "half \ud83d" }],
    [3, "1", {}],
  ],
  [
    [2, "1", "StatusNotification", { ...status, connectorId: 10_000, timestamp: now }],
    [3, "1", {}],
  ],
  [
    [2, "1", "MeterValues", { ...reading, meterValue: [] }],
    [3, "1", {}],
  ],
  [
    [2, "1", "StartTransaction", { ...start, meterStart: 1e300 }],
    [3, "1", { transactionId: anything, idTagInfo: { status: "Invalid" } }],
  ],
])("%.100j is answered", async (frame, answer) => {
  expect(await answersTo(frame)).toEqual([answer]);
});

test.each([
  ["0000-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"],
  ["0001-01-01T00:00:00+23:59", "0001-01-01T00:00:00.000Z"],
  ["9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59.999Z"],
])("a start at %s, which no timestamp of ours can hold, is kept as %s", async (timestamp, startTime) => {
  const [answer] = await answersTo([2, "1", "StartTransaction", { ...start, timestamp }]);
  expect(answer).toEqual([3, "1", { transactionId: anything, idTagInfo: { status: "Invalid" } }]);
  const { transactionId } = given(answer)[2] as { transactionId: number };
  expect((await site.transaction(transactionId)).startTime?.toISOString()).toBe(startTime);
  expect(await answersTo([2, "1", "StartTransaction", { ...start, timestamp }])).toEqual([answer]);
});

test.each([
  ['{"a":'.repeat(31), "}".repeat(31), "FormationViolation", /^\.a is not a field of this message$/],
  ['{"a":'.repeat(32), "}".repeat(32), "FormationViolation", /^the message is nested deeper than 32 levels$/],
  ['{"a":'.repeat(20_000), "}".repeat(20_000), "FormationViolation", /^the message is nested deeper than 32 levels$/],
])("a message nested as deep as %.20s… is refused", async (open, close, code, description) => {
  expect(await answersTo(`[2,"1","Heartbeat",${open}1${close}]`)).toEqual([[4, "1", code, expect.stringMatching(description), {}]]);
});

test("two CALLs at once are answered in their order, a hundred too", async () => {
  const owner = await site.hold("lock table transaction in exclusive mode");
  const before = station.frames.length;
  station.say([2, "slow", "StartTransaction", { ...start, idTag: "SLOW" }]);
  station.say([2, "quick", "Heartbeat", {}]);
  await site.blocked(1);
  expect(station.frames.length).toBe(before);
  await owner.release();
  const ids = Array.from({ length: 100 }, (_, i) => `many-${i}`);
  await Promise.all(ids.map((id, i) => station.call(i % 3 === 0 ? "Nonsense" : "Heartbeat", {}, id)));
  expect(station.frames.slice(before).map(([, id]) => id)).toEqual(["slow", "quick", ...ids]);
});

test("a CALL whose id is in use is answered like any other", async () => {
  const before = station.frames.length;
  for (let i = 0; i < 3; i++) station.say([2, "same", "Heartbeat", {}]);
  await station.call("Heartbeat", {});
  expect(station.frames.slice(before, -1).map(([type, id]) => [type, id])).toEqual([3, 3, 3].map((type) => [type, "same"]));
});

test("a frame just within the limit is read; one beyond it costs the socket and nothing else", async () => {
  const other = await site.join("F-2");
  const data = "x".repeat(130_900);
  expect(await other.result("DataTransfer", { vendorId: "Acme", data })).toEqual({ status: "UnknownVendorId" });
  other.say([2, "1", "DataTransfer", { vendorId: "Acme", data: `${data}${data}` }]);
  expect((await other.closed).code).toBe(1009);
  await site.gone("F-2");
  const again = await site.connect("F-2");
  expect(await again.result("Heartbeat", {})).toEqual({ currentTime: anything });
  expect((await site.connections("F-2")).map(({ state, reason }) => [state, reason])).toEqual([
    ["OPEN", ""],
    ["CLOSED", "FRAME_TOO_LARGE"],
  ]);
  expect(await station.result("Heartbeat", {})).toEqual({ currentTime: anything });
  await again.leave();
});

test("a charger that talks and does not listen costs no more than its socket", async () => {
  const deaf = await site.join("F-4");
  deaf.socket.pause();
  // Each is answered at length.
  const frame = JSON.stringify([2, "€".repeat(250), "Heartbeat", {}]);
  while ((await site.charger("F-4")).connected) {
    for (let n = 0; n < 3_000; n++) deaf.say(frame);
  }
  expect((await site.connections("F-4")).map(({ state, reason }) => [state, reason])).toEqual([["CLOSED", "NOT_LISTENING"]]);
  deaf.socket.terminate();
  expect(await station.result("Heartbeat", {})).toEqual({ currentTime: anything });
});

test.each<[string, Buffer, Frame[]]>([
  ["no UTF-8 at all", Buffer.from([0xff, 0xfe]), []],
  [
    "a CALL in Latin-1",
    Buffer.from('[2,"1","Authorize",{"idTag":"Z\u00fcrich"}]', "latin1"),
    [[4, "1", "FormationViolation", "the message is not UTF-8", {}]],
  ],
  ["a CALL whose id is no UTF-8", Buffer.from('[2,"\u00fc","Heartbeat",{}]', "latin1"), []],
  ["a CALLRESULT that is no UTF-8", Buffer.from('[3,"\u00fc",{}]', "latin1"), []],
  ["half of a character", Buffer.from('[2,"1","Heartbeat",{}]').subarray(0, 9), []],
])("%s costs the frame and nothing else", async (_what, bytes, answers) => {
  const before = station.frames.length;
  station.socket.send(bytes, { binary: false });
  await station.call("Heartbeat", {});
  expect(station.frames.slice(before, -1)).toEqual(answers);
});
