import { type DescEnum, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import type { Chance } from "./random.ts";

/**
 * Writes the JSON of random messages, as text, so that every spelling that JSON and proto3 allow occurs: numbers as texts and with
 * exponents, both names of a field, escapes, white space, null for what is not there.
 */
export function randomJson(desc: DescMessage, chance: Chance): string {
  return messageText(desc, chance, 0);
}

const DEPTH_MAX = 4;

function messageText(desc: DescMessage, chance: Chance, depth: number): string {
  const known = wellKnown.get(desc.typeName);
  if (known !== undefined) return known(chance, depth);
  const fields = chance.shuffled(desc.fields).slice(0, depth === 0 ? chance.below(14) : chance.below(4));
  const chosen = new Set<unknown>();
  const members = fields.flatMap((field) => {
    if (field.oneof !== undefined) {
      if (chosen.has(field.oneof)) return [];
      chosen.add(field.oneof);
    }
    return [
      `${key(chance.once(6) ? field.name : field.jsonName, chance)}${space(chance)}:${space(chance)}${fieldText(field, chance, depth)}`,
    ];
  });
  return object(members, chance);
}

function fieldText(field: DescField, chance: Chance, depth: number): string {
  if (chance.once(25)) return "null";
  switch (field.fieldKind) {
    case "scalar":
      return scalarText(field.scalar, chance);
    case "enum":
      return enumText(field.enum, chance);
    case "message":
      return depth < DEPTH_MAX ? messageText(field.message, chance, depth + 1) : "null";
    case "list":
      return list(
        few(chance, depth, () => elementText(field, chance, depth)),
        chance,
      );
    case "map": {
      const keys = new Set(few(chance, depth, () => mapKey(field.mapKey, chance)));
      return object(
        [...keys].map((name) => `${key(name, chance)}:${elementText(field, chance, depth)}`),
        chance,
      );
    }
  }
}

function elementText(field: DescField & { fieldKind: "list" | "map" }, chance: Chance, depth: number): string {
  const kind = field.fieldKind === "list" ? field.listKind : field.mapKind;
  if (kind === "scalar") return scalarText(field.scalar ?? ScalarType.STRING, chance);
  if (kind === "enum" && field.enum !== undefined) return enumText(field.enum, chance);
  return field.message === undefined ? "null" : messageText(field.message, chance, depth + 1);
}

function few<T>(chance: Chance, depth: number, make: () => T): T[] {
  return Array.from({ length: depth < DEPTH_MAX ? chance.below(4) : 0 }, make);
}

const int32 = ["0", "1", "-1", "2147483647", "-2147483648", "100", "-0", "7e2", "12.0", "-2.5e1", "0e5"];
const uint32 = ["0", "1", "4294967295", "2147483648", "100", "7e2", "3.0"];
const int64 = ["0", "1", "-1", "9223372036854775807", "-9223372036854775808", "9007199254740991", "-9007199254740991", "100", "1e15"];
const uint64 = ["0", "1", "18446744073709551615", "9223372036854775808", "9007199254740991", "100", "1e15"];
const double = [
  "0",
  "-0",
  "1.5",
  "-2.25e-3",
  "1e308",
  "5e-324",
  "0.1",
  "3.4028235e38",
  "123456789.125",
  "1E+2",
  '"NaN"',
  '"Infinity"',
  '"-Infinity"',
];
const float = [
  "0",
  "-0",
  "1.5",
  "0.1",
  "3.4028235e38",
  "-3.4028234663852886e38",
  "1e-45",
  "16777217",
  "1e10",
  '"NaN"',
  '"Infinity"',
  '"-Infinity"',
];

function scalarText(scalar: ScalarType, chance: Chance): string {
  switch (scalar) {
    case ScalarType.STRING:
      return text(randomText(chance), chance);
    case ScalarType.BYTES:
      return bytesText(chance);
    case ScalarType.BOOL:
      return chance.pick(["true", "false"]);
    case ScalarType.DOUBLE:
      return chance.once(2) ? String((chance.below(2 ** 31) - 2 ** 30) / 2 ** chance.below(40)) : maybeQuoted(chance.pick(double), chance);
    case ScalarType.FLOAT:
      return chance.once(2) ? String((chance.below(2 ** 20) - 2 ** 19) / 2 ** chance.below(20)) : maybeQuoted(chance.pick(float), chance);
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return long(chance.once(2) ? chance.pick(int64) : String(BigInt.asIntN(64, randomBits(chance))), chance);
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return long(chance.once(2) ? chance.pick(uint64) : String(BigInt.asUintN(64, randomBits(chance))), chance);
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return maybeQuoted(chance.once(2) ? chance.pick(uint32) : String(chance.below(2 ** 32)), chance);
    default:
      return maybeQuoted(chance.once(2) ? chance.pick(int32) : String(chance.below(2 ** 32) - 2 ** 31), chance);
  }
}

const randomBits = (chance: Chance): bigint => (BigInt(chance.below(2 ** 32)) << 32n) | BigInt(chance.below(2 ** 32));

/** A number that a double cannot hold is only exact as a text for every codec; ours takes it either way (see the deviations). */
function long(digits: string, chance: Chance): string {
  const isPlain = /^-?\d+$/.test(digits);
  if (!isPlain || !Number.isSafeInteger(Number(digits))) return isPlain ? `"${digits}"` : digits;
  return maybeQuoted(digits, chance);
}

const maybeQuoted = (digits: string, chance: Chance): string => (digits.startsWith('"') || chance.once(2) ? digits : `"${digits}"`);

function enumText(desc: DescEnum, chance: Chance): string {
  if (desc.typeName === "google.protobuf.NullValue") return chance.pick(["null", '"NULL_VALUE"', "0"]);
  const value = chance.pick(desc.values);
  return chance.pick([`"${value.name}"`, String(value.number), `"${value.name}"`, "12345", "-7"]);
}

function mapKey(scalar: ScalarType, chance: Chance): string {
  if (scalar === ScalarType.STRING) return randomText(chance);
  if (scalar === ScalarType.BOOL) return chance.pick(["true", "false"]);
  for (;;) {
    const digits = scalarText(scalar, chance).replaceAll('"', "");
    if (/^(?:0|-?[1-9]\d*)$/.test(digits)) return digits;
  }
}

const alphabets = ["abcdefghijklmnopqrstuvwxyz", "ABC 012 _-./:", 'é"\\\u0000\n\t\u001f\u007f', "ß漢字😀\u2028\ufeff\ufffd"];

function randomText(chance: Chance): string {
  const alphabet = [...chance.pick(alphabets)];
  return Array.from({ length: chance.below(chance.once(8) ? 200 : 9) }, () => chance.pick(alphabet)).join("");
}

function text(value: string, chance: Chance): string {
  const json = JSON.stringify(value);
  if (!chance.once(6)) return json;
  return `"${[...json.slice(1, -1)].map((one) => (/^[a-zA-Z]$/.test(one) && !json.includes("\\") && chance.once(2) ? escaped(one) : one)).join("")}"`;
}

const escaped = (one: string): string => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`;

const key = (name: string, chance: Chance): string => text(name, chance);

function bytesText(chance: Chance): string {
  const bytes = Buffer.from(Array.from({ length: chance.below(chance.once(10) ? 100 : 6) }, () => chance.below(256)));
  const base64 = chance.once(2) ? bytes.toString("base64") : bytes.toString("base64url");
  return `"${chance.once(4) ? base64.replaceAll("=", "") : base64}"`;
}

const space = (chance: Chance): string => (chance.once(12) ? chance.pick([" ", "\n", "\t", "\r\n  "]) : "");

const list = (elements: readonly string[], chance: Chance): string =>
  `[${space(chance)}${elements.join(`${space(chance)},`)}${space(chance)}]`;

const object = (members: readonly string[], chance: Chance): string =>
  `{${space(chance)}${members.join(`,${space(chance)}`)}${space(chance)}}`;

const pad = (value: number, digits: number): string => String(value).padStart(digits, "0");

function timestamp(chance: Chance): string {
  const date = `${pad(chance.pick([1, 4, 100, 1583, 1969, 1970, 2000, 2024, 2026, 9999]), 4)}-${pad(1 + chance.below(12), 2)}-${pad(1 + chance.below(28), 2)}`;
  const time = `${pad(chance.below(24), 2)}:${pad(chance.below(60), 2)}:${pad(chance.below(60), 2)}`;
  const zone =
    chance.once(3) && !/^(?:0001|9999)/.test(date)
      ? `${chance.pick(["+", "-"])}${pad(chance.below(24), 2)}:${pad(chance.below(60), 2)}`
      : "Z";
  return `"${date}T${time}${fraction(chance)}${zone}"`;
}

function fraction(chance: Chance): string {
  if (chance.once(2)) return "";
  return `.${Array.from({ length: 1 + chance.below(9) }, () => chance.below(10)).join("")}`;
}

const duration = (chance: Chance): string =>
  `"${chance.pick(["", "-"])}${chance.pick(["0", "1", "59", "315575999999", String(chance.below(2 ** 31))])}${fraction(chance)}s"`;

const words = ["a", "fooBar", "aB.cD", "x.y", "name1", "veryLongNameOfAField"];
const fieldMask = (chance: Chance): string => `"${Array.from({ length: chance.below(4) }, () => chance.pick(words)).join(",")}"`;

function value(chance: Chance, depth: number): string {
  const kinds = [
    () => "null",
    () => chance.pick(["true", "false"]),
    () => chance.pick(["0", "-1.5e3", "1e-7", "123456789012345680"]),
    () => text(randomText(chance), chance),
  ];
  if (depth >= DEPTH_MAX) return chance.pick(kinds)();
  return chance.pick([...kinds, () => struct(chance, depth + 1), () => listValue(chance, depth + 1)])();
}

function struct(chance: Chance, depth: number): string {
  const names = new Set(Array.from({ length: chance.below(4) }, () => randomText(chance)));
  return object(
    [...names].map((name) => `${key(name, chance)}:${value(chance, depth)}`),
    chance,
  );
}

const listValue = (chance: Chance, depth: number): string =>
  list(
    Array.from({ length: chance.below(4) }, () => value(chance, depth)),
    chance,
  );

function any(chance: Chance): string {
  const url = "type.googleapis.com/";
  return chance.pick([
    () => "{}",
    () => `{"@type":"${url}google.protobuf.Duration","value":${duration(chance)}}`,
    () => `{"value":${value(chance, DEPTH_MAX)},"@type":"${url}google.protobuf.Value"}`,
    () => `{"@type":"${url}google.protobuf.Int64Value","value":${scalarText(ScalarType.INT64, chance)}}`,
    () => `{"@type":"${url}google.protobuf.Empty"}`,
    () => `{"@type":"example.org/x/every.v1.Everything.Nested","name":${text(randomText(chance), chance)}}`,
    () => `{"count":3,"deeper":{},"@type":"${url}every.v1.Everything.Nested"}`,
    () => `{"@type":"${url}google.protobuf.Any","value":{"@type":"${url}google.protobuf.Timestamp","value":${timestamp(chance)}}}`,
  ])();
}

const wrapper = (scalar: ScalarType) => (chance: Chance) => scalarText(scalar, chance);

const wellKnown = new Map<string, (chance: Chance, depth: number) => string>(
  Object.entries({
    Timestamp: timestamp,
    Duration: duration,
    FieldMask: fieldMask,
    Value: value,
    Struct: struct,
    ListValue: listValue,
    Any: any,
    DoubleValue: wrapper(ScalarType.DOUBLE),
    FloatValue: wrapper(ScalarType.FLOAT),
    Int64Value: wrapper(ScalarType.INT64),
    UInt64Value: wrapper(ScalarType.UINT64),
    Int32Value: wrapper(ScalarType.INT32),
    UInt32Value: wrapper(ScalarType.UINT32),
    BoolValue: wrapper(ScalarType.BOOL),
    StringValue: wrapper(ScalarType.STRING),
    BytesValue: wrapper(ScalarType.BYTES),
  }).map(([name, make]) => [`google.protobuf.${name}`, make]),
);
