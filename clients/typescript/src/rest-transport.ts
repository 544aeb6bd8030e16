import { create, type DescMessage, type DescMethod, type MessageInitShape, type MessageShape, toJson } from "@bufbuild/protobuf";
import { base64Encode } from "@bufbuild/protobuf/wire";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { registry } from "../gen/chargemesh/services.js";
import { readEvents } from "./event-stream.js";
import { readError, readMessage } from "./http-answer.js";
import { type HttpRequest, httpRequest, isObject } from "./http-request.js";

export interface RestOptions {
  /** In place of the global one. */
  readonly fetch?: typeof globalThis.fetch;
}

/**
 * Calls over REST, through the gateway at `url`: in browsers, in Node, wherever there is `fetch`. Each rpc goes where its google.api.http
 * option says; one that streams is read as server-sent events, or as the bytes of a file.
 */
export function restTransport(url: string, options: RestOptions = {}): Transport {
  const call: Call = { base: url.replace(/\/+$/, ""), fetch: options.fetch ?? globalThis.fetch.bind(globalThis) };
  return {
    async unary(method, signal, timeoutMs, header, input) {
      const http = toHttp(method, method.input, input);
      const { response, text } = await withLimits(signal, timeoutMs, async (limited) => {
        const response = await send(call, http, header, limited, "application/json");
        return { response, text: await response.text() };
      });
      const message = readMessage(method.output, JSON.parse(text), http.responseField);
      return { stream: false, service: method.parent, method, header: response.headers, message, trailer: new Headers() };
    },
    async stream(method, signal, timeoutMs, header, inputs) {
      const http = toHttp(method, method.input, await onlyOne(inputs));
      const areBytes = isBytes(method.output, http.responseField);
      const accept = areBytes ? "*/*" : "text/event-stream";
      const response = await withLimits(signal, timeoutMs, (limited) => send(call, http, header, limited, accept));
      const message = (areBytes ? partsOf : messagesOf)(response, method.output, http.responseField);
      return { stream: true, service: method.parent, method, header: response.headers, message, trailer: new Headers() };
    },
  };
}

interface Call {
  readonly base: string;
  readonly fetch: typeof globalThis.fetch;
}

function toHttp<I extends DescMessage>(method: DescMethod, desc: I, input: MessageInitShape<I>): HttpRequest {
  const json: unknown = toJson(desc, create(desc, input), { registry });
  return httpRequest(method, isObject(json) ? json : {});
}

/** Sends a request. Throws a ConnectError unless it is answered well. */
async function send(
  call: Call,
  http: HttpRequest,
  header: HeadersInit | undefined,
  signal: AbortSignal,
  accept: string,
): Promise<Response> {
  const { method, target, body } = http;
  const headers = new Headers(header);
  headers.set("accept", accept);
  if (body !== undefined) headers.set("content-type", "application/json");
  const response = await call.fetch(call.base + target, {
    method,
    headers,
    signal,
    cache: "no-store",
    ...(body !== undefined && { body }),
  });
  if (!response.ok) throw readError(await response.text(), response.status, response.headers);
  return response;
}

/** Runs something that can be given up, and makes a ConnectError of the ways in which it fails. */
async function withLimits<T>(
  signal: AbortSignal | undefined,
  timeoutMs: number | undefined,
  run: (limited: AbortSignal) => Promise<T>,
): Promise<T> {
  const timeout = timeoutMs !== undefined && timeoutMs > 0 ? [AbortSignal.timeout(timeoutMs)] : [];
  const limited = AbortSignal.any([...timeout, ...(signal === undefined ? [] : [signal])]);
  try {
    return await run(limited);
  } catch (error) {
    throw failureOf(error, limited);
  }
}

function failureOf(error: unknown, signal?: AbortSignal): ConnectError {
  if (error instanceof ConnectError) return error;
  const { reason }: { reason?: unknown } = signal?.aborted ? signal : {};
  if (reason instanceof DOMException && reason.name === "TimeoutError") return new ConnectError(reason.message, Code.DeadlineExceeded);
  if (signal?.aborted) return new ConnectError("The call was given up.", Code.Canceled, undefined, undefined, reason);
  // Of what else goes wrong, `fetch` says only that it is the network.
  return ConnectError.from(error, Code.Unavailable);
}

async function* messagesOf<O extends DescMessage>(
  response: Response,
  output: O,
  field: string | undefined,
): AsyncGenerator<MessageShape<O>> {
  if (response.body === null) return;
  try {
    for await (const { type, data } of readEvents(response.body)) {
      if (type === "error") throw readError(data, response.status, response.headers);
      yield readMessage(output, JSON.parse(data), field);
    }
  } catch (error) {
    throw failureOf(error);
  }
}

/** Whether an answer is a google.api.HttpBody: then the response is its bytes, and no events. */
function isBytes(output: DescMessage, field: string | undefined): boolean {
  const shown = field === undefined ? output : output.fields.find(({ jsonName }) => jsonName === field)?.message;
  return shown?.typeName === "google.api.HttpBody";
}

/** The bytes of a file, as they come. */
async function* partsOf<O extends DescMessage>(
  { body, headers }: Response,
  output: O,
  field: string | undefined,
): AsyncGenerator<MessageShape<O>> {
  if (body === null) return;
  const contentType = headers.get("content-type") ?? "";
  const reader = body.getReader();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      yield readMessage(output, { contentType, data: base64Encode(read.value) }, field);
    }
  } catch (error) {
    throw failureOf(error);
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function onlyOne<T>(inputs: AsyncIterable<T>): Promise<T> {
  for await (const input of inputs) return input;
  throw new ConnectError("REST has no streams from the client.", Code.Unimplemented);
}
