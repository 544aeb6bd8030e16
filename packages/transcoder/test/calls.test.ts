import { once } from "node:events";
import { request } from "node:http";
import { Client, credentials } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Library } from "./library.ts";

const library = new Library();

beforeAll(() =>
  library.start({ deadlineMs: 5_000, forwardHeaders: ["Authorization", "x-tags"], metadata: ({ id }) => ({ "x-request-id": id }) }),
);
afterAll(() => library.stop());

test("what is on the allow-list crosses as metadata, and nothing else", async () => {
  await library.call("GET", "/v1/books/b1", undefined, { authorization: "Bearer t", "x-tags": "a, b", cookie: "c=1", "x-other": "no" });
  const metadata = library.asked.at(-1)?.metadata.getMap() ?? {};
  expect(metadata).toMatchObject({ authorization: "Bearer t", "x-tags": "a, b", "x-request-id": expect.stringMatching(/^req-/) });
  expect(Object.keys(metadata)).not.toContain("cookie");
  expect(Object.keys(metadata)).not.toContain("x-other");
});

test("a header that metadata cannot hold is the caller's fault", async () => {
  const answer = await library.call("GET", "/v1/books/b1", undefined, { authorization: "Bearer \u00e9" });
  expect([answer.status, answer.json()]).toMatchObject([400, { error: { details: [{ reason: "INVALID_HEADER" }] } }]);
});

test("a service that takes too long is cut off, and told so", async () => {
  const cut = new Promise<void>((resolve) => {
    library.answers.set("GetBook", (call) => void call.on("cancelled", resolve));
  });
  const answer = await library.call("GET", "/v1/books/slow");
  library.answers.delete("GetBook");
  expect([answer.status, answer.json()]).toMatchObject([
    504,
    { error: { status: "DEADLINE_EXCEEDED", message: "The service did not answer in time." } },
  ]);
  await cut;
});

test("a caller that goes away cancels the call", async () => {
  const patient = new Library();
  await patient.start({ upstreams: { "*": library.target }, deadlineMs: 60_000 });
  try {
    const outgoing = request({ host: "127.0.0.1", port: patient.port, path: "/v1/books/b1" });
    outgoing.on("error", () => undefined);
    const cancelled = new Promise<void>((resolve) => {
      library.answers.set("GetBook", (call) => {
        call.on("cancelled", resolve);
        outgoing.destroy();
      });
    });
    outgoing.end();
    await cancelled;
  } finally {
    library.answers.delete("GetBook");
    await patient.stop();
  }
});

test("the most exact upstream is called, and a client that was handed in stays open", async () => {
  const mine = new Client(library.target, credentials.createInsecure());
  const app = new Library();
  await app.start({ upstreams: { "*": "127.0.0.1:1", library: "127.0.0.1:1", "library.v1.LibraryService": mine } });
  expect((await app.call("GET", "/v1/books/b1")).status).toBe(200);
  await app.stop();
  const answered = await new Promise((resolve) => {
    const raw = (bytes: Buffer) => bytes;
    mine.makeUnaryRequest("/library.v1.LibraryService/GetBook", raw, raw, Buffer.alloc(0), (error) => resolve(error));
  });
  expect(answered).toBeNull();
  mine.close();
});

test("a large message goes both ways", async () => {
  const big = new Library();
  await big.start({ bodyLimit: 3 << 20 });
  try {
    const text = "ü".repeat(1_000_000);
    big.answers.set("Echo", { a_string: text });
    const answer = await big.call("POST", "/v1/echo", { aString: text, strings: [text.slice(0, 300), ""] });
    expect([answer.status, big.last]).toEqual([200, ["Echo", { a_string: text, strings: [text.slice(0, 300), ""] }]]);
    expect(answer.json()).toMatchObject({ aString: text });
  } finally {
    await big.stop();
  }
});

test("many calls at once do not get in each other's way", async () => {
  library.answers.set("Echo", (call, done) => void setImmediate(() => done(null, call.request)));
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, index) => library.call("POST", "/v1/echo", { aString: `s${index}`, aMessage: { anInt32: index } })),
  );
  library.answers.delete("Echo");
  expect(answers.map((answer) => answer.json())).toEqual(
    Array.from({ length: 200 }, (_, index) =>
      expect.objectContaining({ aString: `s${index}`, aMessage: expect.objectContaining({ anInt32: index }) }),
    ),
  );
});

test("a body that comes in pieces is one body", async () => {
  const outgoing = request({
    host: "127.0.0.1",
    port: library.port,
    method: "POST",
    path: "/v1/books/b1:lend",
    headers: { "content-type": "application/json" },
  });
  outgoing.write('{"read');
  outgoing.end('er":"\u00e9"}');
  const [response] = (await once(outgoing, "response")) as [import("node:http").IncomingMessage];
  response.resume();
  expect([response.statusCode, library.last]).toEqual([200, ["LendBook", { id: "b1", reader: "\u00e9" }]]);
});
