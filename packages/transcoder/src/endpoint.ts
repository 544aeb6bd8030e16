import { type Client, type ServiceError, status } from "@grpc/grpc-js";
import type { FastifyReply, FastifyRequest } from "fastify";
import { preferred } from "./accept.ts";
import { type Answer, answerOf, pickerOf } from "./answer.ts";
import { etagOfAnswer, etagOfRequest, isNotModified, wantedEtag } from "./entity-tag.ts";
import { type ErrorBody, errorBody, internal, RestError, sendError } from "./errors.ts";
import { callersPath } from "./field-path.ts";
import { type GrpcErrorSettings, grpcErrorBody, retryAfter } from "./grpc-error.ts";
import { type Binding, UnservableError } from "./http-rule.ts";
import type { Writers } from "./json-writer.ts";
import type { MetadataOf, Returned } from "./metadata.ts";
import { requestEncoder, takesRawBody } from "./request-message.ts";
import { answerStream, EVENT_STREAM, eventStream, LINES, lines } from "./stream.ts";
import { timeLimitOf } from "./time-limit.ts";
import { type Call, callUnary } from "./unary.ts";

export interface EndpointSettings {
  clientOf(service: string): Client | undefined;
  readonly domain: string;
  readonly deadlineMs: number;
  readonly ignoreUnknown: boolean;
  readonly metadataOf: MetadataOf;
  readonly returned: Returned;
  readonly writers: Writers;
  readonly errorWriters: Writers;
  readonly heartbeatMs: number;
  readonly eventId: string | undefined;
  readonly eventType: string | undefined;
  readonly openStreams: Set<() => void>;
}

/** A binding, ready to answer. */
export interface ServeBinding {
  readonly streams: boolean;
  /** Answers a request whose path has these raw segments, and this raw query. */
  serve(request: FastifyRequest, reply: FastifyReply, segments: readonly string[], query: string): Promise<FastifyReply>;
}

const NO_BYTES = Buffer.alloc(0);
const JSON_TYPE = /^application\/(?:[a-z0-9.+-]+\+)?json$/;

/** Compiles a binding into what answers its requests. Throws an UnservableError if nobody knows where its service is. */
export function endpoint(binding: Binding, settings: EndpointSettings): ServeBinding {
  const { rpc } = binding;
  const client = settings.clientOf(rpc.service);
  if (client === undefined) throw new UnservableError(rpc, `no upstream is given for ${rpc.service}`);
  const etagFields = etagOfRequest(binding);
  const encode = requestEncoder(binding, settings.ignoreUnknown, etagFields);
  const raw = takesRawBody(binding);
  const answer = answerOf(binding, settings.writers);
  const errors = { writers: settings.errorWriters, domain: settings.domain, callersPath: callersPath(binding) };
  const send = rpc.responseStream ? streamSender(binding, answer, settings, errors) : unarySender(binding, answer, settings);
  return {
    streams: rpc.responseStream,
    serve: async (request, reply, segments, query) => {
      const { headers, method } = request;
      const body = request.body instanceof Buffer ? request.body : NO_BYTES;
      const contentType = headers["content-type"] ?? "";
      if (!raw && body.length > 0) requireJson(contentType, headers["content-encoding"]);
      const etag = isReading(method) ? undefined : wantedEtag(method, headers, etagFields !== undefined);
      const message = encode({ segments, query, body, contentType, etag });
      const options = deadlineOf(timeLimitOf(headers), rpc.responseStream ? undefined : settings.deadlineMs);
      const metadata = settings.metadataOf(request);
      try {
        return await send({ client, path: rpc.path, message, metadata, options, returned: settings.returned }, request, reply);
      } catch (error) {
        if (!isServiceError(error)) throw error;
        const failed = grpcErrorBody(error, errors, request.log);
        // AIP-154: this is how a service says that the etag is stale.
        const isStale = etag !== undefined && error.code === status.ABORTED;
        return sendError(reply, isStale ? { error: { ...failed.error, code: 412 } } : failed, retryAfter(failed));
      }
    },
  };
}

