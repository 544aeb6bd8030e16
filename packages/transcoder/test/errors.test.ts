import { Metadata, status } from "@grpc/grpc-js";
import Fastify from "fastify";
import protobuf from "protobufjs";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { errorBody, errorHandler, RestError } from "../src/errors.ts";
import { codes } from "../src/http-status.ts";
import { Library } from "./library.ts";

const library = new Library();

beforeAll(() => library.start());
beforeEach(() => library.logs.splice(0));
afterAll(() => library.stop());

// google.rpc.Status and its details, written down here so that the test does not read them with the code it tests.
const { root } = protobuf.parse(`
  syntax = "proto3";
  message Any { string type_url = 1; bytes value = 2; }
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message ErrorInfo { string reason = 1; string domain = 2; map<string, string> metadata = 3; }
  message FieldViolation { string field = 1; string description = 2; }
  message BadRequest { repeated FieldViolation field_violations = 1; }
  message Duration { int64 seconds = 1; }
  message RetryInfo { Duration retry_delay = 1; }
  message DebugInfo { repeated string stack_entries = 1; string detail = 2; }
`);

function failure(code: number, details: string, ...anys: [type: string, value: object][]): Error {
  const encode = (type: string, value: object) => root.lookupType(type).encode(root.lookupType(type).fromObject(value)).finish();
  const list = anys.map(([type, value]) => ({
    typeUrl: `type.googleapis.com/google.rpc.${type}`,
    value: encode(type === "Unheard" ? "Any" : type, value),
  }));
  const metadata = new Metadata();
  if (list.length > 0) metadata.set("grpc-status-details-bin", Buffer.from(encode("Status", { code, message: details, details: list })));
  return Object.assign(new Error(details), { code, details, metadata });
}

const info = (reason: string, domain = "library") => ({ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason, domain });

test("the details of a failure keep their meaning", async () => {
  library.answers.set(
    "Fail",
    failure(
      status.INVALID_ARGUMENT,
      "Two fields are wrong.",
      ["ErrorInfo", { reason: "BOOK_INVALID", domain: "books", metadata: { id: "b1" } }],
      ["BadRequest", { fieldViolations: [{ field: "book.id", description: "must match ^b" }] }],
      ["RetryInfo", { retryDelay: { seconds: 3 } }],
    ),
  );
  const answer = await library.call("GET", "/v1/failures/3");
  expect([answer.status, answer.headers["content-type"], answer.json()]).toEqual([
    400,
    "application/json; charset=utf-8",
    {
      error: {
        code: 400,
        status: "INVALID_ARGUMENT",
        message: "Two fields are wrong.",
        details: [
          { ...info("BOOK_INVALID", "books"), metadata: { id: "b1" } },
          { "@type": "type.googleapis.com/google.rpc.BadRequest", fieldViolations: [{ field: "book.id", description: "must match ^b" }] },
          { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "3s" },
        ],
      },
    },
  ]);
});

test.each([
  [status.CANCELLED, 499, "CANCELLED"],
  [status.INVALID_ARGUMENT, 400, "INVALID_ARGUMENT"],
  [status.DEADLINE_EXCEEDED, 504, "DEADLINE_EXCEEDED"],
  [status.NOT_FOUND, 404, "NOT_FOUND"],
  [status.ALREADY_EXISTS, 409, "ALREADY_EXISTS"],
  [status.PERMISSION_DENIED, 403, "PERMISSION_DENIED"],
  [status.RESOURCE_EXHAUSTED, 429, "RESOURCE_EXHAUSTED"],
  [status.FAILED_PRECONDITION, 400, "FAILED_PRECONDITION"],
  [status.ABORTED, 409, "ABORTED"],
  [status.OUT_OF_RANGE, 400, "OUT_OF_RANGE"],
  [status.UNIMPLEMENTED, 501, "UNIMPLEMENTED"],
  [status.UNAVAILABLE, 503, "UNAVAILABLE"],
  [status.UNAUTHENTICATED, 401, "UNAUTHENTICATED"],
])("gRPC's %i is HTTP's %i", async (code, http, name) => {
  library.answers.set("Fail", failure(code, "Because.", ["ErrorInfo", { reason: "WHY", domain: "books" }]));
  const answer = await library.call("GET", "/v1/failures/0");
  expect(answer.status).toBe(http);
  expect(answer.json()).toEqual({ error: { code: http, status: name, message: "Because.", details: [info("WHY", "books")] } });
  expect(answer.headers["www-authenticate"]).toBe(http === 401 ? "Bearer" : undefined);
});

test("every code of gRPC has its row", () => {
  const numbers = Object.values(status).filter((value) => typeof value === "number");
  expect(Object.values(codes).map(({ grpc }) => grpc)).toEqual(numbers);
});

