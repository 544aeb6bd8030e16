import { byte, invalid, JsonCursor, JsonFault, within } from "./json-cursor.ts";
import type { MessageIn, Readers, WellKnownIn } from "./json-reader.ts";
import { readMessage } from "./json-reader.ts";
import { mismatch, scalarIn } from "./scalar-in.ts";
import type { MessageType, Scalar } from "./schema.ts";
import type { SecondsAndNanos } from "./well-known-text.ts";
import { parseDuration, parseFieldMask, parseTimestamp } from "./well-known-text.ts";
import type { WireOut } from "./wire-out.ts";
import { tagOf, wire } from "./wire-out.ts";

/** The messages that have one field "value", and its bare value for JSON. */
export const wrappers: ReadonlyMap<string, Scalar> = new Map<string, Scalar>([
  ["google.protobuf.DoubleValue", "double"],
  ["google.protobuf.FloatValue", "float"],
  ["google.protobuf.Int64Value", "int64"],
  ["google.protobuf.UInt64Value", "uint64"],
  ["google.protobuf.Int32Value", "int32"],
  ["google.protobuf.UInt32Value", "uint32"],
  ["google.protobuf.BoolValue", "bool"],
  ["google.protobuf.StringValue", "string"],
  ["google.protobuf.BytesValue", "bytes"],
]);

/** What is special about the JSON of a message of Google's; undefined for all others. */
export function wellKnownIn(type: MessageType, readers: Readers): WellKnownIn | undefined {
  const scalar = wrappers.get(type.name);
  if (scalar !== undefined) return wrapperIn(scalar);
  switch (type.name) {
    case "google.protobuf.Timestamp":
      return timeIn(parseTimestamp, "must be a time as in RFC 3339, such as 2026-01-31T12:00:00Z");
    case "google.protobuf.Duration":
      return timeIn(parseDuration, 'must be a duration in seconds, such as "1.5s"');
    case "google.protobuf.FieldMask":
      return textIn(putFieldMask);
    case "google.protobuf.Struct":
      return jsonIn(readStruct);
    case "google.protobuf.ListValue":
      return jsonIn(readList);
    case "google.protobuf.Value":
      return { nullable: true, ...jsonIn(readValue) };
    case "google.protobuf.Any":
      return { content: (input, out) => readAny(readers, input, out) };
    default:
      return undefined;
  }
}

function wrapperIn(scalar: Scalar): WellKnownIn {
  const value = scalarIn(scalar);
  const put = (out: WireOut, write: () => boolean | undefined): void => {
    const at = out.pos;
    out.uint32(tagOf(1, value.wire));
    if (write() !== true) out.pos = at;
  };
  return {
    content: (input, out) => put(out, () => value.read(input, out)),
    textContent: (text, out) => put(out, () => value.text?.(text, out)),
  };
}

/** A type whose JSON is a string. */
function textIn(put: (text: string, out: WireOut) => void): WellKnownIn {
  return {
    content: (input, out) => {
      if (input.next() !== byte.quote) throw mismatch(input, "a string");
      input.scanString();
      put(input.text(), out);
    },
    textContent: put,
  };
}

function timeIn(parse: (text: string) => SecondsAndNanos | undefined, rule: string): WellKnownIn {
  return textIn((text, out) => {
    const value = parse(text);
    if (value === undefined) throw invalid(rule);
    if (value.seconds !== 0) {
      out.uint32(tagOf(1, wire.varint));
      out.int64(value.seconds);
    }
    if (value.nanos !== 0) {
      out.uint32(tagOf(2, wire.varint));
      out.int32(value.nanos);
    }
  });
}

function putFieldMask(text: string, out: WireOut): void {
  const paths = parseFieldMask(text);
  if (paths === undefined) throw invalid("must be the names of fields, separated by commas");
  for (const path of paths) {
    out.uint32(tagOf(1, wire.bytes));
    out.text(path);
  }
}

/** A type that takes JSON as it is; in a URL, the text of that JSON. */
function jsonIn(content: (input: JsonCursor, out: WireOut) => void): WellKnownIn {
  return {
    content,
    textContent: (text, out) => {
      const input = new JsonCursor(Buffer.from(text));
      try {
        content(input, out);
        input.finish();
      } catch (error) {
        throw error instanceof JsonFault ? invalid("must be JSON") : error;
      }
    },
  };
}

const double = scalarIn("double");
const bool = scalarIn("bool");

