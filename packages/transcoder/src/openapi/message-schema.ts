import type { Field, FieldType, MessageType } from "../schema.ts";
import type { JsonSchema } from "./document.ts";
import type { FieldTraits, OpenApiOptions } from "./options.ts";
import type { Reflection } from "./reflection.ts";
import { enumSchema, keySchema, scalarSchema, shortName, wellKnownSchema } from "./type-schema.ts";

/** Fields that something else fills already, each with the fields that lead to it. */
export type Bound = readonly (readonly Field[])[];

export interface Schemas {
  /** A field with its comment and its rules, without what is `bound` inside it. */
  field(message: MessageType, field: Field, bound?: Bound): JsonSchema;
  /** A message, or what is left of it without what is `bound`. */
  message(type: MessageType, bound?: Bound): JsonSchema;
  /** Whether the field must be given. */
  isRequired(message: MessageType, field: Field): boolean;
  /** What has been referred to, by full name and in the order of names. */
  components(): Record<string, JsonSchema>;
}

/** Makes schemas of messages, in the JSON that proto3 gives them and that answers have. Nothing is required unless `rules` say so. */
export function makeSchemas(reflection: Reflection, rules: OpenApiOptions["field"]): Schemas {
  const made = new Map<string, JsonSchema>();

  const reference = (name: string, make: () => JsonSchema): JsonSchema => {
    if (!made.has(name)) {
      // Known before it is made, for a message may hold itself.
      made.set(name, {});
      made.set(name, make());
    }
    return { $ref: `#/components/schemas/${name}` };
  };

  const typeSchema = (type: FieldType, bound: Bound = []): JsonSchema => {
    if (type.kind === "scalar") return scalarSchema(type.scalar);
    if (type.kind === "message") return schemas.message(type, bound);
    if (type.name === "google.protobuf.NullValue") return enumSchema(type, reflection);
    return reference(type.name, () => enumSchema(type, reflection));
  };

  const traitsOf = (message: MessageType, field: Field): FieldTraits => rules?.(reflection.field(message, field).options, field) ?? {};

  const objectSchema = (type: MessageType, bound: Bound): JsonSchema => {
    const fields = fieldsLeft(type, bound);
    const required = fields.filter((field) => schemas.isRequired(type, field)).map(({ jsonName }) => jsonName);
    const choices = type.oneofs.flatMap((_, oneof) => choiceOf(fields.filter((field) => field.oneof === oneof)));
    const { comment } = reflection.message(type);
    return {
      title: shortName(type.name),
      type: "object",
      ...(comment && { description: comment }),
      ...(fields.length > 0 && { properties: Object.fromEntries(fields.map((field) => [field.jsonName, member(type, field, bound)])) }),
      ...(required.length > 0 && { required }),
      ...(choices.length > 0 && { allOf: choices }),
    };
  };

  const member = (type: MessageType, field: Field, bound: Bound): JsonSchema => schemas.field(type, field, within(field, bound));

  const schemas: Schemas = {
    message: (type, bound = []) => {
      const known = wellKnownSchema(type.name);
      if (known !== undefined) return known;
      return bound.length > 0 ? objectSchema(type, bound) : reference(type.name, () => objectSchema(type, []));
    },
    field: (message, field, bound = []) => {
      const { comment } = reflection.field(message, field);
      const description = [comment, choiceWords(message, field)].filter((part) => part !== "").join(" ");
      const schema = shaped(field, typeSchema(field.type, bound));
      return { ...schema, ...(description && { description }), ...traitsOf(message, field).keywords };
    },
    isRequired: (message, field) => traitsOf(message, field).required === true,
    components: () => Object.fromEntries([...made].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
  return schemas;
}

/** What of `bound` lies within `field`, seen from there. */
export function within(field: Field, bound: Bound): Bound {
  return bound.filter((fields) => fields.length > 1 && fields[0] === field).map((fields) => fields.slice(1));
}

/** The fields of a message that are neither bound nor ruled out, as the other members of a oneof are. */
function fieldsLeft({ fields }: MessageType, bound: Bound): Field[] {
  const taken = bound.flatMap(([first, ...more]) => (first === undefined || more.length > 0 ? [] : [first]));
  return fields.filter((field) => !taken.some((other) => other === field || (field.oneof >= 0 && other.oneof === field.oneof)));
}

/** At most one of the members of a oneof is there. */
function choiceOf(members: readonly Field[]): JsonSchema[] {
  const [first, ...more] = members.map(({ jsonName }) => ({ required: [jsonName] }));
  if (first === undefined || more.length === 0) return [];
  return [{ oneOf: [first, ...more, { not: { anyOf: [first, ...more] } }] }];
}

function choiceWords({ fields }: MessageType, field: Field): string {
  const others = fields.filter((other) => other !== field && field.oneof >= 0 && other.oneof === field.oneof);
  return others.length === 0 ? "" : `Not together with ${others.map(({ jsonName }) => `\`${jsonName}\``).join(", ")}.`;
}

function shaped({ shape, keyType }: Field, element: JsonSchema): JsonSchema {
  if (shape === "singular") return element;
  if (shape === "repeated") return { type: "array", items: element };
  const names = keyType && keySchema(keyType.scalar);
  return { type: "object", additionalProperties: element, ...(names && { propertyNames: names }) };
}
