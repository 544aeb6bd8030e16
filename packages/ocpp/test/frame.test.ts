import { callFrame, DEPTH_MAX, errorFrame, parseFrame, resultFrame } from "@chargemesh/ocpp/frame";
import { v16, v201 } from "@chargemesh/ocpp/version";
import { describe, expect, test } from "vitest";

describe("what can be read", () => {
  test.each([
    ['[2,"1","Heartbeat",{}]', { kind: "call", id: "1", action: "Heartbeat", payload: {} }],
    ['[2,"1","Heartbeat",null]', { kind: "call", id: "1", action: "Heartbeat", payload: {} }],
    [' [ 2.0, "1", "Authorize", {"idTag":"A"} ]\n', { kind: "call", id: "1", action: "Authorize", payload: { idTag: "A" } }],
    ['[2,"","Heartbeat",{}]', { kind: "call", id: "", action: "Heartbeat", payload: {} }],
    ['[2,"1","__proto__",{}]', { kind: "call", id: "1", action: "__proto__", payload: {} }],
    ['[3,"1",{"status":"Accepted"}]', { kind: "result", id: "1", payload: { status: "Accepted" } }],
    ['[3,"1",null]', { kind: "result", id: "1", payload: {} }],
    ['[4,"1","NotSupported","no",{"a":1}]', { kind: "error", id: "1", code: "NotSupported", description: "no", details: { a: 1 } }],
    ['[4,"1","FormationViolation","",{}]', { kind: "error", id: "1", code: "FormatViolation", description: "", details: {} }],
    ['[4,"1","FormatViolation","",{}]', { kind: "error", id: "1", code: "FormatViolation", description: "", details: {} }],
    [
      '[4,"1","OccurenceConstraintViolation","",{}]',
      { kind: "error", id: "1", code: "OccurrenceConstraintViolation", description: "", details: {} },
    ],
  ])("%s", (text, frame) => {
    expect(parseFrame(text)).toStrictEqual(frame);
  });
});

describe("answers that are not quite as they should be still end the call", () => {
  test.each([
    ['[3,"1"]', { kind: "result", id: "1", payload: undefined }],
    ['[3,"1",{},{}]', { kind: "result", id: "1", payload: undefined }],
    ['[3,"1","Accepted"]', { kind: "result", id: "1", payload: "Accepted" }],
    ['[4,"1"]', { kind: "error", id: "1", code: "GenericError", description: "", details: {} }],
    ['[4,"1",7,8]', { kind: "error", id: "1", code: "GenericError", description: "", details: {} }],
    ['[4,"1","Overheated","hot"]', { kind: "error", id: "1", code: "Overheated", description: "hot", details: {} }],
  ])("%s", (text, frame) => {
    expect(parseFrame(text)).toStrictEqual(frame);
  });
});

const uuid = "c0ffee00-1234-4321-abcd-0123456789ab";
const long = `{${uuid}}`;
const nested = (levels: number) => `[2,"1","DataTransfer",${'{"a":'.repeat(levels)}1${"}".repeat(levels)}]`;

