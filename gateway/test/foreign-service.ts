import { existsSync } from "node:fs";
import { join } from "node:path";
import { protoDirs as builtIn } from "@chargemesh/contracts/proto-dirs";
import { Metadata, Server, ServerCredentials, type ServerUnaryCall, type ServerWritableStream, type sendUnaryData } from "@grpc/grpc-js";
import protobuf from "protobufjs";

export type Message = Readonly<Record<string, unknown>>;

/** A folder of protos that have nothing to do with this project. */
export const foreignDir = join(import.meta.dirname, "foreign");

/** A real gRPC service for those protos, in words of its own: messages are decoded by protobufjs. */
export class ForeignService {
  /** What it was asked: the rpc and its message. */
  readonly asked: [rpc: string, message: Message, metadata: Metadata][] = [];
  /** What it answers with, by rpc; without one, with what it was asked. Several messages for a stream. */
  readonly answers = new Map<string, Message | Error>();
  private readonly server = new Server();
  private readonly root = new protobuf.Root();

  /** Resolves with the port. */
  start(): Promise<number> {
    this.root.resolvePath = (_origin, target) =>
      [foreignDir, ...builtIn].map((dir) => join(dir, target)).find((path) => existsSync(path)) ?? target;
    this.root.loadSync("acme/shop/v1/shop.proto", { keepCase: true });
    this.root.resolveAll();
    const service = this.root.lookupService("acme.shop.v1.ShopService");
    const methods = service.methodsArray.map((method) => {
      const { resolvedRequestType: request, resolvedResponseType: response } = method;
      if (request === null || response === null) throw new Error(`${method.name} is not resolved`);
      const definition = {
        path: `/acme.shop.v1.ShopService/${method.name}`,
        requestStream: false,
        responseStream: method.responseStream === true,
        requestDeserialize: (bytes: Buffer): Message => request.toObject(request.decode(bytes), { enums: String, longs: String }),
        responseSerialize: (message: Message): Buffer => Buffer.from(response.encode(response.fromObject(message)).finish()),
        requestSerialize: (): Buffer => Buffer.alloc(0),
        responseDeserialize: (): Message => ({}),
      };
      return { name: method.name, definition };
    });
    this.server.addService(
      Object.fromEntries(methods.map(({ name, definition }) => [name, definition])),
      Object.fromEntries(
        methods.map(({ name, definition }) => [name, definition.responseStream ? this.streamer(name) : this.answerer(name)]),
      ),
    );
    return new Promise((resolve, reject) => {
      this.server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => (error ? reject(error) : resolve(port)));
    });
  }

  private answerer(rpc: string) {
    return (call: ServerUnaryCall<Message, Message>, done: sendUnaryData<Message>): void => {
      this.asked.push([rpc, call.request, call.metadata]);
      const answer = this.answers.get(rpc) ?? call.request;
      const metadata = new Metadata();
      metadata.set("x-shop", "open");
      metadata.set("x-secret", "hush");
      call.sendMetadata(metadata);
      if (answer instanceof Error) done(answer);
      else done(null, answer);
    };
  }

  /** As many books as it is asked for. */
  private streamer(rpc: string) {
    return (call: ServerWritableStream<Message, Message>): void => {
      this.asked.push([rpc, call.request, call.metadata]);
      for (let index = 0; index < Number(call.request.count ?? 0); index++) call.write({ name: `b${index}` });
      call.end();
    };
  }

  stop(): void {
    this.server.forceShutdown();
  }
}
