import { scopeOf } from "@chargemesh/kit/access-rule";
import type { FieldTraits, JsonSchema, OpenApiOptions, RpcTraits } from "@chargemesh/transcoder/openapi";

/** The options of chargemesh/rules/v1/rules.proto, as the services enforce them, in the words of OpenAPI. */
const ACCESS = "(chargemesh.rules.v1.access)";
const FIELD = "(chargemesh.rules.v1.field)";

/** The name of the security scheme. */
export const BEARER = "bearer";

const signedIn = {
  security: [{ [BEARER]: [] }],
  failures: {
    UNAUTHENTICATED: "without a valid access token or API key.",
    PERMISSION_DENIED: "if the caller's role or the API key does not allow it.",
  },
};

const levels: Readonly<Record<string, RpcTraits>> = {
  PUBLIC: { security: [], description: "Anybody may call." },
  DRIVER: { ...signedIn, description: "Whoever is signed in may call; a driver reaches only what is their own." },
  OPERATOR: { ...signedIn, description: "Operators and administrators may call." },
  ADMIN: { ...signedIn, description: "Administrators may call." },
  SERVICE: { ...signedIn, description: "Only services may call." },
};

/** Who may call. */
export const accessOf: NonNullable<OpenApiOptions["rpc"]> = (options, service) => {
  const access = options[ACCESS];
  const { level, signed_in }: Record<string, unknown> = typeof access === "object" ? { ...access } : {};
  const traits = levels[String(level)] ?? {};
  if (level === undefined || level === "PUBLIC" || level === "SERVICE") return traits;
  const ofKeys = signed_in === true ? "No API key may." : `An API key needs the scope \`${scopeOf(service, options.idempotency_level)}\`.`;
  return { ...traits, description: `${traits.description} ${ofKeys}` };
};

const formats: Readonly<Record<string, string>> = { UUID: "uuid", EMAIL: "email" };

/** What a field may hold. */
export const rulesOf: NonNullable<OpenApiOptions["field"]> = (options, field): FieldTraits => {
  const declared = options[FIELD];
  if (typeof declared !== "object" || declared === null) return {};
  const rules: Readonly<Record<string, unknown>> = { ...declared };
  const required = rules.required === true;
  const { type, shape } = field;
  if (shape === "map") return { required };
  if (shape === "repeated") return { required, keywords: defined({ minItems: required ? 1 : undefined, maxItems: rules.max_items }) };
  if (type.kind === "message") return { required };
  if (type.kind === "enum") {
    const unspecified = [...type.numbers.keys()].filter((name) => name.endsWith("_UNSPECIFIED"));
    return { required, keywords: required ? { not: { enum: unspecified } } : {} };
  }
  if (type.scalar === "string") return { required, keywords: ofText(rules, required) };
  // Integers of 64 bits are strings in JSON, which have no minimum.
  if (type.scalar.endsWith("64") || type.scalar === "bytes") return { required };
  return { required, keywords: defined({ minimum: rules.gte, maximum: rules.lte, not: required ? { const: 0 } : undefined }) };
};

/** An empty text passes every rule but `required` and `max_len`. */
function ofText(rules: Readonly<Record<string, unknown>>, required: boolean): JsonSchema {
  const longest = defined({ maxLength: rules.max_len });
  const content = defined({ minLength: rules.min_len, pattern: rules.pattern, format: formats[String(rules.format)] });
  if (required) return { minLength: 1, ...content, ...longest };
  return Object.keys(content).length === 0 ? longest : { ...longest, anyOf: [{ maxLength: 0 }, content] };
}

function defined(keywords: Readonly<Record<string, unknown>>): JsonSchema {
  return Object.fromEntries(Object.entries(keywords).filter(([, value]) => value !== undefined));
}
