import type { Client, ServiceError } from "@grpc/grpc-js";
import type { FastifyReply, FastifyRequest } from "fastify";
import { preferred } from "./accept.ts";
import { type Answer, answerOf, pickerOf } from "./answer.ts";
import { type ErrorBody, errorBody, internal, RestError, sendError } from "./errors.ts";
import { callersPath } from "./field-path.ts";
import { type GrpcErrorSettings, grpcErrorBody } from "./grpc-error.ts";
import { type Binding, UnservableError } from "./http-rule.ts";
import type { Writers } from "./json-writer.ts";
import type { MetadataOf } from "./metadata.ts";
import { requestEncoder, takesRawBody } from "./request-message.ts";
import { answerStream, EVENT_STREAM, eventStream, LINES, lines } from "./stream.ts";
import { answerUnary, type Call } from "./unary.ts";

export interface EndpointSettings {
  clientOf(service: string): Client | undefined;
  readonly domain: string;
  readonly deadlineMs: number;
  readonly ignoreUnknown: boolean;
  readonly metadataOf: MetadataOf;
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
  const encode = requestEncoder(binding, settings.ignoreUnknown);
  const raw = takesRawBody(binding);
  const answer = answerOf(binding, settings.writers);
  const errors = { writers: settings.errorWriters, domain: settings.domain, callersPath: callersPath(binding) };
  const send = rpc.responseStream ? streamSender(binding, answer, settings, errors) : unarySender(answer);
  return {
    streams: rpc.responseStream,
    serve: async (request, reply, segments, query) => {
      const body = request.body instanceof Buffer ? request.body : NO_BYTES;
      const contentType = request.headers["content-type"] ?? "";
      if (!raw && body.length > 0) requireJson(contentType, request.headers["content-encoding"]);
      const message = encode({ segments, query, body, contentType });
      const options = rpc.responseStream ? {} : { deadline: Date.now() + settings.deadlineMs };
      try {
        return await send({ client, path: rpc.path, message, metadata: settings.metadataOf(request), options }, request, reply);
      } catch (error) {
        if (!isServiceError(error)) throw error;
        return sendError(reply, grpcErrorBody(error, errors, request.log));
      }
    },
  };
}

type Send = (call: Call, request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;

function unarySender(answer: Answer): Send {
  return (call, request, reply) => {
    if (answer.kind === "json") accepted(request, ["application/json"]);
    return answerUnary(call, answer, reply);
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
  throw new RestError({ code: "INVALID_ARGUMENT", reason: "UNSUPPORTED_MEDIA_TYPE", message, httpStatus: 415 });
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "code" in error && typeof error.code === "number" && "details" in error && "metadata" in error;
}
