import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import {
  type Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from "@grpc/grpc-js";
import { loadSync, type ServiceDefinition } from "@grpc/proto-loader";
import Fastify, { type FastifyInstance } from "fastify";
import { clientErrorHandler } from "../src/client-error.ts";
import { errorHandler, notFoundHandler } from "../src/errors.ts";
import { type TranscoderOptions, transcoder } from "../src/plugin.ts";

export const protoDir = join(import.meta.dirname, "protos");
const googleProtos = dirname(createRequire(import.meta.url).resolve("google-proto-files/package.json"));

type Message = Record<string, unknown>;
type Stream = ServerWritableStream<Message, Message>;
type Unary = ServerUnaryCall<Message, Message>;

/** What the service was asked: the rpc, and the message as an independent decoder (protobufjs) read it. */
export interface Asked {
  readonly rpc: string;
  readonly message: Message;
  readonly metadata: Metadata;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  json(): unknown;
}

/** A real gRPC service on a free port, and a real Fastify application that serves it over REST. */
export class Library {
  readonly asked: Asked[] = [];
  /** What an rpc answers with: a message, an error to fail with, or a function of its own. */
  readonly answers = new Map<string, Message | Error | ((call: Unary, done: sendUnaryData<Message>) => void)>();
  readonly streams = new Map<string, (call: Stream) => void>();
  readonly logs: string[] = [];
  app: FastifyInstance = Fastify();
  target = "";
  private readonly server = new Server();

  async start(options: Partial<TranscoderOptions> = {}, around?: (app: FastifyInstance) => void): Promise<this> {
    const loaded = loadSync("library/v1/library_service.proto", {
      includeDirs: [protoDir, googleProtos],
      keepCase: true,
      longs: String,
      enums: String,
    });
    const definition = loaded["library.v1.LibraryService"] as ServiceDefinition;
    this.server.addService(
      definition,
      Object.fromEntries(
        Object.entries(definition).map(([rpc, { responseStream }]) => [rpc, responseStream ? this.streamer(rpc) : this.answerer(rpc)]),
      ),
    );
    const port = await new Promise<number>((resolve, reject) => {
      this.server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound)));
    });
    this.target = `127.0.0.1:${port}`;
    this.app = Fastify({
      logger: { level: "warn", stream: { write: (line: string) => this.logs.push(line) } },
      frameworkErrors: errorHandler("library"),
      clientErrorHandler: clientErrorHandler("library"),
    });
    around?.(this.app);
    this.app.setNotFoundHandler(notFoundHandler("library"));
    this.app.register(transcoder, { protoDirs: [protoDir], upstreams: { "library.v1": this.target }, domain: "library", ...options });
    await this.app.listen({ port: 0, host: "127.0.0.1" });
    return this;
  }

  private answerer(rpc: string) {
    return (call: Unary, done: sendUnaryData<Message>): void => {
      this.asked.push({ rpc, message: call.request, metadata: call.metadata });
      const answer = this.answers.get(rpc) ?? {};
      if (typeof answer === "function") answer(call, done);
      else if (answer instanceof Error) done(answer);
      else done(null, answer);
    };
  }

  private streamer(rpc: string) {
    return (call: Stream): void => {
      this.asked.push({ rpc, message: call.request, metadata: call.metadata });
      const stream = this.streams.get(rpc);
      if (stream === undefined) call.end();
      else stream(call);
    };
  }

  /** What was asked last, as `[rpc, message]`. */
  get last(): [string, Message] | undefined {
    const asked = this.asked.at(-1);
    return asked && [asked.rpc, asked.message];
  }

  get port(): number {
    return (this.app.server.address() as AddressInfo).port;
  }

  /** Sends a request whose path is not touched on its way, and waits for the whole answer. */
  async call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await this.open(method, path, body, headers);
    let text = "";
    for await (const chunk of response.setEncoding("utf8")) text += chunk;
    return { status: response.statusCode ?? 0, headers: response.headers, text, json: () => JSON.parse(text) };
  }

  /** The same, as soon as the head of the answer is there. A body that is no text is sent as JSON. */
  open(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<IncomingMessage> {
    const text = body === undefined || typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
    const type = text === undefined ? {} : { "content-type": "application/json", "content-length": String(Buffer.byteLength(text)) };
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest(
        { host: "127.0.0.1", port: this.port, method, path, headers: { ...type, ...headers }, agent: false },
        resolve,
      );
      outgoing.on("error", reject);
      outgoing.end(text);
    });
  }

  async stop(): Promise<void> {
    await this.app.close();
    this.server.forceShutdown();
  }
}
