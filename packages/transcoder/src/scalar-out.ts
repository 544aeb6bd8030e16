import type { EnumType, Scalar } from "./schema.ts";
import type { WireIn } from "./wire-in.ts";
import { wire } from "./wire-out.ts";

/** Gives the values of one type out. */
export interface ElementOut {
  readonly wire: number;
  /** The JSON of a field that is not on the wire and has no presence. */
  readonly zero: string;
  /** Reads one value and gives its JSON. Throws a RangeError if it has none. */
  json(input: WireIn): string;
}

/** The scalar types, each in the JSON that proto3 gives it: 64-bit integers as strings, bytes as base64, NaN and infinities by name. */
export function scalarOut(scalar: Scalar): ElementOut {
  switch (scalar) {
    case "double":
      return { wire: wire.fixed64, zero: "0", json: (input) => floating(input.double(), String) };
    case "float":
      return { wire: wire.fixed32, zero: "0", json: (input) => floating(input.float(), shortestFloat) };
    case "int32":
      return { wire: wire.varint, zero: "0", json: (input) => String(input.uint32() | 0) };
    case "uint32":
      return { wire: wire.varint, zero: "0", json: (input) => String(input.uint32()) };
    case "sint32":
      return { wire: wire.varint, zero: "0", json: (input) => String(unzigzag(input.uint32())) };
    case "fixed32":
      return { wire: wire.fixed32, zero: "0", json: (input) => String(input.fixed32()) };
    case "sfixed32":
      return { wire: wire.fixed32, zero: "0", json: (input) => String(input.fixed32() | 0) };
    case "bool":
      return { wire: wire.varint, zero: "false", json: (input) => (isSet(input) ? "true" : "false") };
    case "string":
      return { wire: wire.bytes, zero: '""', json: (input) => quoted(input) };
    case "bytes":
      return { wire: wire.bytes, zero: '""', json: (input) => `"${input.bytes().toString("base64")}"` };
    default:
      return integer64(scalar);
  }
}

function integer64(scalar: "int64" | "uint64" | "sint64" | "fixed64" | "sfixed64"): ElementOut {
  const fixed = scalar === "fixed64" || scalar === "sfixed64";
  const signed = scalar !== "uint64" && scalar !== "fixed64";
  return {
    wire: fixed ? wire.fixed64 : wire.varint,
    zero: '"0"',
    json: (input) => {
      if (fixed) input.fixed64();
      else input.varint64();
      if (scalar === "sint64") unzigzag64(input);
      return `"${input.decimal(signed)}"`;
    },
  };
}

/** An enum by name; a number that has none as that number. */
export function enumOut(type: EnumType): ElementOut {
  const names = new Map([...type.names].map(([number, name]) => [number, JSON.stringify(name)]));
  const named = (number: number): string => names.get(number) ?? String(number);
  return { wire: wire.varint, zero: named(0), json: (input) => named(input.uint32() | 0) };
}

function floating(value: number, digits: (value: number) => string): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? '"NaN"' : value > 0 ? '"Infinity"' : '"-Infinity"';
  return Object.is(value, -0) ? "-0" : digits(value);
}

/** The fewest digits that still give the same float, so that 0.1 stays 0.1. */
function shortestFloat(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 24) return String(value);
  for (let precision = 6; precision < 9; precision++) {
    const candidate = Number(value.toPrecision(precision));
    if (Math.fround(candidate) === value) return String(candidate);
  }
  return String(Number(value.toPrecision(9)));
}

function unzigzag(bits: number): number {
  return (bits >>> 1) ^ -(bits & 1);
}

function unzigzag64(input: WireIn): void {
  const mask = -(input.low & 1);
  const low = ((input.low >>> 1) | (input.high << 31)) ^ mask;
  input.high = ((input.high >>> 1) ^ mask) >>> 0;
  input.low = low >>> 0;
}

/** A varint that is a bool: any bit counts. */
function isSet(input: WireIn): boolean {
  input.varint64();
  return (input.low | input.high) !== 0;
}

const plain = new Uint8Array(256).map((_, code) => (code >= 0x20 && code < 0x7f && code !== 0x22 && code !== 0x5c ? 1 : 0));

/** A string in JSON's quotes. Most strings hold nothing to escape, and a look at their bytes is cheaper than the general way. */
export function quoted(input: WireIn): string {
  const { buf } = input;
  const end = input.end();
  let at = input.pos;
  while (at < end && plain[buf[at] ?? 0] === 1) at++;
  if (at < end) return JSON.stringify(input.textTo(end));
  const text = buf.toString("latin1", input.pos, end);
  input.pos = end;
  return `"${text}"`;
}