test.each([
  [status.UNKNOWN, "TypeError: x is undefined"],
  [status.INTERNAL, "select * from secrets"],
  [status.DATA_LOSS, "/var/lib/disk"],
])("a bug says nothing of itself: %i", async (code, details) => {
  library.answers.set("Fail", failure(code, details, ["DebugInfo", { detail: "stack" }]));
  const answer = await library.call("GET", "/v1/failures/0");
  const message = "Something went wrong on our side.";
  expect([answer.status, answer.json()]).toEqual([500, { error: { code: 500, status: "INTERNAL", message, details: [info("INTERNAL")] } }]);
  expect(library.logs.join()).toContain(details);
});

test("a failure without details gets a reason, and debug information and what no proto knows stays inside", async () => {
  library.answers.set("Fail", failure(status.NOT_FOUND, "No book b1."));
  expect((await library.call("GET", "/v1/failures/0")).json()).toEqual({
    error: { code: 404, status: "NOT_FOUND", message: "No book b1.", details: [info("NOT_FOUND")] },
  });
  library.answers.set("Fail", failure(status.NOT_FOUND, "No book b1.", ["DebugInfo", { detail: "stack" }], ["Unheard", { typeUrl: "x" }]));
  expect((await library.call("GET", "/v1/failures/0")).json()).toMatchObject({ error: { details: [info("NOT_FOUND")] } });
  expect(library.logs.join()).toContain("google.rpc.Unheard");
});

test("a trailer that holds rubbish costs the details only", async () => {
  const error = Object.assign(failure(status.NOT_FOUND, "No book b1."), { metadata: new Metadata() });
  error.metadata.set("grpc-status-details-bin", Buffer.from([0xff, 0xff, 0xff]));
  library.answers.set("Fail", error);
  expect((await library.call("GET", "/v1/failures/0")).json()).toMatchObject({ error: { code: 404, details: [info("NOT_FOUND")] } });
});

test("a service that is not there is 503 and its address stays inside", async () => {
  const nowhere = new Library();
  await nowhere.start({ upstreams: { "*": "127.0.0.1:1" } });
  try {
    const answer = await nowhere.call("GET", "/v1/books/b1");
    const message = "The service is not available at the moment.";
    expect([answer.status, answer.json()]).toEqual([
      503,
      { error: { code: 503, status: "UNAVAILABLE", message, details: [info("UNAVAILABLE")] } },
    ]);
    expect(nowhere.logs.join()).toContain("127.0.0.1:1");
    const stream = await nowhere.call("GET", "/v1/books:watch");
    expect([stream.status, stream.json()]).toMatchObject([503, { error: { status: "UNAVAILABLE" } }]);
  } finally {
    await nowhere.stop();
  }
});

test("an application may speak the same way of its own errors", async () => {
  const app = Fastify();
  app.setErrorHandler(errorHandler("shop"));
  app.get("/known", async () => {
    throw new RestError({
      code: "PERMISSION_DENIED",
      reason: "CLOSED",
      message: "We are closed.",
      metadata: { until: "nine" },
      headers: { "x-why": "night" },
    });
  });
  app.get("/bug", async () => {
    throw new Error("secret");
  });
  app.get("/busy", async () => {
    throw Object.assign(new Error("queue of db1 is full"), { statusCode: 503 });
  });
  app.get("/many", async () => {
    throw Object.assign(new Error("Too many requests."), { statusCode: 429, code: "TOO_MANY" });
  });
  const get = async (url: string) => {
    const answer = await app.inject(url);
    return [answer.statusCode, answer.json()];
  };
  expect(await get("/known")).toEqual([
    403,
    {
      error: {
        code: 403,
        status: "PERMISSION_DENIED",
        message: "We are closed.",
        details: [{ ...info("CLOSED", "shop"), metadata: { until: "nine" } }],
      },
    },
  ]);
  expect((await app.inject("/known")).headers["x-why"]).toBe("night");
  expect(await get("/bug")).toMatchObject([500, { error: { status: "INTERNAL", message: "Something went wrong on our side." } }]);
  expect(await get("/busy")).toMatchObject([
    503,
    { error: { status: "UNAVAILABLE", message: "The service is not available at the moment." } },
  ]);
  expect(await get("/many")).toMatchObject([429, { error: { status: "RESOURCE_EXHAUSTED", message: "Too many requests." } }]);
  expect(
    errorBody({ code: "ABORTED", reason: "STALE", message: "Stale.", violations: [{ field: "etag", description: "is old" }] }, "shop")
      .error,
  ).toEqual({
    code: 409,
    status: "ABORTED",
    message: "Stale.",
    details: [
      info("STALE", "shop"),
      { "@type": "type.googleapis.com/google.rpc.BadRequest", fieldViolations: [{ field: "etag", description: "is old" }] },
    ],
  });
  await app.close();
});
