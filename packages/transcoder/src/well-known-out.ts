import type { MessageOut, Writers } from "./json-writer.ts";
import { anyJson } from "./json-writer.ts";
import { quoted, scalarOut } from "./scalar-out.ts";
import type { MessageType } from "./schema.ts";
import { wrappers } from "./well-known-in.ts";
import type { SecondsAndNanos } from "./well-known-text.ts";
import { formatDuration, formatFieldMask, formatTimestamp } from "./well-known-text.ts";
import type { WireIn } from "./wire-in.ts";
import { wire } from "./wire-out.ts";

type Json = MessageOut["json"];

/** The JSON of a message of Google's that is special; undefined for all others. */
export function wellKnownOut(type: MessageType, writers: Writers): Json | undefined {
  const scalar = wrappers.get(type.name);
  if (scalar !== undefined) return wrapperOut(scalarOut(scalar));
  switch (type.name) {
    case "google.protobuf.Timestamp":
      return timeOut("Timestamp", formatTimestamp);
    case "google.protobuf.Duration":
      return timeOut("Duration", formatDuration);
    case "google.protobuf.FieldMask":
      return fieldMask;
    case "google.protobuf.Struct":
      return struct;
    case "google.protobuf.ListValue":
      return list;
    case "google.protobuf.Value":
      return value;
    case "google.protobuf.Any":
      return anyOut(writers);
    default:
      return undefined;
  }
}

/** Calls `visit` for every field up to `end`; fields that it does not read (false) are skipped. */
function eachField(input: WireIn, end: number, visit: (fieldNumber: number, wireType: number) => boolean): void {
  while (input.pos < end) {
    const tag = input.tag();
    if (!visit(tag >>> 3, tag & 7)) input.skip(tag);
  }
  if (input.pos > end) throw new RangeError("a field is longer than its message");
}

function wrapperOut(element: ReturnType<typeof scalarOut>): Json {
  return (input, end) => {
    let json = element.zero;
    eachField(input, end, (fieldNumber, wireType) => {
      if (fieldNumber !== 1 || wireType !== element.wire) return false;
      json = element.json(input);
      return true;
    });
    return json;
  };
}

function timeOut(name: string, format: (value: SecondsAndNanos) => string | undefined): Json {
  return (input, end) => {
    let seconds = 0;
    let nanos = 0;
    eachField(input, end, (fieldNumber, wireType) => {
      if (wireType !== wire.varint || fieldNumber > 2) return false;
      input.varint64();
      if (fieldNumber === 1) seconds = Number(input.decimal(true));
      else nanos = input.low | 0;
      return true;
    });
    const text = format({ seconds, nanos });
    if (text === undefined) throw new RangeError(`${seconds} s and ${nanos} ns are no ${name}`);
    return `"${text}"`;
  };
}

function fieldMask(input: WireIn, end: number): string {
  const paths: string[] = [];
  eachField(input, end, (fieldNumber, wireType) => {
    if (fieldNumber !== 1 || wireType !== wire.bytes) return false;
    paths.push(input.text());
    return true;
  });
  const text = formatFieldMask(paths);
  if (text === undefined) throw new RangeError(`the field mask ${paths.join(",")} has no JSON`);
  return JSON.stringify(text);
}

const double = scalarOut("double");
const bool = scalarOut("bool");

/** A google.protobuf.Value; one that holds nothing is null. */
function value(input: WireIn, end: number): string {
  let json = "null";
  let last = 0;
  eachField(input, end, (fieldNumber, wireType) => {
    const read = values.get((fieldNumber << 3) | wireType);
    if (read === undefined) return false;
    // Of other members the last one counts, but messages are put together.
    json = fieldNumber === last && fieldNumber >= 5 ? joined(json, read(input)) : read(input);
    last = fieldNumber;
    return true;
  });
  return json;
}

/** Two objects, or two lists, as one. */
function joined(one: string, other: string): string {
  if (one.length === 2 || other.length === 2) return one.length === 2 ? other : one;
  return `${one.slice(0, -1)},${other.slice(1)}`;
}

/** How the members of a Value are read, by tag. */
const values = new Map<number, (input: WireIn) => string>([
  [
    (1 << 3) | wire.varint,
    (input) => {
      input.varint64();
      return "null";
    },
  ],
  [
    (2 << 3) | wire.fixed64,
    (input) => {
      const json = double.json(input);
      if (json.startsWith('"')) throw new RangeError(`a google.protobuf.Value cannot be ${json}`);
      return json;
    },
  ],
  [(3 << 3) | wire.bytes, quoted],
  [(4 << 3) | wire.varint, (input) => bool.json(input)],
  [(5 << 3) | wire.bytes, (input) => struct(input, input.end())],
  [(6 << 3) | wire.bytes, (input) => list(input, input.end())],
]);

function struct(input: WireIn, end: number): string {
  let members = "";
  eachField(input, end, (fieldNumber, wireType) => {
    if (fieldNumber !== 1 || wireType !== wire.bytes) return false;
    let key = '""';
    let member = "null";
    eachField(input, input.end(), (part, partType) => {
      if (partType !== wire.bytes || part > 2) return false;
      if (part === 1) key = quoted(input);
      else member = value(input, input.end());
      return true;
    });
    members += `${members && ","}${key}:${member}`;
    return true;
  });
  return `{${members}}`;
}

function list(input: WireIn, end: number): string {
  let elements = "";
  eachField(input, end, (fieldNumber, wireType) => {
    if (fieldNumber !== 1 || wireType !== wire.bytes) return false;
    elements += `${elements && ","}${value(input, input.end())}`;
    return true;
  });
  return `[${elements}]`;
}

function anyOut(writers: Writers): Json {
  return (input, end) => {
    let url = "";
    let content = Buffer.alloc(0);
    eachField(input, end, (fieldNumber, wireType) => {
      if (wireType !== wire.bytes || fieldNumber > 2) return false;
      if (fieldNumber === 1) url = input.text();
      else content = Buffer.from(input.bytes());
      return true;
    });
    return url === "" ? "{}" : anyJson(writers, url, content);
  };
}
