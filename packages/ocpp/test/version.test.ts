import { parseFrame } from "@chargemesh/ocpp/frame";
import { type Version, v16, v201, versions } from "@chargemesh/ocpp/version";
import { describe, expect, test } from "vitest";

/** What a CSMS answers to a CALL before any handler sees it; undefined if a handler is to. */
function refusalOf(version: Version, text: string): string | undefined {
  const frame = parseFrame(text);
  if (frame.kind !== "call") throw new Error(`read as ${frame.kind}`);
  const problem = version.checkSender("station", frame.action) ?? version.checkRequest(frame.action, frame.payload);
  return problem && version.refusal(frame.id, problem);
}

const meterValues = (sampled: string, timestamp = "2026-11-22T19:30:00Z") =>
  `[2,"1","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"${timestamp}","sampledValue":[${sampled}]}]}]`;

describe("1.6 takes", () => {
  test.each([
    '[2,"1","Heartbeat",{}]',
    '[2,"1","Heartbeat",null]',
    '[2,"1","Authorize",{"idTag":"01234567890123456789"}]',
    '[2,"1","Authorize",{"idTag":"🔌🔌🔌🔌🔌🔌🔌🔌🔌🔌🔌🔌🔌🔌🔌🔌🔌🔌🔌🔌"}]',
    '[2,"1","DataTransfer",{"vendorId":"v","data":"anything"}]',
    '[2,"1","StopTransaction",{"transactionId":-1,"meterStop":0,"timestamp":"2026-11-22T19:30:00+02"}]',
    '[2,"1","StatusNotification",{"connectorId":0,"errorCode":"NoError","status":"Available"}]',
    meterValues('{"value":"20.5","unit":"Celcius"},{"value":"20.5","unit":"Celsius"}'),
    meterValues('{"value":"1"}', "2026-11-22T19:30:00,5+0200"),
  ])("%s", (text) => {
    expect(refusalOf(v16, text)).toBeUndefined();
  });
});

describe("1.6 answers", () => {
  test.each([
    ['[2,"1","Nonsense",{}]', '[4,"1","NotImplemented","Nonsense is not known",{}]'],
    ['[2,"1","heartbeat",{}]', '[4,"1","NotImplemented","heartbeat is not known",{}]'],
    ['[2,"1","TransactionEvent",{}]', '[4,"1","NotImplemented","TransactionEvent is not known",{}]'],
    ['[2,"1","__proto__",{}]', '[4,"1","NotImplemented","__proto__ is not known",{}]'],
    ['[2,"1","constructor",{}]', '[4,"1","NotImplemented","constructor is not known",{}]'],
    ['[2,"1","Reset",{"type":"Hard"}]', '[4,"1","NotSupported","Reset is for chargers to answer",{}]'],
    ['[2,"1","Authorize",{}]', '[4,"1","OccurenceConstraintViolation",".idTag is required",{}]'],
    ['[2,"1","Authorize",null]', '[4,"1","OccurenceConstraintViolation",".idTag is required",{}]'],
    ['[2,"1","Authorize",{"idTag":7}]', '[4,"1","TypeConstraintViolation",".idTag must be a string",{}]'],
    ['[2,"1","Authorize",{"idTag":null}]', '[4,"1","TypeConstraintViolation",".idTag must be a string",{}]'],
    [
      '[2,"1","Authorize",{"idTag":"012345678901234567890"}]',
      '[4,"1","PropertyConstraintViolation",".idTag must be at most 20 characters long",{}]',
    ],
    ['[2,"1","Authorize",{"idTag":"A","tag":"B"}]', '[4,"1","FormationViolation",".tag is not a field of this message",{}]'],
    ['[2,"1","Heartbeat",{"__proto__":{}}]', '[4,"1","FormationViolation",".__proto__ is not a field of this message",{}]'],
    [
      '[2,"1","StatusNotification",{"connectorId":1.5,"errorCode":"NoError","status":"Available"}]',
      '[4,"1","TypeConstraintViolation",".connectorId must be an integer",{}]',
    ],
    [
      '[2,"1","SignedFirmwareStatusNotification",{"status":"Idle","requestId":"7"}]',
      '[4,"1","TypeConstraintViolation",".requestId must be an integer",{}]',
    ],
    [
      '[2,"1","DiagnosticsStatusNotification",{"status":"Lost"}]',
      '[4,"1","PropertyConstraintViolation",".status must be one of Idle, Uploaded, UploadFailed, Uploading",{}]',
    ],
    [meterValues(""), undefined],
    [meterValues("{}"), '[4,"1","OccurenceConstraintViolation",".meterValue[0].sampledValue[0].value is required",{}]'],
    [meterValues('{"value":1}'), '[4,"1","TypeConstraintViolation",".meterValue[0].sampledValue[0].value must be a string",{}]'],
    [
      meterValues('{"value":"1","extra":1}'),
      '[4,"1","FormationViolation",".meterValue[0].sampledValue[0].extra is not a field of this message",{}]',
    ],
    [
      meterValues('{"value":"1"}', "2026-02-30T00:00:00Z"),
      '[4,"1","PropertyConstraintViolation",".meterValue[0].timestamp must be a valid date-time",{}]',
    ],
    [
      meterValues('{"value":"1"}', "2026-11-22T19:30:00"),
      '[4,"1","PropertyConstraintViolation",".meterValue[0].timestamp must be a valid date-time",{}]',
    ],
    ['[2,"1","MeterValues",{"connectorId":1,"meterValue":{}}]', '[4,"1","TypeConstraintViolation",".meterValue must be an array",{}]'],
  ])("%s → %s", (text, answer) => {
    expect(refusalOf(v16, text)).toBe(answer);
  });
});

