import { createRequire } from "node:module";
import type { Sender } from "@chargemesh/ocpp/catalogue";
import { type Version, v16, v201 } from "@chargemesh/ocpp/version";
import { describe, expect, test } from "vitest";
import { dereference, readSchemas, type Schema } from "../build/schemas.ts";
import { validatorsOf } from "../build/write-validators.ts";
import * as tables16 from "../gen/v16-validators.js";
import * as tables201 from "../gen/v201-validators.js";

/** Validators that others made of the same schemas. */
const others: readonly { subprotocol: string; validate(schema: string, payload: unknown): unknown }[] = createRequire(import.meta.url)(
  "ocpp-rpc/lib/standard-validators.js",
);

const versions = [
  // 10 and 19 of edition 2, 4 and 7 of the security whitepaper; DataTransfer goes both ways.
  { version: v16, file: "ocpp1_6", tables: tables16, size: 39, senders: { station: 14, csms: 26 }, moment: "isIso8601" },
  { version: v201, file: "ocpp2_0_1", tables: tables201, size: 64, senders: { station: 25, csms: 40 }, moment: "isRfc3339" },
] as const;

describe.each(versions)("$version.subprotocol", ({ version, file, tables, size, senders, moment }) => {
  const schemas = readSchemas(file, version.catalogue);
  const payloads = { req: schemas.requests, conf: schemas.responses };
  const cases = Object.entries(payloads).flatMap(([kind, byAction]) =>
    Object.entries(byAction).map(([action, schema]) => ({ kind, action, schema: dereference(schema, schemas.definitions) })),
  );

  test("every row has a schema and a validator both ways, and nothing else has", () => {
    const actions = Object.keys(version.catalogue).sort();
    expect(actions).toHaveLength(size);
    for (const table of [schemas.requests, schemas.responses, tables.requests, tables.responses]) {
      expect(Object.keys(table).sort()).toEqual(actions);
    }
  });

  test("each side sends as many as the specification says", () => {
    const sentBy = (sender: Sender) => Object.keys(version.catalogue).filter((action) => version.checkSender(sender, action) === undefined);
    expect({ station: sentBy("station").length, csms: sentBy("csms").length }).toEqual(senders);
  });

  test("a catalogue that differs from the schemas is not built", () => {
    const { Heartbeat, ...rest } = version.catalogue;
    expect(() => readSchemas(file, rest)).toThrow("only in the schemas: Heartbeat");
    expect(() => readSchemas(file, { ...rest, Heartbeat, HeartBeat: Heartbeat })).toThrow("HeartBeat");
  });

  test("what is built is the same each time", () => {
    expect(validatorsOf(schemas, moment)).toBe(validatorsOf(readSchemas(file, version.catalogue), moment));
  });

  test.each(cases)("$action $kind takes what others take", ({ kind, action, schema }) => {
    for (const payload of [sample(schema, false), sample(schema, true)]) {
      expect(othersTake(version, action, kind, payload)).toBe(true);
      expect(check(version, action, kind, payload)).toBeUndefined();
    }
  });

  test.each(cases)("$action $kind refuses each single fault, as others do", ({ kind, action, schema }) => {
    for (const [fault, payload] of faults(schema, sample(schema, true))) {
      expect(othersTake(version, action, kind, payload), fault).toBe(false);
      expect(check(version, action, kind, payload)?.code, fault).toBe(codes[fault] ?? unknownField[version.subprotocol]);
    }
  });
});

const codes: Record<string, string> = {
  missing: "OccurrenceConstraintViolation",
  few: "OccurrenceConstraintViolation",
  many: "OccurrenceConstraintViolation",
  type: "TypeConstraintViolation",
  value: "PropertyConstraintViolation",
};

const unknownField: Record<string, string> = { "ocpp1.6": "FormatViolation", "ocpp2.0.1": "ProtocolError" };

function check(version: Version, action: string, kind: string, payload: unknown) {
  return kind === "req" ? version.checkRequest(action, payload) : version.checkResponse(action, payload);
}

function othersTake(version: Version, action: string, kind: string, payload: unknown): boolean {
  const validator = others.find((other) => other.subprotocol === version.subprotocol);
  if (validator === undefined) throw new Error(`no other validator of ${version.subprotocol}`);
  try {
    validator.validate(`urn:${action}.${kind}`, payload);
    return true;
  } catch (fault) {
    // A missing schema would be a ProtocolError.
    expect((fault as { rpcErrorCode: string }).rpcErrorCode).toMatch(/Violation$/);
    return false;
  }
}

/** A payload that the schema allows: with every field, or with the required ones alone. */
function sample(schema: Schema, whole: boolean): unknown {
  switch (schema.type) {
    case "object": {
      const names = whole ? Object.keys(schema.properties ?? {}) : (schema.required ?? []);
      return Object.fromEntries(names.map((name) => [name, sample(schema.properties?.[name] ?? {}, whole)]));
    }
    case "array":
      return [sample(schema.items ?? {}, whole)];
    case "string":
      if (schema.enum !== undefined) return schema.enum.at(-1);
      if (schema.format !== undefined) return schema.format === "uri" ? "ftp://example.org/file" : "2026-11-22T19:30:00.5+01:00";
      return "x".repeat(Number(schema.maxLength ?? 1));
    case "boolean":
      return false;
    default:
      return Number(schema.maximum ?? schema.minimum ?? 1);
  }
}

type Fault = [fault: string, value: unknown];

/** The payload with one thing wrong with it, for every thing that can be. */
function* faults(schema: Schema, value: unknown): Generator<Fault> {
  if (schema.type === undefined) return;
  yield ["type", schema.type === "string" ? 7 : "seven"];
  if (schema.type === "object") yield* faultsOfObject(schema, value as Record<string, unknown>);
  else if (schema.type === "array") yield* faultsOfArray(schema, value as unknown[]);
  else yield* faultsOfLeaf(schema);
}

function* faultsOfObject({ properties = {}, required, additionalProperties }: Schema, value: Record<string, unknown>): Generator<Fault> {
  if (additionalProperties === false) yield ["unknown", { ...value, unknownField: 1 }];
  for (const [name, property] of Object.entries(properties)) {
    const { [name]: own, ...rest } = value;
    if (required?.includes(name)) yield ["missing", rest];
    for (const [fault, inner] of faults(property, own)) yield [fault, { ...value, [name]: inner }];
  }
}

function* faultsOfArray({ items = {}, minItems, maxItems }: Schema, value: unknown[]): Generator<Fault> {
  if (minItems !== undefined) yield ["few", []];
  if (maxItems !== undefined) yield ["many", Array(Number(maxItems) + 1).fill(value[0])];
  for (const [fault, inner] of faults(items, value[0])) yield [fault, [inner]];
}

function* faultsOfLeaf(schema: Schema): Generator<Fault> {
  if (schema.type === "integer") yield ["type", 1.5];
  if (schema.enum !== undefined) yield ["value", "Nonsense"];
  if (schema.format !== undefined) yield ["value", "never"];
  if (schema.maxLength !== undefined) yield ["value", "x".repeat(Number(schema.maxLength) + 1)];
  if (schema.minimum !== undefined) yield ["value", Number(schema.minimum) - 1];
  if (schema.maximum !== undefined) yield ["value", Number(schema.maximum) + 1];
  if (schema.multipleOf !== undefined) yield ["value", 16.15];
}