/** A google.protobuf.Value, without its length. */
function readValue(input: JsonCursor, out: WireOut): void {
  switch (input.next()) {
    case byte.quote:
      input.scanString();
      out.uint32(tagOf(3, wire.bytes));
      out.text(input.text());
      return;
    case byte.openObject:
      nest(5, out, () => readStruct(input, out));
      return;
    case byte.openList:
      nest(6, out, () => readList(input, out));
      return;
  }
  if (input.word("null")) {
    out.uint32(tagOf(1, wire.varint));
    out.uint32(0);
  } else if (input.buf[input.pos] === byte.t || input.buf[input.pos] === byte.f) {
    out.uint32(tagOf(4, bool.wire));
    bool.read(input, out);
  } else {
    input.scanNumber();
    input.pos = input.start;
    out.uint32(tagOf(2, double.wire));
    double.read(input, out);
  }
}

function readStruct(input: JsonCursor, out: WireOut): void {
  if (input.next() !== byte.openObject) throw mismatch(input, "an object");
  const seen = new Set<string>();
  for (let more = input.open(byte.openObject, byte.closeObject); more; more = input.more(byte.closeObject)) {
    input.scanString();
    const name = input.text();
    input.expect(byte.colon);
    try {
      if (seen.has(name)) throw invalid("is given twice");
      seen.add(name);
      nest(1, out, () => {
        out.uint32(tagOf(1, wire.bytes));
        out.text(name);
        nest(2, out, () => readValue(input, out));
      });
    } catch (error) {
      throw within(`[${JSON.stringify(name)}]`, error);
    }
  }
}

function readList(input: JsonCursor, out: WireOut): void {
  if (input.next() !== byte.openList) throw mismatch(input, "a list");
  let index = 0;
  for (let more = input.open(byte.openList, byte.closeList); more; more = input.more(byte.closeList)) {
    try {
      nest(1, out, () => readValue(input, out));
    } catch (error) {
      throw within(`[${index}]`, error);
    }
    index++;
  }
}

function nest(fieldNumber: number, out: WireOut, write: () => void): void {
  out.uint32(tagOf(fieldNumber, wire.bytes));
  const at = out.begin();
  write();
  out.end(at);
}

/** An Any is an object of its message's members and "@type", which may stand anywhere in it, so it is looked for first. */
function readAny(readers: Readers, input: JsonCursor, out: WireOut): void {
  if (input.next() !== byte.openObject) throw mismatch(input, "an object");
  const begun = input.pos;
  const url = typeUrl(input);
  if (url === undefined) return;
  const type = url.includes("/") ? readers.registry(url.slice(url.lastIndexOf("/") + 1)) : undefined;
  if (type === undefined) throw within("@type", invalid(`there is no message ${JSON.stringify(url)}`));
  const message = readers.message(type);
  out.uint32(tagOf(1, wire.bytes));
  out.text(url);
  input.pos = begun;
  nest(2, out, () => {
    if (!message.wellKnown) readMessage(message, readers.ignoreUnknown, input, out, undefined, true);
    else readAnyValue(message, readers.ignoreUnknown, input, out);
  });
}

/** The "@type" of the object that stands next. Undefined if the object is empty, which is an Any of nothing. */
function typeUrl(input: JsonCursor): string | undefined {
  let url: string | undefined;
  let empty = true;
  for (let more = input.open(byte.openObject, byte.closeObject); more; more = input.more(byte.closeObject)) {
    empty = false;
    input.scanString();
    const isType = input.text() === "@type";
    input.expect(byte.colon);
    if (!isType) {
      input.skip();
      continue;
    }
    if (url !== undefined) throw within("@type", invalid("is given twice"));
    if (input.next() !== byte.quote) throw within("@type", mismatch(input, "a string"));
    input.scanString();
    url = input.text();
  }
  if (url === undefined && !empty) throw within("@type", invalid("is required"));
  return url;
}

/** Messages whose JSON is no object of fields stand in a member "value" of an Any. */
function readAnyValue(message: MessageIn, ignoreUnknown: boolean, input: JsonCursor, out: WireOut): void {
  let found = false;
  for (let more = input.open(byte.openObject, byte.closeObject); more; more = input.more(byte.closeObject)) {
    input.scanString();
    const name = input.text();
    input.expect(byte.colon);
    if (name === "value") {
      if (found) throw within("value", invalid("is given twice"));
      found = true;
      try {
        message.content(input, out);
      } catch (error) {
        throw within("value", error);
      }
    } else {
      input.skip();
      if (!ignoreUnknown && name !== "@type") throw within(name, new JsonFault("UNKNOWN_FIELD", `is not a field of ${message.type.name}`));
    }
  }
  if (!found) throw within("value", invalid("is required"));
}
