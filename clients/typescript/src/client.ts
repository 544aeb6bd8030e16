import {
  type DescMessage,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type DescService,
  getOption,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import { type CallOptions, type Client, makeAnyClient, type Transport } from "@connectrpc/connect";
import { Access_Level, access } from "../gen/chargemesh/rules/v1.js";
import { services } from "../gen/chargemesh/services.js";
import { ApiError } from "./api-error.js";
import type { Tokens } from "./tokens.js";

/** A typed function for every rpc, by service: `client.chargers.createCharger({ … })`. Those that stream answer an async iterable. */
export type Chargemesh = { readonly [Name in keyof typeof services]: Client<(typeof services)[Name]> };

/**
 * The whole API over `transport`, for whoever `tokens` speaks for. Calls reject with an ApiError. A token that is refused is replaced once.
 * Leaving the loop over a stream cancels the call.
 */
export function chargemesh(transport: Transport, tokens?: Tokens): Chargemesh {
  const entries = Object.entries(services).map(([name, service]) => [name, clientOf(service, transport, tokens)]);
  return Object.fromEntries(entries) as Chargemesh;
}

function clientOf(service: DescService, transport: Transport, tokens: Tokens | undefined) {
  return makeAnyClient(service, (method) => {
    const isPublic = getOption(method, access).level === Access_Level.PUBLIC;
    const tokensOf = isPublic ? undefined : tokens;
    if (method.methodKind === "unary") return unary(transport, method, tokensOf);
    return method.methodKind === "server_streaming" ? streaming(transport, method, tokensOf) : null;
  });
}

function unary<I extends DescMessage, O extends DescMessage>(transport: Transport, method: DescMethodUnary<I, O>, tokens?: Tokens) {
  return async (input: MessageInitShape<I>, options: CallOptions = {}): Promise<MessageShape<O>> => {
    const { signal, timeoutMs, headers, onHeader, onTrailer, contextValues } = options;
    const response = await authorized(tokens, headers, (header) =>
      transport.unary(method, signal, timeoutMs, header, input, contextValues),
    );
    onHeader?.(response.header);
    onTrailer?.(response.trailer);
    return response.message;
  };
}

function streaming<I extends DescMessage, O extends DescMessage>(
  transport: Transport,
  method: DescMethodServerStreaming<I, O>,
  tokens?: Tokens,
) {
  return async function* (input: MessageInitShape<I>, options: CallOptions = {}): AsyncGenerator<MessageShape<O>, void, undefined> {
    const { timeoutMs, headers, onHeader, onTrailer, contextValues } = options;
    // A reader who leaves early ends the call, which no transport does by itself.
    const left = new AbortController();
    const signal = AbortSignal.any([left.signal, ...(options.signal === undefined ? [] : [options.signal])]);
    try {
      const response = await authorized(tokens, headers, (header) =>
        transport.stream(method, signal, timeoutMs, header, single(input), contextValues),
      );
      onHeader?.(response.header);
      yield* response.message;
      onTrailer?.(response.trailer);
    } catch (error) {
      throw ApiError.from(error);
    } finally {
      left.abort();
    }
  };
}

/** Calls with a token, and once more with a new one if a service refuses it. */
async function authorized<T>(
  tokens: Tokens | undefined,
  headers: HeadersInit | undefined,
  call: (header: Headers) => Promise<T>,
): Promise<T> {
  const withToken = (token: string): Headers => {
    const header = new Headers(headers);
    header.set("authorization", `Bearer ${token}`);
    return header;
  };
  try {
    if (tokens === undefined) return await call(new Headers(headers));
    const token = await tokens();
    try {
      return await call(withToken(token));
    } catch (error) {
      if (ApiError.from(error).code !== "UNAUTHENTICATED") throw error;
      return await call(withToken(await tokens(token)));
    }
  } catch (error) {
    throw ApiError.from(error);
  }
}

async function* single<T>(input: T): AsyncGenerator<T> {
  yield input;
}