describe("what cannot be read, and how each version answers it", () => {
  test.each([
    ["", undefined, '[4,"-1","RpcFrameworkError","not a JSON array",{}]'],
    ["ping", undefined, '[4,"-1","RpcFrameworkError","not a JSON array",{}]'],
    ["null", undefined, '[4,"-1","RpcFrameworkError","not a JSON array",{}]'],
    ['{"0":2,"1":"1"}', undefined, '[4,"-1","RpcFrameworkError","not a JSON array",{}]'],
    ['[2,"1","Heartbeat",{}', undefined, '[4,"-1","RpcFrameworkError","not a JSON array",{}]'],
    ["[]", undefined, '[4,"-1","RpcFrameworkError","the message type is not a number",{}]'],
    ['["2","1","Heartbeat",{}]', undefined, '[4,"-1","RpcFrameworkError","the message type is not a number",{}]'],
    ["[2]", undefined, '[4,"-1","RpcFrameworkError","the message id cannot be read",{}]'],
    ['[2,7,"Heartbeat",{}]', undefined, '[4,"-1","RpcFrameworkError","the message id cannot be read",{}]'],
    [`[2,"${"x".repeat(256)}","Heartbeat",{}]`, undefined, '[4,"-1","RpcFrameworkError","the message id cannot be read",{}]'],
    [
      `[2,"${long}","Heartbeat",{}]`,
      `[4,"${long}","FormationViolation","the message id is longer than 36 characters",{}]`,
      `[4,"${long}","RpcFrameworkError","the message id is longer than 36 characters",{}]`,
    ],
    ['[2,"1","Heartbeat"]', '[4,"1","ProtocolError","the payload is missing",{}]', '[4,"1","ProtocolError","the payload is missing",{}]'],
    [
      '[2,"1","Heartbeat",{},{}]',
      '[4,"1","FormationViolation","a CALL has 4 elements, not 5",{}]',
      '[4,"1","RpcFrameworkError","a CALL has 4 elements, not 5",{}]',
    ],
    ['[2,"1",{},{}]', '[4,"1","ProtocolError","the action is not a string",{}]', '[4,"1","ProtocolError","the action is not a string",{}]'],
    [
      '[2,"1","Heartbeat",[]]',
      '[4,"1","TypeConstraintViolation","the payload must be an object",{}]',
      '[4,"1","TypeConstraintViolation","the payload must be an object",{}]',
    ],
    [
      '[2,"1","Heartbeat","{}"]',
      '[4,"1","TypeConstraintViolation","the payload must be an object",{}]',
      '[4,"1","TypeConstraintViolation","the payload must be an object",{}]',
    ],
    [
      nested(DEPTH_MAX),
      '[4,"1","FormationViolation","the message is nested deeper than 32 levels",{}]',
      '[4,"1","FormatViolation","the message is nested deeper than 32 levels",{}]',
    ],
    ['[5,"1","FormatViolation","",{}]', undefined, '[4,"1","MessageTypeNotSupported","message type 5 is not known",{}]'],
    ["[6]", undefined, '[4,"-1","RpcFrameworkError","the message id cannot be read",{}]'],
    // An answer is never answered.
    ["[3,7,{}]", undefined, undefined],
    ["[4]", undefined, undefined],
    [`[3,"${long}",{}]`, undefined, undefined],
  ])("%s", (text, by16, by201) => {
    const frame = parseFrame(text);
    if (frame.kind !== "unreadable") throw new Error(`read as a ${frame.kind}`);
    expect([v16.refusalOf(frame), v201.refusalOf(frame)]).toEqual([by16, by201]);
  });
});

test("an id may have 36 characters, whatever they take in UTF-16", () => {
  expect(parseFrame(`[2,"${uuid}","Heartbeat",{}]`)).toMatchObject({ kind: "call", id: uuid });
  expect(parseFrame(`[2,"${"🔌".repeat(36)}","Heartbeat",{}]`).kind).toBe("call");
  expect(parseFrame(`[2,"${"🔌".repeat(37)}","Heartbeat",{}]`).kind).toBe("unreadable");
});

test("nesting is read up to its limit, and past any limit it does no harm", () => {
  expect(parseFrame(nested(DEPTH_MAX - 1)).kind).toBe("call");
  expect(parseFrame(nested(100_000))).toMatchObject({ kind: "unreadable", type: "call", id: "1", code: "FormatViolation" });
  expect(parseFrame("[".repeat(100_000)).kind).toBe("unreadable");
  expect(parseFrame(`${"[".repeat(100_000)}${"]".repeat(100_000)}`).kind).toBe("unreadable");
});

test("what is written is what is read", () => {
  expect(callFrame("1", "Reset", { type: "Hard", other: undefined })).toBe('[2,"1","Reset",{"type":"Hard"}]');
  expect(resultFrame("1", { status: "Accepted" })).toBe('[3,"1",{"status":"Accepted"}]');
  expect(errorFrame("1", "InternalError", "")).toBe('[4,"1","InternalError","",{}]');
  expect(errorFrame('a"b', "GenericError", 'say "no"', { a: 1 })).toBe('[4,"a\\"b","GenericError","say \\"no\\"",{"a":1}]');
  expect(parseFrame(callFrame("1", "Reset", { type: "Hard" }))).toMatchObject({ kind: "call", action: "Reset", payload: { type: "Hard" } });
});
