import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { setTimeout } from "node:timers/promises";
import { Metadata, status } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Library } from "./library.ts";

const library = new Library();
const path = "/v1/books:watch";

beforeAll(() => library.start({ stream: { heartbeatMs: 50, id: "cursor", event: "type" } }));
afterAll(() => library.stop());

/** Reads until `wanted` has come. */
async function until(response: IncomingMessage, wanted: string): Promise<string> {
  let text = "";
  for await (const chunk of response.setEncoding("utf8").iterator({ destroyOnReturn: false })) {
    text += chunk;
    if (text.includes(wanted)) return text;
  }
  throw new Error(`${wanted} did not come, but: ${text}`);
}

const event = (cursor: number, id: string) => ({ event: { cursor, type: "added", book: { id } } });
const shown = (cursor: number, id: string) =>
  `{"cursor":"${cursor}","type":"added","book":{"id":"${id}","displayTitle":"","genre":"GENRE_UNSPECIFIED","authors":[],"labels":{}}}`;

test("messages are server-sent events, and the last one seen is told to the service", async () => {
  library.streams.set("WatchBooks", (call) => {
    call.write(event(7, "b1"));
    call.write(event(8, "b2"));
    call.write({ event: { type: "two\nlines" } });
    call.end();
  });
  const answer = await library.call("GET", `${path}?plan=x&count=2`, undefined, { accept: "text/event-stream", "last-event-id": "6" });
  expect([answer.status, answer.headers["content-type"], answer.headers["cache-control"]]).toEqual([
    200,
    "text/event-stream; charset=utf-8",
    "no-store, no-transform",
  ]);
  expect(answer.text).toBe(
    `: open\n\nid: 7\nevent: added\ndata: ${shown(7, "b1")}\n\nid: 8\nevent: added\ndata: ${shown(8, "b2")}\n\ndata: {"cursor":"0","type":"two\\nlines"}\n\n`,
  );
  expect(library.last).toEqual(["WatchBooks", { plan: "x", count: 2 }]);
  expect(library.asked.at(-1)?.metadata.get("last-event-id")).toEqual(["6"]);
});

test.each(["application/x-ndjson", "application/jsonl;q=0.5, text/html"])("messages are lines for %s", async (accept) => {
  library.streams.set("WatchBooks", (call) => {
    call.write(event(7, "b1"));
    call.write({});
    call.end();
  });
  const answer = await library.call("GET", path, undefined, { accept });
  expect([answer.status, answer.headers["content-type"], answer.text]).toEqual([200, accept.split(";")[0], `\n${shown(7, "b1")}\nnull\n`]);
});

test("no other form is offered", async () => {
  const answer = await library.call("GET", path, undefined, { accept: "application/json" });
  expect([answer.status, answer.json()]).toMatchObject([406, { error: { details: [{ reason: "NOT_ACCEPTABLE" }] } }]);
});

test("a call that is refused is an answer with a status", async () => {
  library.streams.set("WatchBooks", (call) => void call.emit("error", { code: status.UNAUTHENTICATED, details: "Who are you?" }));
  const answer = await library.call("GET", path);
  expect([answer.status, answer.headers["www-authenticate"], answer.json()]).toMatchObject([
    401,
    "Bearer",
    { error: { message: "Who are you?" } },
  ]);
});

test.each([
  ["text/event-stream", (body: string) => `: open\n\nid: 7\nevent: added\ndata: ${shown(7, "b1")}\n\nevent: error\ndata: ${body}\n\n`],
  ["application/x-ndjson", (body: string) => `\n${shown(7, "b1")}\n${body}\n`],
])("a failure after the first message is told in the stream: %s", async (accept, expected) => {
  library.streams.set("WatchBooks", (call) => {
    call.write(event(7, "b1"), () =>
      setImmediate(() => call.emit("error", { code: status.ABORTED, details: "Too far behind.", metadata: new Metadata() })),
    );
  });
  const answer = await library.call("GET", path, undefined, { accept });
  const info = { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "ABORTED", domain: "library" };
  expect(answer.text).toBe(
    expected(JSON.stringify({ error: { code: 409, status: "ABORTED", message: "Too far behind.", details: [info] } })),
  );
});

