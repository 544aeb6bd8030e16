import { existsSync } from "node:fs";
import { join } from "node:path";
import { protoDirs } from "@chargemesh/contracts/proto-dirs";
import protobuf from "protobufjs";
import { type Access, readAccess } from "./access-rule.ts";
import type { FieldViolation } from "./errors.ts";
import { readResourcePath } from "./resource-path.ts";

/** What is wrong with a message, in the words of ts-proto: camelCase properties. Empty if nothing. */
export type Validate = (message: object) => FieldViolation[];

/** What of an rpc the audit log keeps: `chargemesh.rules.v1.Audit`. */
export type Audit = "EVERYTHING" | "REFUSALS" | "NOTHING";

export interface RpcRules {
  request: protobuf.Type;
  access: Access;
  validate: Validate;
  audit: Audit;
  /** What a request is about, as far as it says; empty if it does not. */
  resourceOf(request: object): string;
}

const FIELD = "(chargemesh.rules.v1.field)";
const AUDIT = "(chargemesh.rules.v1.audit)";

// What nodemailer can put into RCPT TO without quoting: one @, no white space or control characters, a domain.
const EMAIL = /^[^\s\p{C}@<>"(),:;\\[\]]+@[^\s\p{C}@<>"(),:;\\[\]]+$/u;

const formats: Record<string, { pattern: RegExp; description: string }> = {
  UUID: { pattern: /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i, description: "must be a UUID" },
  EMAIL: { pattern: EMAIL, description: "must be an email address" },
};

/** Whether mail can go to `text`, by the rule of `format: EMAIL`. */
export function isEmail(text: string): boolean {
  return EMAIL.test(text);
}

/** Reads .proto files (paths as in `import`) with all that they import. */
export function loadProtos(files: readonly string[]): protobuf.Root {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => {
    const found = protoDirs.map((dir) => join(dir, target)).find((path) => existsSync(path));
    return found ?? target;
  };
  root.loadSync([...files], { keepCase: true, alternateCommentMode: true });
  root.resolveAll();
  return root;
}

/** The rules of one rpc. Throws if it has no access rule or a rule that we do not know. */
export function rulesOf(root: protobuf.Root, path: string): RpcRules {
  const [service = "", name = ""] = path.split("/").slice(1);
  const method = root.lookupService(service).methods[name];
  if (method === undefined) throw new Error(`${path}: no such rpc in the protos`);
  const request = root.lookupType(method.requestType);
  const optionOf = (option: string): unknown => method.parsedOptions?.find((one: Record<string, unknown>) => option in one)?.[option];
  return {
    request,
    access: readAccess(path, method, request),
    validate: compileRules(request),
    audit: readAudit(path, optionOf("idempotency_level"), optionOf(AUDIT)),
    resourceOf: readResourcePath(optionOf("(google.api.http)")),
  };
}

function readAudit(path: string, idempotencyLevel: unknown, declared: unknown): Audit {
  if (idempotencyLevel === "NO_SIDE_EFFECTS") return "NOTHING";
  if (declared === undefined) return "EVERYTHING";
  const { keep } = declared as { keep?: unknown };
  if (keep === "REFUSALS" || keep === "NOTHING") return keep;
  throw new Error(`${path}: unknown audit rule ${JSON.stringify(declared)}`);
}

type Check = (value: unknown) => string | undefined;

/** Compiles the field rules of a message and of all messages inside it. Throws on a rule that we do not know. */
export function compileRules(type: protobuf.Type, compiled = new Map<string, Validate>()): Validate {
  const known = compiled.get(type.fullName);
  if (known !== undefined) return known;
  const fields: ReturnType<typeof compileField>[] = [];
  const validate: Validate = (message) => {
    const violations: FieldViolation[] = [];
    for (const { property, field, check, inner } of fields) {
      const value: unknown = (message as Record<string, unknown>)[property];
      const description = check(value);
      if (description !== undefined) violations.push({ field, description });
      if (inner === undefined || typeof value !== "object" || value === null) continue;
      const each = Array.isArray(value) ? value.map((item, i) => [`${field}[${i}]`, item] as const) : [[field, value] as const];
      for (const [at, item] of each) violations.push(...inner(item).map((v) => ({ ...v, field: `${at}.${v.field}` })));
    }
    return violations;
  };
  compiled.set(type.fullName, validate);
  for (const field of type.fieldsArray) fields.push(compileField(field, compiled));
  return validate;
}

