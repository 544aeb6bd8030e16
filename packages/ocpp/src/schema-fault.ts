import { type ErrorCode, type Problem, problem } from "./call-error.ts";

/** Where a payload departs from its schema, as the generated validators tell it: a JSON pointer, the schema's keyword and its value. */
export interface SchemaFault {
  readonly instancePath: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** A generated validator. After it returned false, `errors` holds the first fault. */
export interface Validator {
  (payload: unknown): boolean;
  errors?: readonly SchemaFault[] | null;
}

/** What a fault is called. Where OCPP leaves a choice, the reason is beside it. */
const codes: Readonly<Record<string, ErrorCode>> = {
  // How often a field occurs: "violates occurrence constraints". 1.6 also has ProtocolError, "payload is incomplete", which 2.0.1 gave
  // another meaning; the constraint's own name says the same in both.
  required: "OccurrenceConstraintViolation",
  minItems: "OccurrenceConstraintViolation",
  maxItems: "OccurrenceConstraintViolation",
  type: "TypeConstraintViolation",
};

/**
 * The CALLERROR that a fault deserves, naming the field: `.idTag is required`. What is neither about occurrence nor about type is "a
 * field that contains an invalid value", PropertyConstraintViolation. `unknownField` is what the version calls a field that it does not have.
 */
export function problemOf(fault: SchemaFault, unknownField: ErrorCode): Problem {
  const code = fault.keyword === "additionalProperties" ? unknownField : (codes[fault.keyword] ?? "PropertyConstraintViolation");
  return problem(code, describe(fault));
}

/** The field that a fault is about, as a path: `.meterValue[0].timestamp`; empty if it is the whole payload. */
export function fieldOf({ instancePath, keyword, params }: SchemaFault): string {
  const path = toPath(instancePath);
  if (keyword === "required") return `${path}.${params.missingProperty}`;
  return keyword === "additionalProperties" ? `${path}.${params.additionalProperty}` : path;
}

function describe(fault: SchemaFault): string {
  const { keyword, params } = fault;
  const field = fieldOf(fault);
  if (keyword === "required") return `${field} is required`;
  if (keyword === "additionalProperties") return `${field} is not a field of this message`;
  return `${field === "" ? "the payload" : field} must ${rule(keyword, params)}`;
}

function rule(keyword: string, params: SchemaFault["params"]): string {
  const limit = params.limit;
  switch (keyword) {
    case "type":
      return `be ${withArticle(String(params.type))}`;
    case "enum":
      return `be one of ${String(params.allowedValues).replaceAll(",", ", ")}`;
    case "maxLength":
      return `be at most ${limit} characters long`;
    case "minItems":
      return `have at least ${limit} item${limit === 1 ? "" : "s"}`;
    case "maxItems":
      return `have at most ${limit} item${limit === 1 ? "" : "s"}`;
    case "minimum":
      return `be at least ${limit}`;
    case "maximum":
      return `be at most ${limit}`;
    case "multipleOf":
      return `be a multiple of ${params.multipleOf}`;
    case "format":
      return `be a valid ${params.format}`;
    default:
      return `satisfy ${keyword}`;
  }
}

function withArticle(type: string): string {
  return /^[aeio]/.test(type) ? `an ${type}` : `a ${type}`;
}

/** `/meterValue/0/timestamp` → `.meterValue[0].timestamp` */
function toPath(pointer: string): string {
  return pointer
    .replace(/\/(\d+)(?=\/|$)/g, "[$1]")
    .replaceAll("/", ".")
    .replaceAll("~1", "/")
    .replaceAll("~0", "~");
}
