import { randomUUID } from "node:crypto";
import { AckPolicy, nanos } from "nats";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type FreshNats, freshNats } from "../../test/servers.ts";
import { openPublisher, type Publisher, transactionStopped, userCreated, userUpdated } from "./events.ts";
import { mailsIn, makeSurroundings, type Replica, type Surroundings, startReplica, until } from "./service.ts";

let nats: FreshNats;
let publisher: Publisher;
let surroundings: Surroundings;
let email: Replica;

beforeEach(async () => {
  nats = await freshNats();
  publisher = await openPublisher(nats.url);
  surroundings = await makeSurroundings(nats.url);
  email = await startReplica(surroundings);
});
afterEach(async () => {
  await email.stop();
  await publisher.close();
  await surroundings.remove();
  await nats.stop();
});

const alice = { id: randomUUID(), username: "alice", email: "alice@example.com" };

test("NATS may be away when we start, and go away later", async () => {
  await email.stop();
  await publisher.close();
  await nats.kill();
  email = await startReplica(surroundings);
  expect(await email.health()).toEqual({ "": "SERVING", postgres: "SERVING", nats: "NOT_SERVING", "mail-dir": "SERVING" });
  const { id } = await email.create();
  await email.reaches(id, { state: "SENT" });
  for (const username of ["bob", "carol"]) {
    await nats.restart();
    publisher = await openPublisher(nats.url);
    await publisher.publish(userCreated({ username, email: `${username}@example.com` }));
    expect(await email.sentTo(`${username}@example.com`)).toMatchObject({ subject: "Welcome to Chargemesh" });
    await publisher.close();
  }
  publisher = await openPublisher(nats.url);
});

test("a charge whose user nobody ever tells of is let go, and holds up no other", async () => {
  await publisher.allHandled();
  await email.stop();
  await publisher.publish(transactionStopped({ userId: randomUUID() }));
  // So often it has come to us by now.
  const consumer = await publisher.jetstream.consumers.get("chargemesh_charger_v1", "email-transaction-stopped");
  for (let deliveries = 1; deliveries < 8; deliveries++) {
    const message = await consumer.next();
    expect(message?.info.redeliveryCount).toBe(deliveries);
    message?.nak();
  }
  await publisher.publish(userCreated(alice), transactionStopped({ userId: alice.id }));
  email = await startReplica(surroundings);
  expect(await until(async () => (await email.list()).messages.find(({ template }) => template === "receipt"))).toMatchObject({
    to: alice.email,
  });
  await publisher.allHandled();
});

test("what is no event is dropped", async () => {
  const subject = "chargemesh.auth.v1.UserCreated.x";
  await publisher.publishRaw(subject, "not JSON");
  await publisher.publishRaw(subject, "null");
  await publisher.publish({ ...userCreated({}), data: null }, { ...userCreated({}), data: "text" });
  await publisher.publish({ ...userUpdated({}), data: {} }, { ...transactionStopped({}), data: {} });
  await publisher.publish(userCreated(alice));
  await email.sentTo(alice.email);
  await publisher.allHandled();
  expect((await email.list()).messages).toHaveLength(1);
});

test("an event comes to one of our replicas", async () => {
  const other = await startReplica(surroundings);
  const addresses = Array.from({ length: 40 }, (_, i) => `user${i}@example.com`).sort();
  await publisher.publish(...addresses.map((address) => userCreated({ username: address, email: address })));
  await publisher.allHandled();
  const sent = await until(async () => {
    const { messages } = await other.list({ state: "SENT" });
    return messages.length === 40 ? messages : undefined;
  });
  expect(sent.map(({ attempts }) => attempts)).toEqual(Array(40).fill(1));
  expect((await mailsIn(surroundings.mailDir)).map(({ to }) => to?.[0]?.address).sort()).toEqual(addresses);
  const { config } = await publisher.manager.consumers.info("chargemesh_auth_v1", "email-user-created");
  expect(config).toMatchObject({
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(30_000),
    filter_subject: "chargemesh.auth.v1.UserCreated.>",
  });
  await other.stop();
});
