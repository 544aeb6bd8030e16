import { fieldIn } from "./field-in.ts";
import type { JsonCursor } from "./json-cursor.ts";
import { byte, invalid, JsonFault, within } from "./json-cursor.ts";
import type { Overlay } from "./overlay.ts";
import { writeOverlay } from "./overlay.ts";
import type { ElementIn } from "./scalar-in.ts";
import { enumIn, mismatch, scalarIn } from "./scalar-in.ts";
import type { EnumType, Field, FieldType, MessageType, TypeRegistry } from "./schema.ts";
import { wellKnownIn } from "./well-known-in.ts";
import type { WireOut } from "./wire-out.ts";
import { wire } from "./wire-out.ts";

/** How one field is taken from JSON to protobuf. */
export interface FieldIn {
  readonly field: Field;
  /** Where it stands in its message. */
  readonly index: number;
  readonly tag: number;
  /** The bytes of its JSON name. */
  readonly key: Buffer;
  /** The message it holds, if it is one message that has fields of its own in JSON. */
  readonly message: MessageIn | undefined;
  /** Writes tag and value of the JSON value that stands next; false if that is a null that means absent. Throws a JsonFault. */
  read(input: JsonCursor, out: WireOut, overlay?: Overlay): boolean;
  /** The same from texts in the URL, one unless the field is repeated. Undefined if the field cannot be given there. */
  readonly fromTexts: ((texts: readonly string[], out: WireOut) => void) | undefined;
}

/** How one message is taken from JSON to protobuf. */
export interface MessageIn {
  readonly type: MessageType;
  /** Its JSON is not an object of its fields, as a Timestamp's is not; then it has no `fields` here. */
  readonly wellKnown: boolean;
  readonly fields: readonly FieldIn[];
  /** By either of their names. */
  readonly byKey: ReadonlyMap<string, FieldIn>;
  /** Writes the message, without its length, from the JSON value that stands next. Throws a JsonFault. */
  content(input: JsonCursor, out: WireOut, overlay?: Overlay): void;
  readonly element: ElementIn;
}

/** The parts of a MessageIn that are special to a well-known type. */
export interface WellKnownIn {
  readonly nullable?: true;
  content(input: JsonCursor, out: WireOut): void;
  textContent?(text: string, out: WireOut): void;
}

export interface Readers {
  message(type: MessageType): MessageIn;
  element(type: FieldType): ElementIn;
  readonly registry: TypeRegistry;
  readonly ignoreUnknown: boolean;
}

/** Makes readers, each once, of the messages in `registry`. With `ignoreUnknown`, members that a message does not have are passed over. */
export function makeReaders(registry: TypeRegistry, ignoreUnknown: boolean): Readers {
  const made = new Map<MessageType, MessageIn>();
  const readers: Readers = {
    registry,
    ignoreUnknown,
    message: (type) => made.get(type) ?? compileMessage(type, readers, made),
    element: (type) => {
      if (type.kind === "scalar") return scalarIn(type.scalar);
      if (type.kind === "message") return readers.message(type).element;
      return type.name === "google.protobuf.NullValue" ? nullValueIn(type) : enumIn(type);
    },
  };
  return readers;
}

function compileMessage(type: MessageType, readers: Readers, made: Map<MessageType, MessageIn>): MessageIn {
  const known = wellKnownIn(type, readers);
  const fields: FieldIn[] = [];
  const byKey = new Map<string, FieldIn>();
  const ofFields: MessageIn["content"] = (input, out, overlay) => readMessage(message, readers.ignoreUnknown, input, out, overlay);
  const content = known?.content ?? ofFields;
  const message: MessageIn = { type, wellKnown: known !== undefined, fields, byKey, content, element: messageElement(content, known) };
  made.set(type, message);
  if (known !== undefined) return message;
  for (const [index, field] of type.fields.entries()) {
    const compiled = fieldIn(field, index, readers);
    fields.push(compiled);
    byKey.set(field.name, compiled);
  }
  // Last, so that where a JSON name is also the name of another field, it is the JSON name that counts.
  for (const field of fields) byKey.set(field.field.jsonName, field);
  return message;
}

