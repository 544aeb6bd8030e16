import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FreshNats, freshNats } from "../../test/servers.ts";
import { openPublisher, type Publisher, transactionStopped, userCreated, userUpdated } from "./events.ts";
import { mailsIn, makeSurroundings, type Replica, type Surroundings, startReplica, until } from "./service.ts";

let nats: FreshNats;
let publisher: Publisher;
let surroundings: Surroundings;
let email: Replica;

beforeAll(async () => {
  nats = await freshNats();
  publisher = await openPublisher(nats.url);
  surroundings = await makeSurroundings(nats.url);
  email = await startReplica(surroundings);
});
afterAll(async () => {
  await email.stop();
  await publisher.close();
  await surroundings.remove();
  await nats.stop();
});

let users = 0;

/** Somebody whom no other test knows. */
function somebody() {
  users += 1;
  return { id: randomUUID(), username: `user${users}`, email: `user${users}@example.com` };
}

const mailsTo = async (address: string) => (await mailsIn(surroundings.mailDir)).filter(({ to }) => to?.[0]?.address === address);
const messagesTo = async (to: string) => (await email.list({ to })).messages;
const allIds = async () => (await email.list({ pageSize: 200 })).messages.map(({ id }) => id);
const receiptTo = (to: string) => until(async () => (await messagesTo(to)).find(({ template }) => template === "receipt"));

describe("a user who signs up", () => {
  test("is welcomed, in a file that any mail program reads", async () => {
    const user = somebody();
    const event = userCreated(user, { requestid: "request-1" });
    await publisher.publish(event);
    const sent = await email.sentTo(user.email.toUpperCase());
    expect(sent).toMatchObject({
      to: user.email,
      subject: "Welcome to Chargemesh",
      template: "welcome",
      eventId: event.id,
      state: "SENT",
      attempts: 1,
      lastError: "",
      nextAttemptTime: undefined,
    });
    expect(await email.get(sent.id)).toEqual(sent);
    const mails = await mailsTo(user.email);
    expect(mails).toHaveLength(1);
    expect(mails[0]).toMatchObject({
      from: { name: "Chargemesh", address: "no-reply@chargemesh.example" },
      subject: "Welcome to Chargemesh",
      messageId: `<${sent.id}@chargemesh.example>`,
    });
    expect(mails[0]?.name).toMatch(/^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z_welcome_user1@example\.com_[0-9a-f]{8}\.eml$/);
    expect(mails[0]?.text).toContain("Hello user1,");
    expect(mails[0]?.text).toContain("You sign in as: user1");
    expect(mails[0]?.html).toContain(">Hello user1,</p>");
    expect(mails[0]?.raw).not.toMatch(/[^\r]\n/);
    expect(mails[0]?.headers).toContainEqual(expect.objectContaining({ key: "auto-submitted", value: "auto-generated" }));
  });

  test("does not wait for the next look at the queue, which is after a second", async () => {
    const delays: number[] = [];
    // One that was slow for another reason says nothing; without being woken all of them are.
    while (delays.length < 5) {
      const user = somebody();
      await publisher.publish(userCreated(user));
      const { sendTime, createTime } = await email.sentTo(user.email);
      delays.push((sendTime?.getTime() ?? Number.NaN) - (createTime?.getTime() ?? Number.NaN));
    }
    expect(Math.min(...delays), `ms: ${delays}`).toBeLessThan(500);
  });

  test("is written to once, however often the event comes", async () => {
    const [user, other] = [somebody(), somebody()];
    const event = userCreated(user);
    await publisher.publish(event, event, userCreated(other), event);
    await publisher.allHandled();
    await email.sentTo(user.email);
    await email.sentTo(other.email);
    expect(await messagesTo(user.email)).toHaveLength(1);
    expect(await mailsTo(user.email)).toHaveLength(1);
  });

  test.each(["", "not an address", "a@b, c@d", "a@b\r\nBcc: c@d"])("and whose address is %j is not written to", async (address) => {
    const before = await allIds();
    await publisher.publish(userCreated({ ...somebody(), email: address }));
    await publisher.allHandled();
    expect(await allIds()).toEqual(before);
  });

  test("can put neither markup nor lines into the mail", async () => {
    const user = somebody();
    await publisher.publish(userCreated({ ...user, username: '<img src="x">\r\n& co' }));
    const { text } = await email.sentTo(user.email);
    expect(text).toContain('Hello <img src="x"> & co,\n');
    expect((await mailsTo(user.email))[0]?.html).toContain(">Hello &lt;img src=&quot;x&quot;&gt; &amp; co,</p>");
  });
});

