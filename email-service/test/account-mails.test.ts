import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FreshNats, freshNats } from "../../test/servers.ts";
import { openPublisher, type Publisher, securityNoticeRaised } from "./events.ts";
import { mailsIn, makeSurroundings, type Replica, type Surroundings, startReplica } from "./service.ts";

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

const address = () => `${randomUUID()}@example.com`;
const mailsTo = async (to: string) => (await mailsIn(surroundings.mailDir)).filter((mail) => mail.to?.[0]?.address === to);

describe("a user is told of what may not have been them", () => {
  test.each([
    ["PASSWORD_CHANGED", "Your password was changed"],
    ["EMAIL_CHANGED", "Your email address was changed"],
    ["LOCKED_OUT", "Your account is locked for a while"],
    ["REFRESH_TOKEN_REUSED", "One of your sessions was ended"],
    ["API_KEY_CREATED", "A new API key for your account"],
    ["ACCOUNT_DELETED", "Your account was deleted"],
  ] as const)("%s", async (kind, subject) => {
    const to = address();
    const event = securityNoticeRaised({
      kind,
      email: to,
      username: "ada",
      time: new Date("2026-11-03T17:05:09.123Z"),
      remoteAddress: "192.0.2.7",
    });
    await publisher.publish(event, event);
    await publisher.allHandled();
    expect(await email.sentTo(to)).toMatchObject({ to, subject, template: "security-notice", eventId: event.id });
    const [mail, ...more] = await mailsTo(to);
    expect(more).toEqual([]);
    expect(mail?.text).toContain("Hello ada,");
    expect(mail?.text).toMatch(/When: +2026-11-03 17:05:09 UTC/);
    expect(mail?.text).toMatch(/From the address: +192\.0\.2\.7/);
  });

  test("but not without an address, nor of what nobody knows", async () => {
    const to = address();
    const before = (await email.list({ pageSize: 200 })).messages.length;
    await publisher.publish(
      securityNoticeRaised({ kind: "PASSWORD_CHANGED", username: "ada" }),
      securityNoticeRaised({ email: to, username: "ada" }),
      securityNoticeRaised({ kind: "PASSWORD_CHANGED", email: "no address", username: "ada" }),
    );
    await publisher.allHandled();
    expect((await email.list({ pageSize: 200 })).messages).toHaveLength(before);
  });
});
