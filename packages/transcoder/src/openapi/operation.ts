import type { Binding } from "../http-rule.ts";
import { HTTP_BODY, takesRawBody } from "../request-message.ts";
import type { FieldType } from "../schema.ts";
import { EVENT_STREAM, LINES } from "../stream.ts";
import type { JsonSchema, MediaType, Operation, Reference, RequestBody, Response } from "./document.ts";
import { errorAnswers, failuresIn } from "./error-answers.ts";
import { type Schemas, within } from "./message-schema.ts";
import type { OpenApiOptions } from "./options.ts";
import { bindingsFields, pathParameters, queryParameters } from "./parameters.ts";
import type { PathParameter } from "./path.ts";
import { type Reflection, summarised } from "./reflection.ts";
import { versionsOf } from "./versions.ts";

export interface OperationSettings {
  readonly reflection: Reflection;
  readonly schemas: Schemas;
  readonly rpc: OpenApiOptions["rpc"];
  readonly error: { readonly schema: Reference; readonly answer: Reference };
}

/** What an operation is called, and the parameters of its path with their names there. */
export interface OperationPlace {
  readonly operationId: string;
  readonly tag: string;
  readonly parameters: readonly PathParameter[];
  readonly names: readonly string[];
}

/** One binding of an rpc as an operation. */
export function operationOf(binding: Binding, place: OperationPlace, { reflection, schemas, rpc, error }: OperationSettings): Operation {
  const { service, name } = binding.rpc;
  const { comment, options } = reflection.rpc(service, name);
  const traits = rpc?.(options, service) ?? {};
  const { summary, description: more } = summarised(comment);
  const description = [more, traits.description].filter((part) => part !== undefined).join("\n\n");
  const versions = versionsOf(binding, error.schema);
  const parameters = [
    ...pathParameters(binding, place.parameters, place.names, schemas),
    ...queryParameters(binding, schemas),
    ...versions.parameters,
  ];
  const answer = answerOf(binding, reflection, schemas);
  const requestBody = requestBodyOf(binding, schemas);
  return {
    operationId: place.operationId,
    tags: [place.tag],
    ...(summary && { summary }),
    ...(description && { description }),
    ...(parameters.length > 0 && { parameters }),
    ...(requestBody && { requestBody }),
    responses: {
      "200": { ...answer, ...(versions.headers && { headers: versions.headers }) },
      ...versions.answers,
      ...errorAnswers({ ...traits.failures, ...failuresIn(comment) }, error.schema, error.answer),
    },
    ...(traits.security && { security: traits.security }),
    "x-grpc-method": `${service}/${name}`,
  };
}

/** What the body of a request may be, without what the path fills. */
function requestBodyOf(binding: Binding, schemas: Schemas): RequestBody | undefined {
  const { body, request } = binding;
  if (body === undefined) return undefined;
  const inPath = bindingsFields({ ...binding, body: undefined });
  const isRaw = takesRawBody(binding);
  if (body === "*") {
    const schema = schemas.message(request.type, inPath);
    const left = request.type.fields.filter((field) => !inPath.some(([first, ...more]) => first === field && more.length === 0));
    const required = left.some((field) => schemas.isRequired(request.type, field));
    return { ...(required && { required }), content: isRaw ? { "*/*": {} } : { "application/json": { schema } } };
  }
  const { description, ...schema } = schemas.field(request.type, body.field, within(body.field, inPath));
  const required = schemas.isRequired(request.type, body.field);
  return {
    ...(typeof description === "string" && body.message === undefined && { description }),
    ...(required && { required }),
    content: isRaw ? { "*/*": {} } : { "application/json": { schema } },
  };
}

function answerOf({ rpc, response, responseBody }: Binding, reflection: Reflection, schemas: Schemas): Response {
  const field = response.fields.find(({ name }) => name === responseBody);
  const type: FieldType = field?.type ?? response;
  const isRaw = type.kind === "message" && type.name === HTTP_BODY && (field === undefined || field.shape === "singular");
  const isOne = type.kind === "message" && (field === undefined || field.shape === "singular");
  const summary = isOne ? summarised(reflection.message(type).comment).summary : undefined;
  if (isRaw) return { description: "OK, of the type that the service says.", content: { "*/*": {} } };
  const schema = field === undefined ? schemas.message(response) : schemas.field(response, field);
  const description = summary ?? "OK";
  return { description, content: rpc.responseStream ? streamContent(schema) : { "application/json": { schema } } };
}

/** A stream is text as far as OpenAPI 3.1 knows. */
function streamContent(schema: JsonSchema): Record<string, MediaType> {
  const [lines] = LINES;
  const events = { type: "string", description: "Server-sent events. The data of each is one message; an event `error` has an error." };
  const text = { type: "string", description: "A line of JSON for each message; empty lines say that the stream is alive." };
  return { [EVENT_STREAM]: { schema: events, "x-item-schema": schema }, [lines]: { schema: text, "x-item-schema": schema } };
}