function messageElement(content: MessageIn["content"], known: WellKnownIn | undefined): ElementIn {
  const { textContent } = known ?? {};
  const read: ElementIn["read"] = (input, out, overlay) => {
    const at = out.begin();
    content(input, out, overlay);
    out.end(at);
    return true;
  };
  const nullable = known?.nullable === undefined ? {} : { nullable: known.nullable };
  if (textContent === undefined) return { wire: wire.bytes, read, ...nullable };
  const text: ElementIn["text"] = (value, out) => {
    const at = out.begin();
    textContent(value, out);
    out.end(at);
    return true;
  };
  return { wire: wire.bytes, read, text, ...nullable };
}

/** google.protobuf.NullValue: null, or what other enums take. */
function nullValueIn(type: EnumType): ElementIn {
  const plain = enumIn(type);
  return {
    ...plain,
    nullable: true,
    read: (input, out) => (input.word("null") ? plain.text?.("0", out) === true : plain.read(input, out)),
  };
}

/**
 * Reads an object into the fields of `message`, and writes what the URL says of it after that. `inAny` lets an "@type" pass, which was
 * read before.
 */
export function readMessage(
  message: MessageIn,
  ignoreUnknown: boolean,
  input: JsonCursor,
  out: WireOut,
  overlay?: Overlay,
  inAny = false,
): void {
  if (input.next() !== byte.openObject) throw mismatch(input, "an object");
  const seen = new Uint8Array(message.fields.length);
  const chosen = message.type.oneofs.length === 0 ? undefined : (overlay?.chosen.slice() ?? []);
  const done = overlay === undefined ? undefined : new Set<FieldIn>();
  let last = -1;
  for (let more = input.open(byte.openObject, byte.closeObject); more; more = input.more(byte.closeObject)) {
    input.scanString();
    const { start, stop } = input;
    const field = fieldOf(message, input, last + 1);
    input.expect(byte.colon);
    if (field === undefined) {
      passUnknown(message, ignoreUnknown, input, input.buf.toString("utf8", start, stop), inAny);
      continue;
    }
    last = field.index;
    const nested = overlay?.nested.get(field);
    try {
      if (seen[last] === 1) throw invalid("is given twice");
      seen[last] = 1;
      if (!field.read(input, out, nested)) continue;
      if (chosen !== undefined && field.field.oneof >= 0) choose(message.type, chosen, field);
    } catch (error) {
      throw within(input.buf.toString("utf8", start, stop), error);
    }
    if (nested !== undefined) done?.add(field);
  }
  if (overlay !== undefined) writeOverlay(overlay, out, done);
}

/** The field that the key just scanned names. Most callers keep the order of the fields, so `guess` is tried without a look-up. */
function fieldOf(message: MessageIn, input: JsonCursor, guess: number): FieldIn | undefined {
  const expected = message.fields[guess];
  if (expected !== undefined && !input.escaped && isKey(expected.key, input)) return expected;
  return message.byKey.get(input.text());
}

function isKey(key: Buffer, { buf, start, stop }: JsonCursor): boolean {
  if (key.length !== stop - start) return false;
  for (let at = 0; at < key.length; at++) if (key[at] !== buf[start + at]) return false;
  return true;
}

function passUnknown(message: MessageIn, ignoreUnknown: boolean, input: JsonCursor, name: string, inAny: boolean): void {
  input.skip();
  if (ignoreUnknown || (inAny && name === "@type")) return;
  throw within(name, new JsonFault("UNKNOWN_FIELD", `is not a field of ${message.type.name}`));
}

/** Notes that a member of a oneof is set. Throws if another one is. */
export function choose(type: MessageType, chosen: (FieldIn | undefined)[], field: FieldIn): void {
  const { oneof, jsonName } = field.field;
  const other = chosen[oneof];
  if (other !== undefined && other !== field) {
    throw invalid(`cannot be set together with ${other.field.jsonName}: ${type.oneofs[oneof] ?? jsonName} takes one of them`);
  }
  chosen[oneof] = field;
}
