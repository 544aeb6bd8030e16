import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { CallError, type Caller, makeSurroundings, type Replica, type Surroundings, startReplica } from "./service.ts";

// Nothing listens there: these tests need no bus.
const NO_NATS = "nats://127.0.0.1:1";

let surroundings: Surroundings;
let email: Replica;

beforeAll(async () => {
  surroundings = await makeSurroundings(NO_NATS);
  email = await startReplica(surroundings);
});
afterAll(async () => {
  await email.stop();
  await surroundings.remove();
});

/** How a call fails. */
async function failure(call: Promise<unknown>): Promise<Pick<CallError, "code" | "reason" | "fields">> {
  const err = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(err instanceof CallError)) throw new Error("it did not fail", { cause: err });
  return { code: err.code, reason: err.reason, fields: err.fields };
}

const invalid = (...fields: string[]) => ({ code: "INVALID_ARGUMENT", reason: "INVALID_FIELD", fields });

describe("who may", () => {
  const calls = {
    CreateMessage: (role: Caller) => email.create({}, role),
    GetMessage: (role: Caller) => email.get(randomUUID(), role),
    ListMessages: (role: Caller) => email.list({}, role),
    RetryMessage: (role: Caller) => email.retry(randomUUID(), role),
  };

  test.each(Object.entries(calls))("%s is for operators", async (_name, call) => {
    expect(await failure(call("DRIVER"))).toEqual({ code: "PERMISSION_DENIED", reason: "ACCESS_DENIED", fields: [] });
    expect(await failure(call("NOBODY"))).toEqual({ code: "UNAUTHENTICATED", reason: "TOKEN_MISSING", fields: [] });
  });

  test.each(["OPERATOR", "ADMIN"] as const)("%s may", async (role) => {
    const { id } = await email.create({}, role);
    expect(await email.get(id, role)).toMatchObject({ id });
    expect((await email.list({}, role)).messages).toContainEqual(expect.objectContaining({ id }));
  });
});

describe("CreateMessage", () => {
  test("sends at once", async () => {
    const created = await email.create({ to: "bob@example.com", subject: "Works", text: "The charger is back." });
    expect(created).toMatchObject({
      to: "bob@example.com",
      subject: "Works",
      text: "The charger is back.",
      template: "",
      eventId: "",
      state: "QUEUED",
      attempts: 0,
      lastError: "",
      sendTime: undefined,
    });
    expect(created.nextAttemptTime).toEqual(created.createTime);
    await email.reaches(created.id, { state: "SENT", attempts: 1, nextAttemptTime: undefined });
  });

  test("with a request_id creates one message, however often it is sent", async () => {
    const request = { to: "carol@example.com", subject: "Once", text: "Only once.", requestId: randomUUID() };
    const [first, ...others] = await Promise.all([1, 2, 3, 4].map(() => email.create(request)));
    expect(others.map(({ id }) => id)).toEqual([first?.id, first?.id, first?.id]);
    expect((await email.create({ ...request, requestId: request.requestId.toUpperCase() })).id).toBe(first?.id);
    expect((await email.list({ to: request.to })).messages).toHaveLength(1);
    expect(await failure(email.create({ ...request, text: "Something else." }))).toEqual(invalid("request_id"));
  });

  test.each([
    [{ to: "", subject: "", text: "" }, ["to", "subject", "text"]],
    [{ to: "not an address" }, ["to"]],
    [{ to: "a@b\r\nBcc: c@d" }, ["to"]],
    [{ to: "a@b,c@d" }, ["to"]],
    [{ to: `${"a".repeat(250)}@b.example` }, ["to"]],
    [{ subject: "two\r\nBcc: lines@example.com" }, ["subject"]],
    [{ subject: "x".repeat(201) }, ["subject"]],
    [{ text: "x".repeat(20_001) }, ["text"]],
    [{ text: "nothing\0" }, ["text"]],
    [{ requestId: "again" }, ["request_id"]],
  ])("refuses %j", async (request, fields) => {
    expect(await failure(email.create(request))).toEqual(invalid(...fields));
  });
});

