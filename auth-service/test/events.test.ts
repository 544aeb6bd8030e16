import { User_Role } from "@chargemesh/contracts/auth/v1/user";
import { connect, type JetStreamManager, type NatsConnection } from "nats";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { ADMIN, call, freshPlace, logIn, type Place, type Service, signUp, startService } from "./service.ts";

const STREAM = "chargemesh_auth_v1";
let place: Place;
let service: Service;
let nats: NatsConnection;
let jetstream: JetStreamManager;

beforeAll(async () => {
  place = await freshPlace();
  service = await startService(place);
  const { host, username, password } = new URL(place.nats.url);
  nats = await connect({ servers: host, user: username, pass: password, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
  jetstream = await nats.jetstreamManager();
});
afterAll(async () => {
  await nats?.close();
  await service?.stop();
  await place?.leave();
});

/** All that the stream holds, as it is on the wire, as soon as there are `count` of them. */
async function told(count: number): Promise<object[]> {
  await vi.waitFor(async () => expect((await jetstream.streams.info(STREAM)).state.messages).toBeGreaterThanOrEqual(count), {
    timeout: 20_000,
    interval: 50,
  });
  const { state } = await jetstream.streams.info(STREAM);
  const messages = await Promise.all(
    Array.from({ length: state.messages }, (_, i) => jetstream.streams.getMessage(STREAM, { seq: state.first_seq + i })),
  );
  return messages.map((message) => ({
    subject: message.subject,
    messageId: message.header.get("Nats-Msg-Id"),
    event: message.json<object>(),
  }));
}

const uuid = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

/** What must be told of a user. */
function event(type: "UserCreated" | "UserUpdated" | "OneTimeTokenIssued", id: string, user: object) {
  return {
    subject: `chargemesh.auth.v1.${type}.${Buffer.from(id).toString("base64url")}`,
    messageId: uuid,
    event: {
      specversion: "1.0",
      id: uuid,
      source: "auth-service",
      type: `chargemesh.auth.v1.${type}`,
      subject: id,
      time,
      datacontenttype: "application/json",
      data: { user: { id, createTime: time, language: "en", ...user } },
      requestid: uuid,
      traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/),
    },
  };
}

test("each user who is made or changed is told once, in order, as a CloudEvent", async () => {
  const admin = await logIn(service, ADMIN);
  const ada = await signUp(service, "ada@example.org");
  await expect(signUp(service, "ADA@example.org")).rejects.toThrow("taken");
  const { users } = service;
  const request = {
    user: {
      id: ada.id,
      username: "",
      email: "",
      createTime: undefined,
      emailVerified: false,
      disabled: false,
      language: "",
      role: User_Role.OPERATOR,
    },
    updateMask: ["role"],
  };
  await call(users, users.updateUser, request, admin.accessToken);
  // The second time nothing changes, so nothing is told.
  await call(users, users.updateUser, request, admin.accessToken);
  const bob = await signUp(service, "bob");
  const first = event("UserCreated", admin.id, { username: "admin", role: "ADMIN" });
  const user = { username: "ada@example.org", email: "ada@example.org" };
  const link = event("OneTimeTokenIssued", ada.id, {});
  const token = {
    userId: ada.id,
    ...user,
    language: "en",
    purpose: "VERIFY_EMAIL",
    sealedToken: expect.stringMatching(/^[\w-]{95}$/),
    expireTime: time,
  };
  expect(await told(5)).toEqual([
    // Nobody asked for the first administrator, so no request is named.
    { ...first, event: { ...first.event, requestid: undefined, traceparent: undefined } },
    event("UserCreated", ada.id, { ...user, role: "DRIVER" }),
    { ...link, event: { ...link.event, data: token } },
    event("UserUpdated", ada.id, { ...user, role: "OPERATOR" }),
    event("UserCreated", bob.id, { username: "bob", role: "DRIVER" }),
  ]);
});

test("while NATS is away people sign up, and their events follow", async () => {
  const before = (await told(4)).length;
  await place.nats.kill();
  const carol = await signUp(service, "carol");
  const dora = await signUp(service, "dora");
  expect(await logIn(service, { username: "carol", password: "correct horse battery staple" })).toMatchObject({ id: carol.id });
  await place.nats.restart();
  expect((await told(before + 2)).slice(before)).toEqual([
    event("UserCreated", carol.id, { username: "carol", role: "DRIVER" }),
    event("UserCreated", dora.id, { username: "dora", role: "DRIVER" }),
  ]);
});
