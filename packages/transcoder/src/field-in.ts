import type { JsonCursor } from "./json-cursor.ts";
import { byte, invalid, within } from "./json-cursor.ts";
import type { FieldIn, Readers } from "./json-reader.ts";
import type { ElementIn } from "./scalar-in.ts";
import { mismatch } from "./scalar-in.ts";
import type { Field } from "./schema.ts";
import type { WireOut } from "./wire-out.ts";
import { tagOf, wire } from "./wire-out.ts";

/** Compiles how a field that stands at `index` in its message is taken in. */
export function fieldIn(field: Field, index: number, readers: Readers): FieldIn {
  const element = readers.element(field.type);
  const tag = tagOf(field.number, field.shape === "map" || field.packed ? wire.bytes : element.wire);
  const base = { field, index, tag, key: Buffer.from(field.jsonName) };
  if (field.shape === "map") return { ...base, message: undefined, fromTexts: undefined, read: mapReader(field, tag, element, readers) };
  const { text } = element;
  if (field.shape === "repeated") {
    const fromTexts = text && listWriter(tag, field.packed, text);
    return { ...base, message: undefined, fromTexts, read: listReader(tag, field.packed, element) };
  }
  const put = (out: WireOut, value: () => boolean): void => {
    const at = out.pos;
    out.uint32(tag);
    if (!value() && !field.presence) out.pos = at;
  };
  const message = field.type.kind === "message" ? readers.message(field.type) : undefined;
  return {
    ...base,
    message: message?.wellKnown === false ? message : undefined,
    fromTexts: text && ((texts, out) => put(out, () => text(only(texts), out))),
    read: (input, out, overlay) => {
      if (input.next() === byte.n && element.nullable === undefined && input.word("null")) return false;
      const at = out.pos;
      out.uint32(tag);
      if (!element.read(input, out, overlay) && !field.presence) out.pos = at;
      return true;
    },
  };
}

function only(texts: readonly string[]): string {
  const [text, ...more] = texts;
  if (text === undefined || more.length > 0) throw invalid("may be given once");
  return text;
}

function listReader(tag: number, packed: boolean, element: ElementIn): FieldIn["read"] {
  const readOne = (input: JsonCursor, out: WireOut): void => {
    if (!packed) out.uint32(tag);
    refuseNull(input, element);
    element.read(input, out);
  };
  const readAll = (input: JsonCursor, out: WireOut): void => {
    let index = 0;
    do {
      try {
        readOne(input, out);
      } catch (error) {
        throw within(`[${index}]`, error);
      }
      index++;
    } while (input.more(byte.closeList));
  };
  return (input, out) => {
    const first = input.next();
    if (first === byte.n && input.word("null")) return false;
    if (first !== byte.openList) throw mismatch(input, "a list");
    if (!input.open(byte.openList, byte.closeList)) return true;
    if (!packed) readAll(input, out);
    else {
      out.uint32(tag);
      const at = out.begin();
      readAll(input, out);
      out.end(at);
    }
    return true;
  };
}

/** null in a list or a map is no value, but for the types that have it as one. */
function refuseNull(input: JsonCursor, element: ElementIn): void {
  if (input.next() === byte.n && element.nullable === undefined && input.word("null")) throw invalid("must not be null");
}

function listWriter(tag: number, packed: boolean, text: (text: string, out: WireOut) => boolean) {
  return (texts: readonly string[], out: WireOut): void => {
    if (texts.length === 0) return;
    if (packed) out.uint32(tag);
    const at = packed ? out.begin() : 0;
    for (const value of texts) {
      if (!packed) out.uint32(tag);
      text(value, out);
    }
    if (packed) out.end(at);
  };
}

const integerKey = /^-?[0-9]+$/;

function mapReader(field: Field, tag: number, element: ElementIn, readers: Readers): FieldIn["read"] {
  const keyType = field.keyType?.scalar ?? "string";
  const key = readers.element({ kind: "scalar", scalar: keyType });
  const keyTag = tagOf(1, key.wire);
  const valueTag = tagOf(2, element.wire);
  const readEntry = (input: JsonCursor, out: WireOut, name: string): void => {
    out.uint32(tag);
    const at = out.begin();
    out.uint32(keyTag);
    if (keyType !== "string" && keyType !== "bool" && !integerKey.test(name)) throw invalid("the key must be an integer");
    key.text?.(name, out);
    out.uint32(valueTag);
    refuseNull(input, element);
    element.read(input, out);
    out.end(at);
  };
  return (input, out) => {
    const first = input.next();
    if (first === byte.n && input.word("null")) return false;
    if (first !== byte.openObject) throw mismatch(input, "an object");
    if (!input.open(byte.openObject, byte.closeObject)) return true;
    const seen = new Set<string>();
    do {
      input.scanString();
      const name = input.text();
      input.expect(byte.colon);
      try {
        if (seen.has(name)) throw invalid("is given twice");
        seen.add(name);
        readEntry(input, out, name);
      } catch (error) {
        throw within(`[${JSON.stringify(name)}]`, error);
      }
    } while (input.more(byte.closeObject));
    return true;
  };
}
