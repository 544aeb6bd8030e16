import type { ElementOut } from "./scalar-out.ts";
import { enumOut, scalarOut } from "./scalar-out.ts";
import type { Field, FieldType, MessageType, TypeRegistry } from "./schema.ts";
import { wellKnownOut } from "./well-known-out.ts";
import { WireIn } from "./wire-in.ts";
import { WireOut, wire } from "./wire-out.ts";

/** Gives one field out. */
export interface FieldOut {
  readonly field: Field;
  readonly index: number;
  /** `"name":`, for the first member of an object and for those after it. */
  readonly firstKey: string;
  readonly nextKey: string;
  /** What the field is when it is not on the wire; undefined if it is left out then. */
  readonly absent: string | undefined;
  /** The brackets of a list or a map; "" around a single value. */
  readonly open: string;
  readonly close: string;
  readonly element: ElementOut;
  /** Reads what stands after a tag of this wire type: one value, an entry of a map, or a packed run. Undefined if it does not fit. */
  read(input: WireIn, wireType: number): string | undefined;
}

/** Gives one message out. */
export interface MessageOut {
  readonly type: MessageType;
  readonly wellKnown: boolean;
  readonly fields: readonly FieldOut[];
  readonly byNumber: ReadonlyMap<number, FieldOut>;
  /** The JSON of the message that lies from here to `end`. Throws a RangeError if it is no such message, or has no JSON. */
  json(input: WireIn, end: number): string;
  readonly element: ElementOut;
}

export interface Writers {
  message(type: MessageType): MessageOut;
  element(type: FieldType): ElementOut;
  readonly registry: TypeRegistry;
}

/**
 * Makes writers, each once, of the messages in `registry`. With `emitDefaults`, fields without presence are given even when they hold
 * their default value, so that a list is always there, be it empty.
 */
export function makeWriters(registry: TypeRegistry, emitDefaults: boolean): Writers {
  const made = new Map<MessageType, MessageOut>();
  const writers: Writers = {
    registry,
    message: (type) => made.get(type) ?? compileMessage(type, writers, emitDefaults, made),
    element: (type) => {
      if (type.kind === "scalar") return scalarOut(type.scalar);
      if (type.kind === "message") return writers.message(type).element;
      return type.name === "google.protobuf.NullValue" ? nullValueOut : enumOut(type);
    },
  };
  return writers;
}

const nullValueOut: ElementOut = {
  wire: wire.varint,
  zero: "null",
  json: (input) => {
    input.varint64();
    return "null";
  },
};

function compileMessage(type: MessageType, writers: Writers, emitDefaults: boolean, made: Map<MessageType, MessageOut>): MessageOut {
  const known = wellKnownOut(type, writers);
  const fields: FieldOut[] = [];
  const byNumber = new Map<number, FieldOut>();
  const json = known ?? ((input: WireIn, end: number) => objectJson(message, input, end));
  const element: ElementOut = {
    wire: wire.bytes,
    zero: "null",
    json: (input) => {
      const end = input.end();
      const value = json(input, end);
      input.pos = end;
      return value;
    },
  };
  const message: MessageOut = { type, wellKnown: known !== undefined, fields, byNumber, json, element };
  made.set(type, message);
  for (const [index, field] of type.fields.entries()) {
    const compiled = compileField(field, index, writers, emitDefaults);
    fields.push(compiled);
    byNumber.set(field.number, compiled);
  }
  return message;
}

function compileField(field: Field, index: number, writers: Writers, emitDefaults: boolean): FieldOut {
  const element = writers.element(field.type);
  const key = `${JSON.stringify(field.jsonName)}:`;
  const [open, close] = { singular: ["", ""], repeated: ["[", "]"], map: ["{", "}"] }[field.shape] as [string, string];
  const absent = !emitDefaults || field.presence ? undefined : field.shape === "singular" ? element.zero : open + close;
  return { field, index, firstKey: key, nextKey: `,${key}`, absent, open, close, element, read: fieldReader(field, element, writers) };
}

function fieldReader(field: Field, element: ElementOut, writers: Writers): FieldOut["read"] {
  if (field.shape === "map") return entryReader(field, element, writers);
  const single: FieldOut["read"] = (input, wireType) => (wireType === element.wire ? element.json(input) : undefined);
  if (field.shape === "singular" || element.wire === wire.bytes) return single;
  return (input, wireType) => {
    if (wireType !== wire.bytes) return single(input, wireType);
    const end = input.end();
    let values = "";
    while (input.pos < end) values += values === "" ? element.json(input) : `,${element.json(input)}`;
    return values;
  };
}