describe("2.0.1 answers", () => {
  const idToken = (more = "") => `[2,"1","Authorize",{"idToken":{"idToken":"A","type":"Central"${more}}}]`;
  test.each([
    [idToken(), undefined],
    [idToken(',"customData":{"vendorId":"v","anything":[{}]}'), undefined],
    ['[2,"1","DataTransfer",{"vendorId":"v","data":{"any":["thing"]}}]', undefined],
    ['[2,"1","StartTransaction",{}]', '[4,"1","NotImplemented","StartTransaction is not known",{}]'],
    ['[2,"1","GetVariables",{}]', '[4,"1","NotSupported","GetVariables is for chargers to answer",{}]'],
    ['[2,"1","Authorize",{}]', '[4,"1","OccurrenceConstraintViolation",".idToken is required",{}]'],
    [idToken(',"tag":1'), '[4,"1","ProtocolError",".idToken.tag is not a field of this message",{}]'],
    [idToken(',"additionalInfo":[]'), '[4,"1","OccurrenceConstraintViolation",".idToken.additionalInfo must have at least 1 item",{}]'],
    [idToken(',"customData":{}'), '[4,"1","OccurrenceConstraintViolation",".idToken.customData.vendorId is required",{}]'],
    [
      '[2,"1","Get15118EVCertificate",{"iso15118SchemaVersion":"1","action":"Burn","exiRequest":""}]',
      '[4,"1","PropertyConstraintViolation",".action must be one of Install, Update",{}]',
    ],
    [
      '[2,"1","NotifyEVChargingNeeds",{"evseId":1,"chargingNeeds":{"requestedEnergyTransfer":"DC","dcChargingParameters":{"evMaxCurrent":1,"evMaxVoltage":1,"stateOfCharge":101}}}]',
      '[4,"1","PropertyConstraintViolation",".chargingNeeds.dcChargingParameters.stateOfCharge must be at most 100",{}]',
    ],
    [
      '[2,"1","StatusNotification",{"timestamp":"2026-11-22T19:30:00","connectorStatus":"Available","evseId":1,"connectorId":1}]',
      '[4,"1","PropertyConstraintViolation",".timestamp must be a valid date-time",{}]',
    ],
  ])("%s → %s", (text, answer) => {
    expect(refusalOf(v201, text)).toBe(answer);
  });
});

test("a limit of a tenth of an ampere is taken for what it is", () => {
  const request = (limit: number) => ({
    connectorId: 1,
    csChargingProfiles: {
      chargingProfileId: 1,
      stackLevel: 0,
      chargingProfilePurpose: "TxDefaultProfile",
      chargingProfileKind: "Relative",
      chargingSchedule: { chargingRateUnit: "A", chargingSchedulePeriod: [{ startPeriod: 0, limit }] },
    },
  });
  const tenths = Array.from({ length: 1000 }, (_, i) => Number((i / 10).toFixed(1)));
  expect(tenths.filter((limit) => v16.checkRequest("SetChargingProfile", request(limit)) !== undefined)).toEqual([]);
  expect(v16.checkRequest("SetChargingProfile", request(16.15))).toEqual({
    code: "PropertyConstraintViolation",
    description: ".csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].limit must be a multiple of 0.1",
  });
});

test("where a file is to be put is a URI", () => {
  expect(v16.checkRequest("GetDiagnostics", { location: "ftp://user:secret@example.org/logs/" })).toBeUndefined();
  expect(v16.checkRequest("GetDiagnostics", { location: "somewhere" })?.description).toBe(".location must be a valid uri");
});

test("what a charger answers is checked against what it was asked", () => {
  expect(v16.checkResponse("Reset", { status: "Accepted" })).toBeUndefined();
  expect(v16.checkResponse("UnlockConnector", { status: "Unlocked" })).toBeUndefined();
  expect(v16.checkResponse("Reset", { status: "Unlocked" })?.code).toBe("PropertyConstraintViolation");
  expect(v16.checkResponse("Reset", undefined)).toEqual({ code: "TypeConstraintViolation", description: "the payload must be an object" });
  expect(v16.checkResponse("Reset", [])?.code).toBe("TypeConstraintViolation");
  expect(v201.checkResponse("GetVariables", { getVariableResult: [] })?.code).toBe("OccurrenceConstraintViolation");
  expect(v16.checkResponse("Nonsense", {})?.code).toBe("NotImplemented");
  expect(v16.checkResponse("constructor", {})?.code).toBe("NotImplemented");
});

test("who may send what", () => {
  expect(v16.checkSender("csms", "Reset")).toBeUndefined();
  expect(v16.checkSender("csms", "DataTransfer")).toBeUndefined();
  expect(v16.checkSender("station", "DataTransfer")).toBeUndefined();
  expect(v16.checkSender("csms", "Heartbeat")).toEqual({ code: "NotSupported", description: "Heartbeat is for the CSMS to answer" });
  expect(v16.checkSender("csms", "toString")).toEqual({ code: "NotImplemented", description: "toString is not known" });
});

test("a description ends at 255 characters", () => {
  const description = v16.checkRequest("Heartbeat", { ["🔌".repeat(300)]: 1 })?.description ?? "";
  expect(description.length).toBeLessThanOrEqual(255);
  expect(description.isWellFormed()).toBe(true);
  expect(description.endsWith("…")).toBe(true);
});

test("the best version is the first", () => {
  expect(versions.map((version) => version.subprotocol)).toEqual(["ocpp2.0.1", "ocpp1.6"]);
});
