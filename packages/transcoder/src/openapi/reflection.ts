import protobuf from "protobufjs";
import type { EnumType, Field, MessageType } from "../schema.ts";

/** Options of a field or an rpc as protobufjs reads them: extensions by their name in parentheses, such as "(my.rules.field)". */
export type ProtoOptions = Readonly<Record<string, unknown>>;

/** What a .proto says of something beside its shape. */
export interface Said {
  /** The comment above it; "" if there is none. Names of fields are in it as JSON spells them. */
  readonly comment: string;
  readonly options: ProtoOptions;
}

/** Looks up what the protos say. Everything that is asked for must be in them. */
export interface Reflection {
  service(name: string): Said;
  rpc(service: string, name: string): Said;
  message(type: MessageType): Said;
  field(type: MessageType, field: Field): Said;
  enumType(type: EnumType): Said;
  /** The comment of each value that has one. */
  values(type: EnumType): ReadonlyMap<string, string>;
}

export function reflectionOf(root: protobuf.Root): Reflection {
  const names = jsonNames(root);
  const inJson = (text: string | null | undefined): string => {
    return (text ?? "").trim().replace(/\b[a-z][a-z0-9]*(?:_[a-z0-9]+)+\b/g, (name) => names.get(name) ?? name);
  };
  // What Google says of its own types is in Google's documentation.
  const said = (object: protobuf.ReflectionObject): Said => ({
    comment: object.fullName.startsWith(".google.") ? "" : inJson(object.comment),
    options: Object.assign({}, ...(object.parsedOptions ?? [])),
  });
  const methodOf = (service: string, name: string): protobuf.Method => {
    const method = root.lookupService(service).methods[name];
    if (method === undefined) throw new Error(`${service} has no rpc ${name}.`);
    return method;
  };
  const fieldOf = (type: string, name: string): protobuf.Field => {
    const field = root.lookupType(type).fields[name];
    if (field === undefined) throw new Error(`${type} has no field ${name}.`);
    return field;
  };
  return {
    service: (name) => said(root.lookupService(name)),
    rpc: (service, name) => said(methodOf(service, name)),
    message: ({ name }) => said(root.lookupType(name)),
    field: (type, { name }) => said(fieldOf(type.name, name)),
    enumType: ({ name }) => said(root.lookupEnum(name)),
    values: ({ name }) => {
      const { comments } = root.lookupEnum(name);
      const spoken = Object.entries(comments).filter(([value, comment]) => !name.startsWith("google.") && value !== "" && comment);
      return new Map(spoken.map(([value, comment]) => [value, inJson(comment)]));
    },
  };
}

/** The JSON name of every field name that has an underscore, so that comments can speak the language of REST. */
function jsonNames(root: protobuf.Root): Map<string, string> {
  const names = new Map<string, string>();
  const visit = (namespace: protobuf.NamespaceBase): void => {
    for (const nested of namespace.nestedArray) {
      if (nested instanceof protobuf.Type) {
        for (const { name, jsonName } of nested.fieldsArray) if (name.includes("_")) names.set(name, jsonName ?? name);
      }
      if (nested instanceof protobuf.Namespace && nested.fullName !== ".google") visit(nested);
    }
  };
  visit(root);
  return names;
}

/** A comment as a summary, its first sentence without the full stop, and the rest of it. */
export function summarised(comment: string): { summary?: string; description?: string } {
  const [, first = "", rest = ""] = /^(.+?)(?:\.(?=\s)|\.?$|\n\s*\n)(.*)$/s.exec(comment) ?? [];
  const summary = first.replace(/\s+/g, " ").trim();
  const description = rest.trim();
  return { ...(summary && { summary }), ...(description && { description }) };
}