/** An entry of a map as a member of an object. Either half may be missing, and is the default value then. */
function entryReader(field: Field, element: ElementOut, writers: Writers): FieldOut["read"] {
  const key = writers.element(field.keyType ?? { kind: "scalar", scalar: "string" });
  const { type } = field;
  // Asked for late, because a message may hold a map of itself.
  const zero = (): string => (type.kind === "message" ? writers.message(type).json(new WireIn(Buffer.alloc(0)), 0) : element.zero);
  return (input, wireType) => {
    if (wireType !== wire.bytes) return undefined;
    const end = input.end();
    let name = key.zero;
    let value: string | undefined;
    while (input.pos < end) {
      const tag = input.tag();
      if (tag >>> 3 === 1 && (tag & 7) === key.wire) name = key.json(input);
      else if (tag >>> 3 === 2 && (tag & 7) === element.wire) value = element.json(input);
      else input.skip(tag);
    }
    return `${name.startsWith('"') ? name : `"${name}"`}:${value ?? zero()}`;
  };
}

/** The members of a message as the wire has them, by the place of their field; lists and maps without their brackets. */
function membersOf(message: MessageOut, input: WireIn, end: number): (string | undefined)[] {
  const members = new Array<string | undefined>(message.fields.length);
  const begun = input.pos;
  while (input.pos < end) {
    const tag = input.tag();
    const field = message.byNumber.get(tag >>> 3);
    const before = input.pos;
    const json = field?.read(input, tag & 7);
    if (field === undefined || json === undefined) {
      input.pos = before;
      input.skip(tag);
      continue;
    }
    const earlier = members[field.index];
    if (earlier === undefined || field.field.shape !== "singular")
      members[field.index] = earlier ? `${earlier}${json && `,${json}`}` : json;
    else members[field.index] = field.field.type.kind === "message" ? merged(field, input, begun) : json;
    if (field.field.oneof >= 0) dropOthers(message, members, field);
  }
  if (input.pos > end) throw new RangeError("a field is longer than its message");
  return members;
}

/** A single message that the wire holds in pieces is the pieces put together. Encoders hardly ever do that. */
function merged({ field, element }: FieldOut, input: WireIn, begun: number): string {
  const pieces: Buffer[] = [];
  const again = new WireIn(input.buf, begun);
  while (again.pos < input.pos) {
    const tag = again.tag();
    if (tag >>> 3 === field.number && (tag & 7) === wire.bytes) pieces.push(again.bytes());
    else again.skip(tag);
  }
  const content = Buffer.concat(pieces);
  const out = new WireOut();
  out.bytes(content);
  return element.json(new WireIn(out.take()));
}

/** Of a oneof, the member that comes last is the one that is set. */
function dropOthers(message: MessageOut, members: (string | undefined)[], { field }: FieldOut): void {
  for (const other of message.fields) {
    if (other.field.oneof === field.oneof && other.field !== field) members[other.index] = undefined;
  }
}

function objectJson(message: MessageOut, input: WireIn, end: number): string {
  const members = membersOf(message, input, end);
  let json = "{";
  for (const field of message.fields) {
    const member = members[field.index];
    const value = member === undefined ? field.absent : field.open + member + field.close;
    if (value !== undefined) json += (json.length === 1 ? field.firstKey : field.nextKey) + value;
  }
  return `${json}}`;
}

/** The JSON of one field of a message, whether it is there or not; a message that is not there is null. */
export function fieldJson(message: MessageOut, field: FieldOut, input: WireIn, end: number): string {
  const member = membersOf(message, input, end)[field.index];
  if (member !== undefined) return field.open + member + field.close;
  return field.field.shape === "singular" ? field.element.zero : field.open + field.close;
}

/** Writes the content of a google.protobuf.Any: its message's members after "@type", or "value" for those that have none. */
export function anyJson(writers: Writers, url: string, content: Buffer): string {
  const type = writers.registry(url.slice(url.lastIndexOf("/") + 1));
  if (type === undefined) throw new RangeError(`there is no message ${url}`);
  const message = writers.message(type);
  const json = message.json(new WireIn(content), content.length);
  const head = `{"@type":${JSON.stringify(url)}`;
  if (message.wellKnown) return `${head},"value":${json}}`;
  return json === "{}" ? `${head}}` : `${head},${json.slice(1)}`;
}