describe("GetMessage and RetryMessage", () => {
  test("of no message are NOT_FOUND", async () => {
    const notFound = { code: "NOT_FOUND", reason: "MESSAGE_NOT_FOUND", fields: [] };
    expect(await failure(email.get(randomUUID()))).toEqual(notFound);
    expect(await failure(email.retry(randomUUID()))).toEqual(notFound);
  });

  test.each(["", "1", "0b5ffd2e-0000-0000-0000-00000000000g"])("refuse the id %j", async (id) => {
    expect(await failure(email.get(id))).toEqual(invalid("id"));
    expect(await failure(email.retry(id))).toEqual(invalid("id"));
  });

  test("only what has FAILED can be retried", async () => {
    const { id } = await email.create();
    await email.reaches(id, { state: "SENT" });
    expect(await failure(email.retry(id))).toEqual({ code: "FAILED_PRECONDITION", reason: "MESSAGE_NOT_FAILED", fields: [] });
    expect(await email.get(id)).toMatchObject({ state: "SENT", attempts: 1 });
  });
});

describe("ListMessages", () => {
  const to = "Dora@example.com";
  const subjects = Array.from({ length: 7 }, (_, i) => `number ${i}`);

  beforeEach(async () => {
    if ((await email.list({ to })).messages.length > 0) return;
    for (const subject of subjects) {
      const { id } = await email.create({ to, subject });
      await email.reaches(id, { state: "SENT" });
    }
  });

  test("answers the newest first, in pages", async () => {
    const seen: string[] = [];
    const sizes: number[] = [];
    for (let pageToken: string | undefined = ""; pageToken !== undefined; ) {
      const { messages, nextPageToken } = await email.list({ to, pageSize: 3, pageToken });
      seen.push(...messages.map(({ subject }) => subject));
      sizes.push(messages.length);
      pageToken = nextPageToken === "" ? undefined : nextPageToken;
    }
    expect(seen).toEqual(subjects.toReversed());
    expect(sizes).toEqual([3, 3, 1]);
  });

  test("a page is not disturbed by what is written meanwhile", async () => {
    const { nextPageToken } = await email.list({ to, pageSize: 2 });
    await email.create({ to: "dora@example.com.invalid" });
    const { messages } = await email.list({ to, pageSize: 2, pageToken: nextPageToken });
    expect(messages.map(({ subject }) => subject)).toEqual(["number 4", "number 3"]);
  });

  test("filters by address, without regard to case, and by state", async () => {
    expect((await email.list({ to: "dORA@EXAMPLE.com" })).messages).toHaveLength(7);
    expect((await email.list({ to, state: "SENT" })).messages).toHaveLength(7);
    expect((await email.list({ to, state: "FAILED" })).messages).toEqual([]);
    expect((await email.list({ to: "ora@example.com" })).messages).toEqual([]);
    expect((await email.list({ to: "%" })).messages).toEqual([]);
  });

  test("cuts a page of long texts so that any client takes it", async () => {
    const long = { to: "long@example.com", text: "充".repeat(20_000) };
    for (let i = 0; i < 60; i++) await email.create(long);
    const first = await email.list({ to: long.to, pageSize: 200 });
    expect(first.messages).toHaveLength(50);
    const second = await email.list({ to: long.to, pageSize: 200, pageToken: first.nextPageToken });
    expect(second.messages).toHaveLength(10);
    expect(second.nextPageToken).toBe("");
    expect(new Set([...first.messages, ...second.messages].map(({ id }) => id)).size).toBe(60);
  });

  test.each([
    [{ pageSize: -1 }, ["page_size"]],
    [{ pageToken: "nonsense" }, ["page_token"]],
    [{ pageToken: Buffer.from('["2026-99-99","x"]').toString("base64url") }, ["page_token"]],
    [{ pageToken: Buffer.from(`["2026-11-03","${"x".repeat(36)}"]`).toString("base64url") }, ["page_token"]],
    [{ pageToken: Buffer.from('["2026-11-03","------------------------------------"]').toString("base64url") }, ["page_token"]],
    [
      {
        pageToken: Buffer.from(JSON.stringify(["-271821-04-20T00:00:00.000Z", "0b5ffd2e-7c11-4b0e-9d6e-6f0a5b1c2d3e"])).toString(
          "base64url",
        ),
      },
      ["page_token"],
    ],
    [{ pageToken: Buffer.from("{}").toString("base64url") }, ["page_token"]],
    [{ to: "\0" }, ["to"]],
    [{ to: "x".repeat(255) }, ["to"]],
    [{ state: "UNRECOGNIZED" as const }, ["state"]],
  ])("refuses %j", async (request, fields) => {
    expect(await failure(email.list(request))).toEqual(invalid(...fields));
  });
});