test("a stream opens and beats while the service is silent, and a caller that goes away cancels the call", async () => {
  const cancelled = new Promise<void>((resolve) => {
    library.streams.set("WatchBooks", (call) => {
      call.sendMetadata(new Metadata());
      call.on("cancelled", resolve);
    });
  });
  const response = await library.open("GET", path);
  expect(await until(response, ": heartbeat\n\n: heartbeat\n\n")).toMatch(/^: open\n\n/);
  response.destroy();
  await cancelled;
});

test.each([
  ["text/event-stream", ": open"],
  ["application/x-ndjson", "\n"],
])("a service that says nothing at all does not keep the stream from opening: %s", async (accept, opening) => {
  library.streams.set("WatchBooks", () => undefined);
  const response = await library.open("GET", path, undefined, { accept });
  expect(response.statusCode).toBe(200);
  await until(response, opening);
  response.destroy();
});

test("a caller that reads slowly holds the service back", async () => {
  const total = 3000;
  const large = { event: { cursor: 1, book: { id: "x".repeat(10_000) } } };
  let written = 0;
  library.streams.set("WatchBooks", (call) => {
    const write = (): void => {
      while (written < total) {
        written++;
        if (!call.write(large)) {
          call.once("drain", write);
          return;
        }
      }
      call.end();
    };
    write();
  });
  const response = await library.open("GET", path, undefined, { accept: "application/x-ndjson" });
  response.pause();
  // Nobody tells when the buffers in between are full: they are when nothing moves any more.
  for (let before = -1; before !== written; await setTimeout(200)) before = written;
  expect(written).toBeLessThan(total / 2);
  let lines = 0;
  for await (const chunk of response.setEncoding("utf8")) lines += String(chunk).split("}}\n").length - 1;
  expect([lines, written]).toEqual([total, total]);
});

test("bytes stream as they are, as what the first message says", async () => {
  library.streams.set("StreamFile", (call) => {
    call.write({ content_type: "text/csv", data: Buffer.from("a,b\n") });
    call.write({ data: Buffer.from("1,2\n") });
    call.end();
  });
  const answer = await library.call("GET", "/v1/streams/table.csv");
  expect([answer.status, answer.headers["content-type"], answer.text]).toEqual([200, "text/csv", "a,b\n1,2\n"]);
  library.streams.set("StreamFile", (call) => void call.emit("error", { code: status.NOT_FOUND, details: "No such file." }));
  expect((await library.call("GET", "/v1/streams/none")).status).toBe(404);
  library.streams.set("StreamFile", (call) => call.end());
  expect((await library.call("GET", "/v1/streams/empty")).text).toBe("");
});

test("bytes that do not come to their end break off: no part is taken for the whole", async () => {
  library.streams.set("StreamFile", (call) => {
    call.write({ content_type: "text/csv", data: Buffer.from("a,b\n") });
    call.emit("error", { code: status.UNAVAILABLE, details: "The disk is gone." });
  });
  await expect(library.call("GET", "/v1/streams/half.csv")).rejects.toThrow();
});

test("a message that has no JSON ends the stream with an error", async () => {
  library.streams.set("WatchBooks", (call) => {
    call.write({ event: { book: { publish_time: { seconds: "999999999999" } } } });
    call.write(event(7, "b1"));
  });
  const answer = await library.call("GET", path);
  expect(answer.text).toContain('event: error\ndata: {"error":{"code":500,"status":"INTERNAL"');
  expect(answer.text).not.toContain("b1");
});

test("closing the application ends its streams", async () => {
  const closing = new Library();
  await closing.start();
  closing.streams.set("WatchBooks", (call) => call.sendMetadata(new Metadata()));
  const response = await closing.open("GET", path);
  await until(response, ": open");
  const ended = once(response.resume(), "end");
  await closing.stop();
  await ended;
});