function compileField(field: protobuf.Field, compiled: Map<string, Validate>) {
  // Only our own messages carry rules; ts-proto shows Google's as other shapes.
  const inner =
    field.resolvedType instanceof protobuf.Type && field.resolvedType.fullName.startsWith(".chargemesh.") && !field.map
      ? compileRules(field.resolvedType, compiled)
      : undefined;
  const declared: unknown = field.parsedOptions?.find((option: Record<string, unknown>) => FIELD in option)?.[FIELD];
  const checks = checksOf(field, typeof declared === "object" && declared !== null ? declared : {});
  return {
    field: field.name,
    property: camelCase(field.name),
    inner,
    check: (value: unknown): string | undefined => {
      for (const check of checks) {
        const description = check(value);
        if (description !== undefined) return description;
      }
      return undefined;
    },
  };
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === "" || value === 0 || (Array.isArray(value) && value.length === 0);
}

const ofText = (test: (text: string) => boolean, description: string): Check => {
  const passes = (value: unknown): boolean => typeof value !== "string" || value === "" || test(value);
  return (value) => ((Array.isArray(value) ? value.every(passes) : passes(value)) ? undefined : description);
};
const ofNumber = (test: (number: number) => boolean, description: string): Check => {
  return (value) => (typeof value !== "number" || test(value) ? undefined : description);
};
const characters = (text: string): number => [...text].length;

/** How each rule of FieldRules is checked. `required` comes first, so that an empty field is called that. */
const compilers: Record<string, (rule: unknown) => Check> = {
  required: () => (value) => (isEmpty(value) || (typeof value === "string" && value.endsWith("_UNSPECIFIED")) ? "is required" : undefined),
  min_len: (n) => ofText((text) => characters(text) >= Number(n), `must have at least ${n} characters`),
  // No text has more characters than code units, which need not be counted.
  max_len: (n) => ofText((text) => text.length <= Number(n) || characters(text) <= Number(n), `must have at most ${n} characters`),
  pattern: (source) => {
    const pattern = new RegExp(String(source), "u");
    return ofText((text) => pattern.test(text), `must match ${source}`);
  },
  format: (name) => {
    const format = formats[String(name)];
    if (format === undefined) throw new Error(`unknown format ${name}`);
    return ofText((text) => format.pattern.test(text), format.description);
  },
  gte: (n) => ofNumber((number) => number >= Number(n), `must be at least ${n}`),
  lte: (n) => ofNumber((number) => number <= Number(n), `must be at most ${n}`),
  max_items: (n) => (value) => (Array.isArray(value) && value.length > Number(n) ? `must have at most ${n} items` : undefined),
};

/** No text in Postgres may have it. */
const withoutNul: Check = (value) => (holds(value, hasNul) ? "must not contain the character NUL" : undefined);
const hasNul = (text: unknown): boolean => typeof text === "string" && text.includes("\0");
const isUnrecognized = (name: unknown): boolean => name === "UNRECOGNIZED";

/** Whether a value, or one of several, is such. */
function holds(value: unknown, isSuch: (one: unknown) => boolean): boolean {
  return Array.isArray(value) ? value.some(isSuch) : isSuch(value);
}

function checksOf(field: protobuf.Field, declared: object): Check[] {
  const rules = Object.entries(declared).sort(([a], [b]) => Number(b === "required") - Number(a === "required"));
  const checks = rules.map(([name, rule]) => {
    const compiler = compilers[name];
    if (compiler === undefined) throw new Error(`${field.fullName}: unknown rule ${name}`);
    return compiler(rule);
  });
  if (field.type === "string") checks.push(withoutNul);
  if (field.resolvedType instanceof protobuf.Enum) {
    checks.push((value) => (holds(value, isUnrecognized) ? "must be one of the values that are defined" : undefined));
  }
  return checks;
}

/** `display_name` → `displayName`, as ts-proto does. */
function camelCase(name: string): string {
  return name.replace(/_+([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
}
