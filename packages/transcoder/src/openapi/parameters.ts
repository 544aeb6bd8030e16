import type { Binding } from "../http-rule.ts";
import type { FieldIn, MessageIn } from "../json-reader.ts";
import type { Field, MessageType } from "../schema.ts";
import type { Parameter } from "./document.ts";
import type { Bound, Schemas } from "./message-schema.ts";
import type { PathParameter } from "./path.ts";

/** The parameters in the path of an operation. `names` are what they are called there, in order. */
export function pathParameters({ request }: Binding, parameters: readonly PathParameter[], names: readonly string[], schemas: Schemas) {
  return parameters.map(({ fields, partOf, multi }, index): Parameter => {
    const base = { name: names[index] ?? "", in: "path", required: true, ...(multi ? { "x-multi-segment": true as const } : {}) } as const;
    if (fields === undefined) return { ...base, schema: { type: "string" } };
    const { description, schema } = described(request.type, fields, schemas);
    const whole = fields.map(({ jsonName }) => jsonName).join(".");
    const part = partOf === undefined ? "" : `Stands in \`${partOf}\`, which becomes \`${whole}\`.`;
    const rest = multi ? "May hold slashes." : "";
    const text = [description, part, rest].filter((sentence) => sentence !== "").join(" ");
    return { ...base, ...(text && { description: text }), schema: partOf === undefined ? schema : { type: "string" } };
  });
}

/** The fields that a query may set: all that neither the path nor the body fills and that have a form in a URL, nested ones with dots. */
export function queryParameters(binding: Binding, schemas: Schemas): Parameter[] {
  const { body, request } = binding;
  if (body === "*") return [];
  const bound = bindingsFields(binding);
  const madeOfBody = maskField(binding);
  const parameters: Parameter[] = [];
  const walk = (message: MessageIn, before: readonly FieldIn[], above: readonly MessageIn[]): void => {
    for (const field of message.fields) {
      const fields = [...before, field];
      if (isTaken(fields, bound)) continue;
      if (field.message === undefined) {
        if (field.fromTexts === undefined) continue;
        const parameter = queryParameter(request.type, fields.map(fieldOf), schemas);
        parameters.push(field === madeOfBody ? ofMask(parameter) : parameter);
      } else if (!above.includes(field.message)) walk(field.message, fields, [...above, field.message]);
    }
  };
  walk(request, [], [request]);
  return parameters;
}

/** The fields that the path and the body fill. */
export function bindingsFields({ variables, body }: Binding): Bound {
  const inPath = variables.map(({ fields }) => fields.map(fieldOf));
  return body === undefined || body === "*" ? inPath : [...inPath, [body.field]];
}

function fieldOf({ field }: FieldIn): Field {
  return field;
}

/** Whether something else fills the field, or another member of a oneof that it is in. */
function isTaken(fields: readonly FieldIn[], bound: Bound): boolean {
  return bound.some((other) => {
    const last = other.length - 1;
    if (other.length > fields.length || !other.slice(0, last).every((field, depth) => fields[depth]?.field === field)) return false;
    const [theirs, ours] = [other[last], fields[last]?.field];
    return theirs === ours || (theirs !== undefined && theirs.oneof >= 0 && theirs.oneof === ours?.oneof);
  });
}

function queryParameter(request: MessageType, fields: readonly Field[], schemas: Schemas): Parameter {
  const { description, schema } = described(request, fields, schemas);
  const required = parents(request, fields).every(([parent, field]) => schemas.isRequired(parent, field));
  const name = fields.map(({ jsonName }) => jsonName).join(".");
  return {
    name,
    in: "query",
    ...(description && { description }),
    ...(required && { required }),
    ...(isJson(fields.at(-1)) ? { content: { "application/json": { schema } } } : { schema }),
  };
}

/** Types whose text in a URL is JSON. */
function isJson(field: Field | undefined): boolean {
  return field?.type.kind === "message" && /^google\.protobuf\.(?:Struct|Value|ListValue)$/.test(field.type.name);
}

/** The update_mask of a PATCH, which the transcoder makes of the body if it is not given. */
function maskField({ method, body, request }: Binding): FieldIn | undefined {
  if (method !== "PATCH" || typeof body !== "object" || body.message === undefined) return undefined;
  const mask = request.byKey.get("update_mask");
  return mask?.field.type.kind === "message" && mask.field.type.name === "google.protobuf.FieldMask" ? mask : undefined;
}

function ofMask(parameter: Parameter): Parameter {
  const without = "Without it, the fields that the body names.";
  return { ...parameter, description: parameter.description === undefined ? without : `${parameter.description} ${without}` };
}

function described(request: MessageType, fields: readonly Field[], schemas: Schemas) {
  const [parent, leaf] = parents(request, fields).at(-1) ?? [];
  if (parent === undefined || leaf === undefined) throw new Error("A parameter needs a field.");
  const { description, ...schema } = schemas.field(parent, leaf);
  return { description: typeof description === "string" ? description : "", schema };
}

/** Each field with the message that it is in. */
function parents(request: MessageType, fields: readonly Field[]): [MessageType, Field][] {
  let parent = request;
  return fields.map((field) => {
    const pair: [MessageType, Field] = [parent, field];
    if (field.type.kind === "message") parent = field.type;
    return pair;
  });
}