describe("a charge that ends", () => {
  test("is answered with a receipt", async () => {
    const user = somebody();
    await publisher.publish(userCreated(user));
    await publisher.allHandled();
    const event = transactionStopped({ userId: user.id });
    await publisher.publish(event, event);
    const { id } = await receiptTo(user.email);
    const sent = await email.reaches(id, { state: "SENT" });
    expect(sent).toMatchObject({ to: user.email, eventId: event.id, subject: "Your charge at CP-1: 12.346 kWh" });
    expect(sent.text).toContain(`Hello ${user.username},

This is the receipt of your charge.

Energy:      12.346 kWh
Duration:    1 hour, 2 minutes, 3 seconds
Charger:     CP-1
Connector:   2
Started:     3 November 2026 at 17:05:09 UTC
Stopped:     3 November 2026 at 18:07:12 UTC
Transaction: 4711
`);
    const mail = (await mailsTo(user.email)).find(({ name }) => name.includes("_receipt_"));
    // The same but for the links, which only the recipient sees.
    expect(mail?.text?.replace(/http:\S+/g, "…").trim()).toBe(sent.text.replace(/\[a link[^\]]*\]/g, "…").trim());
    expect(mail?.text).toMatch(
      /\nhttp:\/\/127\.0\.0\.1:3000\/account#mails\n.*\nhttp:\/\/127\.0\.0\.1:3000\/email\/unsubscribe\/[\w-]{40,}\n/,
    );
    expect(mail?.html).toContain("12.346 kWh</td>");
    await publisher.allHandled();
    expect(await messagesTo(user.email)).toHaveLength(2);
  });

  test.each([
    { charge: { energyWh: 0 }, says: ["Energy:      0.000 kWh"] },
    { charge: { energyWh: 999.5 }, says: ["Energy:      1.000 kWh"] },
    { charge: { flags: ["METER_WENT_BACKWARDS"] }, says: ["Energy:      unknown", "meter readings do not fit"] },
    { charge: { flags: ["NO_START"] }, says: ["Started:     unknown", "Duration:    unknown", "Energy:      unknown"] },
    { charge: { flags: ["CLOCK_UNSET"] }, says: ["Duration:    unknown", "Energy:      12.346 kWh", "clock was wrong"] },
    { charge: { flags: ["STOP_MISSING"] }, says: ["did not report the end"] },
    { charge: { stopTime: new Date("2026-11-03T17:05:51Z") }, says: ["Duration:    42 seconds"] },
    { charge: { stopTime: new Date("2026-11-03T17:05:09Z") }, says: ["Duration:    0 seconds"] },
    { charge: { stopTime: new Date("2026-11-05T17:15:09Z") }, says: ["Duration:    48 hours, 10 minutes, 0 seconds"] },
  ] as const)("says what is known of it: $charge", async ({ charge, says }) => {
    const user = somebody();
    await publisher.publish(userCreated(user));
    await publisher.allHandled();
    const { flags = [], ...others } = { flags: [], ...charge };
    await publisher.publish(transactionStopped({ ...others, flags: [...flags], userId: user.id }));
    const { text } = await receiptTo(user.email);
    for (const words of says) expect(text).toContain(words);
  });

  test("goes to the user's newest address, whatever comes late", async () => {
    const user = somebody();
    const fresh = somebody();
    const at = (time: string) => ({ time: `2026-11-03T${time}Z` });
    await publisher.publish(userCreated(user, at("10:00:00")));
    await publisher.publish(userUpdated({ ...user, email: fresh.email }, at("12:00:00")));
    await publisher.allHandled();
    await publisher.publish(userUpdated({ ...user, email: "old@example.com" }, at("11:00:00")));
    await publisher.allHandled();
    await publisher.publish(transactionStopped({ userId: user.id }));
    await publisher.allHandled();
    expect(await messagesTo(fresh.email)).toMatchObject([{ template: "receipt" }]);
  });

  test("of nobody, and of somebody without an address, is not answered", async () => {
    const user = { ...somebody(), email: "" };
    const before = await allIds();
    await publisher.publish(userCreated(user));
    await publisher.allHandled();
    await publisher.publish(transactionStopped({ userId: "" }), transactionStopped({ userId: user.id }));
    await publisher.allHandled();
    expect(await allIds()).toEqual(before);
  });

  test("waits for its user", async () => {
    const [user, other] = [somebody(), somebody()];
    await publisher.publish(userCreated(other));
    await publisher.allHandled();
    await publisher.publish(transactionStopped({ userId: user.id }), transactionStopped({ userId: other.id }));
    // In order: when this one has been handled, the one before it has failed once.
    await receiptTo(other.email);
    expect(await messagesTo(user.email)).toEqual([]);
    await publisher.publish(userCreated(user));
    expect(await receiptTo(user.email)).toMatchObject({ to: user.email });
  });
});
