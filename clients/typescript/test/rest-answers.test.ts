import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { grpcTransport } from "../dist/src/grpc.js";
import { ApiError, chargemesh, restTransport } from "../dist/src/index.js";

// What no gateway of ours says, but what may stand between it and a client.

const servers: Server[] = [];
const sockets: Socket[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** Starts a server; answers its URL. */
async function listen(server: Server): Promise<string> {
  servers.push(server.on("connection", (socket) => sockets.push(socket)).listen(0, "127.0.0.1"));
  await once(server, "listening");
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
}

/** A server that answers in its own way, and its URL. */
function serve(answer: RequestListener): Promise<string> {
  return listen(createServer(answer));
}

test.each([
  [502, "UNAVAILABLE"],
  [401, "UNAUTHENTICATED"],
  [429, "RESOURCE_EXHAUSTED"],
  [418, "UNKNOWN"],
])("an HTTP %i that is none of ours is %s", async (status, code) => {
  const url = await serve((_request, response) => response.writeHead(status, { "content-type": "text/html" }).end("<h1>Sorry</h1>"));
  const call = chargemesh(restTransport(url)).chargers.listChargers({});
  await expect(call).rejects.toMatchObject({ name: "ApiError", code, reason: "", message: `HTTP ${status}` });
});

test("a service that does not answer is given up in time, one that is not there at once", async () => {
  const silent = await listen(createTcpServer((socket) => socket.resume()));
  for (const transport of [restTransport(silent), grpcTransport({ "*": silent })]) {
    const call = chargemesh(transport).signingKeys.listSigningKeys({}, { timeoutMs: 200 });
    await expect(call).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
  }
  const gone = await serve(() => undefined);
  servers.pop()?.close();
  for (const transport of [restTransport(gone), grpcTransport({ "*": gone })]) {
    await expect(chargemesh(transport).signingKeys.listSigningKeys({})).rejects.toMatchObject({ code: "UNAVAILABLE" });
  }
});

test("a file comes in parts as it is, and one that breaks off is a failure", async () => {
  const url = await serve((request, response) => {
    response.writeHead(200, { "content-type": "application/octet-stream" }).write("0123");
    if (request.url?.includes("half")) response.once("drain", () => response.destroy()).write("4".repeat(1_000_000));
    else response.end("456789");
  });
  const client = chargemesh(restTransport(url));
  const read = async (id: string): Promise<string> => {
    const parts: Uint8Array[] = [];
    for await (const { body } of client.uploads.downloadUpload({ id })) {
      expect(body?.contentType).toBe("application/octet-stream");
      parts.push(body?.data ?? new Uint8Array());
    }
    return Buffer.concat(parts).toString();
  };
  expect(await read("whole")).toBe("0123456789");
  await expect(read("half")).rejects.toMatchObject({ code: "UNAVAILABLE" });
});

test("a service that nobody said the place of is not called", async () => {
  const client = chargemesh(grpcTransport({ "chargemesh.auth.v1": "http://127.0.0.1:1" }));
  await expect(client.messages.listMessages({})).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
});

test("server-sent events are read however they are cut, and what is newer than we are is left out", async () => {
  const stream = [
    ': open\r\n\r\nid: 1\r\nevent: x\r\ndata: {"id":"one",\r',
    '\ndata:  "cursor":"1","later":true}\r\n\r',
    '\n: heartbeat\n\nretry: 5\n\ndata:{"id":"zwölf","data":{"@type":"type.googleapis.com/chargemesh.charger.v9.New","a":1}}\n\n',
    'event: error\ndata: {"error":{"code":401,"status":"UNAUTHENTICATED","message":"Over.","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"TOKEN_EXPIRED"},{"@type":"type.googleapis.com/google.rpc.Help"}]}}\n\n',
  ].join("");
  // A byte at a time, so that lines and characters are cut wherever they can be.
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of new TextEncoder().encode(stream)) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  const transport = restTransport("", { fetch: async () => new Response(body, { headers: { "content-type": "text/event-stream" } }) });
  const seen: unknown[] = [];
  const failure = (async () => {
    for await (const { event } of chargemesh(transport).events.watchEvents({})) seen.push([event?.id, event?.cursor, event?.data?.typeUrl]);
  })();
  await expect(failure).rejects.toMatchObject({ code: "UNAUTHENTICATED", reason: "TOKEN_EXPIRED", message: "Over." });
  expect(seen).toEqual([
    ["one", "1", undefined],
    ["zwölf", "", "type.googleapis.com/chargemesh.charger.v9.New"],
  ]);
  await expect(failure).rejects.toBeInstanceOf(ApiError);
});
