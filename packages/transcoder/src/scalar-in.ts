import type { JsonCursor } from "./json-cursor.ts";
import { byte, invalid } from "./json-cursor.ts";
import type { Overlay } from "./overlay.ts";
import type { EnumType, Scalar } from "./schema.ts";
import type { WireOut } from "./wire-out.ts";
import { wire } from "./wire-out.ts";

/** Takes the values of one type in. Whoever calls it has written the tag. */
export interface ElementIn {
  readonly wire: number;
  /** `null` is a value of this type, and not an absent one. */
  readonly nullable?: true;
  /** Writes the JSON value that stands next. False if it is the default value of the type. Throws a JsonFault. */
  read(input: JsonCursor, out: WireOut, overlay?: Overlay): boolean;
  /** The same for the text of a path variable or a query parameter; types that have no such text have no such function. */
  text?(text: string, out: WireOut): boolean;
}

/** An integer of more digits is out of range whatever its type, and would only cost memory. */
const DIGITS_MAX = 20;

const decimal = /^(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/;
const plainInteger = /^-?(?:0|[1-9][0-9]{0,14})$/;
const base64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/** The scalar types, each in the JSON that proto3 gives it. */
export function scalarIn(scalar: Scalar): ElementIn {
  switch (scalar) {
    case "bool":
      return boolIn;
    case "string":
      return stringIn;
    case "bytes":
      return bytesIn;
    case "double":
      return floating(
        wire.fixed64,
        (value) => value,
        (value, out) => out.double(value),
      );
    case "float":
      return floating(wire.fixed32, Math.fround, (value, out) => out.float(value));
    default:
      return integerIn(scalar);
  }
}

function integerIn(scalar: Exclude<Scalar, "bool" | "string" | "bytes" | "double" | "float">): ElementIn {
  const int32 = [-(2 ** 31), 2 ** 31 - 1] as const;
  const uint32 = [0, 2 ** 32 - 1] as const;
  const int64 = [-(2n ** 63n), 2n ** 63n - 1n] as const;
  const uint64 = [0, 2n ** 64n - 1n] as const;
  switch (scalar) {
    case "int32":
      return integer(wire.varint, int32, (value, out) => out.int32(Number(value)));
    case "uint32":
      return integer(wire.varint, uint32, (value, out) => out.uint32(Number(value)));
    case "sint32":
      return integer(wire.varint, int32, (value, out) => out.uint32(((Number(value) << 1) ^ (Number(value) >> 31)) >>> 0));
    case "fixed32":
      return integer(wire.fixed32, uint32, (value, out) => out.fixed32(Number(value)));
    case "sfixed32":
      return integer(wire.fixed32, int32, (value, out) => out.fixed32(Number(value)));
    case "int64":
      return integer(wire.varint, int64, (value, out) => out.int64(value));
    case "uint64":
      return integer(wire.varint, uint64, (value, out) => out.int64(value));
    case "sint64":
      return integer(wire.varint, int64, (value, out) => out.int64((BigInt(value) << 1n) ^ (BigInt(value) >> 63n)));
    case "fixed64":
      return integer(wire.fixed64, uint64, (value, out) => out.fixed64(value));
    case "sfixed64":
      return integer(wire.fixed64, int64, (value, out) => out.fixed64(value));
  }
}

type Range = readonly [min: number | bigint, max: number | bigint];

function integer(wireType: number, [min, max]: Range, write: (value: number | bigint, out: WireOut) => void): ElementIn {
  const put = (value: number | bigint, out: WireOut): boolean => {
    if (value < min || value > max) throw invalid(`must be between ${min} and ${max}`);
    write(value, out);
    return value !== 0;
  };
  return {
    wire: wireType,
    read: (input, out) => {
      const first = input.next();
      if (first === byte.quote) {
        input.scanString();
        return put(integerOf(input.text()), out);
      }
      if (!startsNumber(first)) throw mismatch(input, "an integer");
      return put(input.scanNumber() ?? integerOf(input.token()), out);
    },
    text: (text, out) => put(integerOf(text), out),
  };
}

/** The integer that a decimal text stands for, exactly: "1.0" and "1e3" are integers too. A number if that is exact, else a bigint. */
function integerOf(text: string): number | bigint {
  if (plainInteger.test(text)) return Number(text) + 0;
  const [, sign, whole = "", fraction = "", exponent = "0"] = decimal.exec(text) ?? [];
  if (sign === undefined) throw invalid("must be an integer");
  const shift = Number(exponent) - fraction.length;
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  if (digits === "") return 0;
  if (digits.length + shift > DIGITS_MAX) throw invalid("is out of range");
  const cut = shift < 0 ? digits.slice(shift) : "";
  if (/[1-9]/.test(cut)) throw invalid("must be an integer");
  const value = BigInt(shift < 0 ? digits.slice(0, shift) || "0" : digits + "0".repeat(shift));
  const signed = sign === "-" ? -value : value;
  return signed >= Number.MIN_SAFE_INTEGER && signed <= Number.MAX_SAFE_INTEGER ? Number(signed) : signed;
}

function floating(wireType: number, round: (value: number) => number, write: (value: number, out: WireOut) => void): ElementIn {
  const put = (value: number, out: WireOut): boolean => {
    write(value, out);
    return !Object.is(round(value), 0);
  };
  const finite = (text: string): number => {
    const value = Number(text);
    if (!Number.isFinite(round(value))) throw invalid("is out of range");
    return value;
  };
  const text = (value: string, out: WireOut): boolean => {
    if (value === "NaN" || value === "Infinity" || value === "-Infinity") return put(Number(value), out);
    if (!decimal.test(value)) throw invalid('must be a number, "NaN", "Infinity" or "-Infinity"');
    return put(finite(value), out);
  };
  return {
    wire: wireType,
    read: (input, out) => {
      const first = input.next();
      if (first === byte.quote) {
        input.scanString();
        return text(input.text(), out);
      }
      if (!startsNumber(first)) throw mismatch(input, "a number");
      return put(input.scanNumber() ?? finite(input.token()), out);
    },
    text,
  };
}

const boolIn: ElementIn = {
  wire: wire.varint,
  read: (input, out) => {
    const value = input.word("true");
    if (!value && !input.word("false")) throw mismatch(input, "true or false");
    out.uint32(value ? 1 : 0);
    return value;
  },
  text: (text, out) => {
    if (text !== "true" && text !== "false") throw invalid("must be true or false");
    out.uint32(text === "true" ? 1 : 0);
    return text === "true";
  },
};

const stringIn: ElementIn = {
  wire: wire.bytes,
  read: (input, out) => {
    if (input.next() !== byte.quote) throw mismatch(input, "a string");
    input.scanString();
    if (input.escaped) out.text(input.text());
    else out.bytes(input.buf, input.start, input.stop);
    return input.stop > input.start;
  },
  text: (text, out) => {
    out.text(text);
    return text !== "";
  },
};

const bytesIn: ElementIn = {
  wire: wire.bytes,
  read: (input, out) => {
    if (input.next() !== byte.quote) throw mismatch(input, "base64 in a string");
    input.scanString();
    return putBase64(input.text(), out);
  },
  text: putBase64,
};

/** Either alphabet, with or without padding. */
function putBase64(text: string, out: WireOut): boolean {
  const padded = text.endsWith("=");
  if (!base64.test(text) || (padded ? text.length % 4 !== 0 : text.length % 4 === 1)) throw invalid("must be base64");
  out.bytes(Buffer.from(text, "base64"));
  return text !== "";
}

/** An enum by name or by number; an unknown number is kept, as proto3 wants. */
export function enumIn(type: EnumType): ElementIn {
  const put = (value: number, out: WireOut): boolean => {
    out.int32(value);
    return value !== 0;
  };
  const numberOf = (name: string): number => {
    const value = type.numbers.get(name);
    if (value === undefined) throw invalid(`must be one of ${[...type.numbers.keys()].join(", ")}`);
    return value;
  };
  const known = (value: number | bigint): number => {
    if (value < -(2 ** 31) || value > 2 ** 31 - 1) throw invalid("is out of range");
    return Number(value);
  };
  return {
    wire: wire.varint,
    read: (input, out) => {
      const first = input.next();
      if (first === byte.quote) {
        input.scanString();
        return put(numberOf(input.text()), out);
      }
      if (!startsNumber(first)) throw mismatch(input, "the name of an enum value");
      return put(known(input.scanNumber() ?? integerOf(input.token())), out);
    },
    text: (text, out) => put(/^-?[0-9]+$/.test(text) ? known(integerOf(text)) : numberOf(text), out),
  };
}

function startsNumber(first: number): boolean {
  return first === byte.minus || (first >= 0x30 && first <= 0x39);
}

/** The fault of a value of another kind than its field's, unless what stands there is no JSON at all. */
export function mismatch(input: JsonCursor, wanted: string): Error {
  const found = input.found();
  input.skip();
  return invalid(`must be ${wanted}, not ${found}`);
}
