import { type Code, codes } from "../http-status.ts";
import type { JsonSchema, Reference, Response } from "./document.ts";

const names = (Object.keys(codes) as Code[]).filter((code) => code !== "OK");
const oneOf = `(?:${names.join("|")})\\b`;
/** A code at the beginning of a sentence or of a part of one, and the words after it. */
const failure = new RegExp(`(?<=^|[.;:]\\s+|\\n\\s*)(${oneOf})(.*?)(?=\\.(?:\\s|$)|;\\s+${oneOf}|\\n\\s*\\n|$)`, "gs");

/** How an rpc may fail as its comment has it, "NOT_FOUND if there is none with this id": the words after each code. */
export function failuresIn(comment: string): Partial<Record<Code, string>> {
  const found = [...comment.matchAll(failure)].map(([, code = "", words = ""]) => [code, words.replace(/\s+/g, " ").trim()]);
  return Object.fromEntries(found);
}

/** An answer for each HTTP status that the failures have, and one for every other. `schema` is that of errors. */
export function errorAnswers(failures: Partial<Record<Code, string>>, schema: Reference, other: Reference) {
  const answers: Record<string, Response | Reference> = {};
  for (const [status, several] of Object.entries(Object.groupBy(names, (code) => String(codes[code].http)))) {
    const spoken = (several ?? []).filter((code) => failures[code] !== undefined);
    if (spoken.length === 0) continue;
    const description = spoken.map((code) => `\`${code}\` ${failures[code] ?? ""}`.trim()).join("\n\n");
    answers[status] = { description, content: { "application/json": { schema: { ...schema } } } };
  }
  return { ...answers, default: other };
}

const detail = (type: string, description: string, properties: Record<string, JsonSchema>): JsonSchema => ({
  title: type,
  type: "object",
  description,
  required: ["@type"],
  properties: { "@type": { const: `type.googleapis.com/google.rpc.${type}` }, ...properties },
});

const errorInfo = detail("ErrorInfo", "Why, for programs. There is always one.", {
  reason: { type: "string", description: "In UPPER_SNAKE_CASE." },
  domain: { type: "string", description: "Whose reason it is." },
  metadata: { type: "object", additionalProperties: { type: "string" } },
});

const badRequest = detail("BadRequest", "The fields that are not right.", {
  fieldViolations: {
    type: "array",
    items: {
      title: "FieldViolation",
      type: "object",
      required: ["field"],
      properties: {
        field: { type: "string", description: 'The path of the field as it was sent: "tags[2].name".' },
        description: { type: "string" },
      },
    },
  },
});

const statusWords = names.map((code) => `${code} ${codes[code].http}`).join(", ");

/** The one shape of an error, a google.rpc.Status as AIP-193 has it. */
export const errorSchema: JsonSchema = {
  title: "Error",
  type: "object",
  description: "The one shape of an error.",
  required: ["error"],
  properties: {
    error: {
      type: "object",
      required: ["code", "status", "message", "details"],
      properties: {
        code: { type: "integer", description: "The HTTP status." },
        status: { type: "string", enum: names, description: `The code of gRPC, from which the HTTP status follows: ${statusWords}.` },
        message: { type: "string", description: "For people." },
        details: {
          type: "array",
          items: {
            anyOf: [
              errorInfo,
              badRequest,
              { type: "object", required: ["@type"], description: "Any other message, with its type.", additionalProperties: true },
            ],
          },
        },
      },
    },
  },
};
