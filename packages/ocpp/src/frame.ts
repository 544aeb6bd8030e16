import { type ErrorCode, type Problem, problem, readErrorCode } from "./call-error.ts";
import { characters } from "./characters.ts";

/** Both versions: to allow for GUIDs (OCPP-J 1.6 section 4.1.4; 2.0.1 part 4, section 4.1.4). */
export const MESSAGE_ID_CHARACTERS_MAX = 36;

/** A longer id is still echoed in the refusal, so that its sender can tell which CALL it was, up to here. */
const ECHOED_ID_CHARACTERS_MAX = 255;

/** 2.0.1 needs 13 levels for a charging profile with a tariff; the rest is for customData and DataTransfer. What recurses may trust it. */
export const DEPTH_MAX = 32;

const CALL = 2;
const CALLRESULT = 3;
const CALLERROR = 4;

/** One OCPP-J message, or what is wrong with it. */
export type Frame = Call | Result | CallError | Unreadable;

export interface Call {
  readonly kind: "call";
  readonly id: string;
  readonly action: string;
  /** `null` and `{}` are the two notations of an empty payload; both are `{}` here. */
  readonly payload: object;
}

export interface Result {
  readonly kind: "result";
  readonly id: string;
  /** An object, if the charger keeps to OCPP: check it against the request's action. */
  readonly payload: unknown;
}

export interface CallError {
  readonly kind: "error";
  readonly id: string;
  /** As 2.0.1 spells it; a word of the charger's own stays as it is. */
  readonly code: ErrorCode | (string & {});
  readonly description: string;
  readonly details: unknown;
}

export interface Unreadable extends Problem {
  readonly kind: "unreadable";
  /** What it is as far as one can tell: a CALL, an answer to ours, another message type, or nothing that can be told. */
  readonly type: "call" | "answer" | "other" | "none";
  /** Present if it could be read. */
  readonly id: string | undefined;
}

/** Reads one message of OCPP-J (1.6: section 4; 2.0.1: part 4, section 4), of either version. Never throws. */
export function parseFrame(text: string): Frame {
  const frame = parseJson(text);
  if (!Array.isArray(frame)) return unreadable("none", undefined, "RpcFrameworkError", "not a JSON array");
  const [type, id]: unknown[] = frame;
  if (typeof type !== "number") return unreadable("none", undefined, "RpcFrameworkError", "the message type is not a number");
  if (!isReadableId(id)) return unreadable(typeOf(type), undefined, "RpcFrameworkError", "the message id cannot be read");
  if (id.length > MESSAGE_ID_CHARACTERS_MAX && characters(id) > MESSAGE_ID_CHARACTERS_MAX) {
    return unreadable(typeOf(type), id, "RpcFrameworkError", `the message id is longer than ${MESSAGE_ID_CHARACTERS_MAX} characters`);
  }
  if (isDeeperThan(frame, DEPTH_MAX)) {
    return unreadable(typeOf(type), id, "FormatViolation", `the message is nested deeper than ${DEPTH_MAX} levels`);
  }
  switch (type) {
    case CALL:
      return readCall(id, frame);
    case CALLRESULT:
      return { kind: "result", id, payload: frame.length === 3 ? (frame[2] ?? {}) : undefined };
    case CALLERROR:
      return readCallError(id, frame);
    default:
      return unreadable("other", id, "MessageTypeNotSupported", `message type ${type} is not known`);
  }
}

/** What is wrong with a message that came in another encoding than UTF-8; `text` is as much of it as could be read. */
export function refuseGarbled(text: string): Unreadable {
  const frame = parseFrame(text);
  if (frame.kind === "unreadable") return frame;
  // What stands for a character that could not be read is in no id.
  const id = frame.id.includes("\ufffd") ? undefined : frame.id;
  return unreadable(frame.kind === "call" ? "call" : "answer", id, "FormatViolation", "the message is not UTF-8");
}

export function callFrame(id: string, action: string, payload: object): string {
  return JSON.stringify([CALL, id, action, payload]);
}

export function resultFrame(id: string, payload: object): string {
  return JSON.stringify([CALLRESULT, id, payload]);
}

/** `code` as the version of the connection spells it: see `Version.refusal`. */
export function errorFrame(id: string, code: string, description: string, details: object = {}): string {
  return JSON.stringify([CALLERROR, id, code, description, details]);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readCall(id: string, frame: unknown[]): Frame {
  const [, , action, payload] = frame;
  // "Payload for Action is incomplete" (1.6: OCPP-J, table 7), "not conform the PDU structure" (2.0.1: part 4, table 8).
  if (frame.length === 3) return unreadable("call", id, "ProtocolError", "the payload is missing");
  if (frame.length !== 4) return unreadable("call", id, "RpcFrameworkError", `a CALL has 4 elements, not ${frame.length}`);
  if (typeof action !== "string") return unreadable("call", id, "ProtocolError", "the action is not a string");
  if (payload === null) return { kind: "call", id, action, payload: {} };
  if (typeof payload !== "object" || Array.isArray(payload)) {
    return unreadable("call", id, "TypeConstraintViolation", "the payload must be an object");
  }
  return { kind: "call", id, action, payload };
}

/** Lenient: whatever else is wrong with it, it says that our CALL failed, and waiting for a better answer is of no use. */
function readCallError(id: string, frame: unknown[]): CallError {
  const [, , code, description, details] = frame;
  const word = typeof code === "string" ? code : "GenericError";
  return {
    kind: "error",
    id,
    code: readErrorCode(word) ?? word,
    description: typeof description === "string" ? description : "",
    details: details ?? {},
  };
}

function unreadable(type: Unreadable["type"], id: string | undefined, code: ErrorCode, description: string): Unreadable {
  return { kind: "unreadable", type, id, ...problem(code, description) };
}

function typeOf(type: number): Unreadable["type"] {
  if (type === CALL) return "call";
  return type === CALLRESULT || type === CALLERROR ? "answer" : "other";
}

function isReadableId(id: unknown): id is string {
  return typeof id === "string" && id.length <= ECHOED_ID_CHARACTERS_MAX;
}

/** Walks what was parsed, since JSON.parse does not recurse: that is cheaper than looking for brackets in the text. */
function isDeeperThan(value: object, levels: number): boolean {
  if (levels === 0) return true;
  for (const inner of Array.isArray(value) ? value : Object.values(value)) {
    if (typeof inner === "object" && inner !== null && isDeeperThan(inner, levels - 1)) return true;
  }
  return false;
}
