import { h, inline, prose } from "./dom.js";

/** Follows `$ref`; what stands beside it wins over what it leads to. */
export function resolve(doc, schema = {}) {
  if (schema.$ref === undefined) return schema;
  const target = schema.$ref
    .slice(2)
    .split("/")
    .reduce((at, name) => at?.[name.replaceAll("~1", "/").replaceAll("~0", "~")], doc);
  const { $ref: _, ...beside } = schema;
  return { ...resolve(doc, target), ...beside };
}

/** A type in a few words. */
export function typeWords(doc, schema) {
  const { type, format, items, additionalProperties, anyOf, title, contentEncoding, const: only } = resolve(doc, schema);
  if (only !== undefined) return JSON.stringify(only);
  if (type === "array") return `list of ${typeWords(doc, items)}`;
  if (type === "object" && typeof additionalProperties === "object") return `map of ${typeWords(doc, additionalProperties)}`;
  if (type === undefined && anyOf) return anyOf.map((one) => typeWords(doc, one)).join(" or ");
  if (title) return title;
  return [type ?? "anything", contentEncoding ?? format].filter(Boolean).join(", ");
}

/** The rules of a value, a phrase each. */
function rules(schema) {
  const { minLength, maxLength, pattern, minimum, maximum, maxItems, minItems, format, anyOf = [], not } = schema;
  const empty = anyOf.find((one) => one.maxLength === 0) && anyOf.find((one) => one.maxLength !== 0);
  return [
    minLength > 1 && `at least ${minLength} characters`,
    maxLength !== undefined && `at most ${maxLength} characters`,
    pattern && `matches \`${pattern}\``,
    minimum !== undefined && !format?.endsWith("32") && `at least ${minimum}`,
    maximum !== undefined && !format?.endsWith("32") && `at most ${maximum}`,
    format?.endsWith("32") && minimum > -2147483648 && `at least ${minimum}`,
    format?.endsWith("32") && maximum < 2147483647 && `at most ${maximum}`,
    minItems && `at least ${minItems}`,
    maxItems !== undefined && `at most ${maxItems}`,
    not?.enum && `not ${not.enum.join(", ")}`,
    not && "const" in not && `not ${not.const}`,
    empty && `empty, or ${[empty.format && `a ${empty.format}`, ...rules({ ...empty, format: undefined })].filter(Boolean).join(" and ")}`,
  ].filter(Boolean);
}

/** The line below a name: what the value means and what it may be. */
export function meaning(doc, schema, description) {
  const full = resolve(doc, schema);
  const said = description ?? full.description;
  const limits = rules(full);
  const choice = resolve(doc, full.items ?? { $ref: schema.$ref, enum: full.enum });
  return [
    said && prose(said),
    limits.length > 0 && h("p", { class: "quiet" }, inline(limits.join("; "))),
    choice.enum &&
      h(
        "p",
        { class: "quiet" },
        "One of ",
        choice.enum.map((value, index) => [index > 0 && ", ", h("code", {}, String(value))]),
      ),
    choice.enum && choice.description !== said && prose(choice.description),
  ];
}

/** The members of what is in a schema, deeper ones on demand, for a schema may hold itself. */
export function schemaView(doc, schema) {
  const full = inner(doc, schema);
  const members = Object.entries(full.properties ?? {});
  if (members.length === 0) return h("p", { class: "quiet" }, inline(full.description ?? typeWords(doc, schema)));
  const required = full.required ?? [];
  return h(
    "dl",
    { class: "members" },
    members.map(([name, member]) => [
      h(
        "dt",
        {},
        h("code", {}, name),
        " ",
        h("span", { class: "type" }, typeWords(doc, member)),
        required.includes(name) && h("span", { class: "required" }, " required"),
      ),
      h("dd", {}, meaning(doc, member), inner(doc, member).properties && deeper(doc, member)),
    ]),
  );
}

/** What the elements of a list or a map are. */
function inner(doc, schema) {
  const full = resolve(doc, schema);
  if (full.type === "array") return inner(doc, full.items);
  return typeof full.additionalProperties === "object" ? inner(doc, full.additionalProperties) : full;
}

function deeper(doc, schema) {
  const name = inner(doc, schema).title ?? "members";
  const view = h("details", { ontoggle: () => view.children.length > 1 || view.append(schemaView(doc, schema)) }, h("summary", {}, name));
  return view;
}