/** The sooner of what the caller wants and what we allow, both in ms from now. */
function deadlineOf(wanted: number | undefined, most: number | undefined): { deadline?: number } {
  if (wanted === undefined && most === undefined) return {};
  return { deadline: Date.now() + Math.min(wanted ?? Number.POSITIVE_INFINITY, most ?? Number.POSITIVE_INFINITY) };
}

function isReading(method: string): boolean {
  return method === "GET" || method === "HEAD";
}

type Send = (call: Call, request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;

function unarySender(binding: Binding, answer: Answer, { writers }: EndpointSettings): Send {
  if (answer.kind === "raw") {
    return async (call, _request, reply) => {
      const { contentType, data } = answer.body(await callUnary(call, reply));
      return reply.type(contentType).send(data);
    };
  }
  const etagOf = etagOfAnswer(binding, writers);
  return async (call, request, reply) => {
    accepted(request, ["application/json"]);
    const message = await callUnary(call, reply);
    const etag = etagOf?.(message);
    if (etag !== undefined) reply.header("etag", etag);
    if (isReading(request.method) && isNotModified(request.headers, etag)) return reply.code(304).send();
    return reply.type("application/json; charset=utf-8").send(answer.json(message));
  };
}

function streamSender(binding: Binding, answer: Answer, settings: EndpointSettings, errors: GrpcErrorSettings): Send {
  const { writers, eventId, eventType, heartbeatMs, openStreams } = settings;
  const fields = {
    id: eventId === undefined ? undefined : pickerOf(binding, writers, eventId),
    event: eventType === undefined ? undefined : pickerOf(binding, writers, eventType),
  };
  const formatOf = (request: FastifyRequest) => {
    if (answer.kind === "raw") return answer;
    const type = accepted(request, [EVENT_STREAM, ...LINES]);
    return type === EVENT_STREAM ? eventStream(answer.json, fields) : lines(answer.json, type);
  };
  return (call, request, reply) => {
    const failed = (error: Error): ErrorBody => {
      if (isServiceError(error)) return grpcErrorBody(error, errors, request.log);
      request.log.error({ err: error }, "a message has no JSON");
      return errorBody(internal, settings.domain);
    };
    return answerStream(call, formatOf(request), { heartbeatMs, open: openStreams, errorBody: failed }, reply);
  };
}

function accepted<Offer extends string>(request: FastifyRequest, offers: readonly Offer[]): Offer {
  const type = preferred(request.headers.accept, offers);
  if (type !== undefined) return type;
  const message = `The answer can be ${offers.join(" or ")}.`;
  throw new RestError({ code: "INVALID_ARGUMENT", reason: "NOT_ACCEPTABLE", message, httpStatus: 406 });
}

/** A body without a type is taken for JSON. Throws if it says that it is something else. */
function requireJson(contentType: string, encoding: string | undefined): void {
  const [type = "", ...parameters] = contentType
    .toLowerCase()
    .split(";")
    .map((part) => part.trim());
  const charset =
    parameters
      .find((parameter) => parameter.startsWith("charset="))
      ?.slice(8)
      .replaceAll('"', "") ?? "utf-8";
  const plain = encoding === undefined || encoding === "identity";
  if (plain && (type === "" || JSON_TYPE.test(type)) && (charset === "utf-8" || charset === "utf8")) return;
  const message = "The body must be application/json in UTF-8, and not compressed.";
  throw new RestError({
    code: "INVALID_ARGUMENT",
    reason: "UNSUPPORTED_MEDIA_TYPE",
    message,
    httpStatus: 415,
    headers: { "accept-encoding": "identity" },
  });
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "code" in error && typeof error.code === "number" && "details" in error && "metadata" in error;
}
