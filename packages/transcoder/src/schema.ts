import protobuf from "protobufjs";

/** The scalar types of protobuf. */
export const scalars = [
  "double",
  "float",
  "int32",
  "uint32",
  "sint32",
  "fixed32",
  "sfixed32",
  "int64",
  "uint64",
  "sint64",
  "fixed64",
  "sfixed64",
  "bool",
  "string",
  "bytes",
] as const;

export type Scalar = (typeof scalars)[number];

export interface ScalarType {
  readonly kind: "scalar";
  readonly scalar: Scalar;
}

export interface EnumType {
  readonly kind: "enum";
  /** Full name, without a leading dot. */
  readonly name: string;
  readonly numbers: ReadonlyMap<string, number>;
  /** The first declared name of each number. */
  readonly names: ReadonlyMap<number, string>;
}

export interface MessageType {
  readonly kind: "message";
  /** Full name, without a leading dot. */
  readonly name: string;
  /** In the order of their declaration. */
  readonly fields: readonly Field[];
  /** Real oneofs; the synthetic one of an `optional` field is none. */
  readonly oneofs: readonly string[];
}

export type FieldType = ScalarType | EnumType | MessageType;

export interface Field {
  readonly name: string;
  readonly jsonName: string;
  readonly number: number;
  /** The type of one element; of a map, of one value. */
  readonly type: FieldType;
  readonly shape: "singular" | "repeated" | "map";
  /** Of a map only. */
  readonly keyType: ScalarType | undefined;
  /** Unset is told from the default value: messages, `optional` fields and members of a oneof. */
  readonly presence: boolean;
  readonly packed: boolean;
  /** Where its oneof stands in `MessageType.oneofs`, or -1. */
  readonly oneof: number;
}

/** Finds a message by its full name; undefined if the protos that were loaded have none. */
export type TypeRegistry = (name: string) => MessageType | undefined;

/** Our own view of the messages in `root`: made when first asked for, and the same object ever after, so that types may be recursive. */
export function typeRegistry(root: protobuf.Root): TypeRegistry {
  const known = new Map<protobuf.ReflectionObject, MessageType | EnumType>();

  const messageOf = (type: protobuf.Type): MessageType => {
    const made = known.get(type);
    if (made?.kind === "message") return made;
    const fields: Field[] = [];
    const oneofs = type.oneofsArray.filter((oneof) => !oneof.isProto3Optional).map((oneof) => oneof.name);
    const message: MessageType = { kind: "message", name: bare(type.fullName), fields, oneofs };
    known.set(type, message);
    for (const field of type.fieldsArray) fields.push(toField(field, oneofs, typeOf));
    return message;
  };

  const typeOf = (field: protobuf.Field): FieldType => {
    const target = field.resolve().resolvedType;
    if (target instanceof protobuf.Type) return messageOf(target);
    if (target instanceof protobuf.Enum) {
      const made = known.get(target);
      if (made?.kind === "enum") return made;
      const enumType = toEnum(target);
      known.set(target, enumType);
      return enumType;
    }
    return scalarOf(field.type, field);
  };

  // What is in a google.protobuf.Any is looked for by name each time, and protobufjs goes about that through all packages.
  const named = new Map<string, MessageType>();
  return (name) => {
    const before = named.get(name);
    if (before !== undefined) return before;
    const found = root.lookup(name, protobuf.Type);
    // protobufjs also finds a type of that name in some other package.
    if (!(found instanceof protobuf.Type) || bare(found.fullName) !== name) return undefined;
    const message = messageOf(found);
    named.set(name, message);
    return message;
  };
}

/** A message that cannot be carried as JSON. */
export class SchemaError extends Error {}

function toField(field: protobuf.Field, oneofs: string[], typeOf: (field: protobuf.Field) => FieldType): Field {
  const type = typeOf(field);
  if (field.delimited) throw new SchemaError(`${bare(field.fullName)}: groups are not supported`);
  const oneof = field.partOf && !field.partOf.isProto3Optional ? oneofs.indexOf(field.partOf.name) : -1;
  const shape = field.map ? "map" : field.repeated ? "repeated" : "singular";
  return {
    name: field.name,
    jsonName: field.jsonName ?? field.name,
    number: field.id,
    type,
    shape,
    keyType: field instanceof protobuf.MapField ? scalarOf(field.keyType, field) : undefined,
    presence: shape === "singular" && (type.kind === "message" || field.partOf !== null || Boolean(field.hasPresence)),
    packed: shape === "repeated" && field.packed && isPackable(type),
    oneof,
  };
}

function toEnum(target: protobuf.Enum): EnumType {
  const numbers = new Map(Object.entries(target.values));
  const names = new Map<number, string>();
  for (const [name, number] of numbers) if (!names.has(number)) names.set(number, name);
  return { kind: "enum", name: bare(target.fullName), numbers, names };
}

function scalarOf(name: string, field: protobuf.Field): ScalarType {
  const scalar = scalars.find((known) => known === name);
  if (scalar === undefined) throw new SchemaError(`${bare(field.fullName)}: there is no type ${name}`);
  return { kind: "scalar", scalar };
}

function isPackable(type: FieldType): boolean {
  return type.kind === "enum" || (type.kind === "scalar" && type.scalar !== "string" && type.scalar !== "bytes");
}

function bare(fullName: string): string {
  return fullName.replace(/^\./, "");
}
