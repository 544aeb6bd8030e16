import { randomUUID } from "node:crypto";
import { makeSealedTexts } from "@chargemesh/kit/sealed-text";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FreshNats, freshNats } from "../../test/servers.ts";
import {
  oneTimeTokenIssued,
  openPublisher,
  type Publisher,
  securityNoticeRaised,
  userCreated,
  userDeleted,
  userUpdated,
} from "./events.ts";
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

const address = () => `${randomUUID()}@example.com`;
const mailsTo = async (to: string) => (await mailsIn(surroundings.mailDir)).filter((mail) => mail.to?.[0]?.address === to);

describe("a user is told of what may not have been them", () => {
  test.each([
    ["PASSWORD_CHANGED", "Your password was changed"],
    ["EMAIL_CHANGED", "Your email address was changed"],
    ["LOCKED_OUT", "Your account is locked for a while"],
    ["REFRESH_TOKEN_REUSED", "One of your sessions was ended"],
    ["API_KEY_CREATED", "A new API key for your account"],
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
    expect(mail?.text).toMatch(/When: +3 November 2026 at 17:05:09 UTC/);
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

describe("a one-time token", () => {
  const sealed = (text: string) => makeSealedTexts(surroundings.vars.MESH_SECRET ?? "", "one-time token").seal(text);
  const later = () => new Date(Date.now() + 3_600_000);

  test.each([
    ["VERIFY_EMAIL", "verify-email", "Is this your email address?", "verify"],
    ["CHANGE_EMAIL", "change-email", "Is this your new email address?", "verify"],
    ["RESET_PASSWORD", "reset-password", "A new password", "reset"],
  ] as const)("to %s goes out as a link, which nobody else sees", async (purpose, template, subject, action) => {
    const to = address();
    const expireTime = later();
    const event = oneTimeTokenIssued({ email: to, purpose, sealedToken: sealed("the-token"), expireTime });
    await publisher.publish(event, event);
    await publisher.allHandled();
    const message = await email.sentTo(to);
    expect(message).toMatchObject({ subject, template, eventId: event.id });
    expect(message.text).toContain("[a link that only the recipient sees]");
    expect(message.text).not.toContain("the-token");
    const [mail, ...more] = await mailsTo(to);
    expect(more).toEqual([]);
    const link = `http://127.0.0.1:3000/account#${action}=the-token`;
    expect(mail?.text).toContain(`:\n${link}\n`);
    expect(mail?.html).toContain(`<a href="${link}"`);
    const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeZone: "UTC" }).format(expireTime);
    expect(mail?.text?.replace(/\s+/g, " ")).toContain(`until ${day} at ${expireTime.toISOString().slice(11, 16)} UTC`);
  });

  test("of nobody, too late, or sealed by somebody else goes nowhere", async () => {
    const to = address();
    const good = { email: to, purpose: "RESET_PASSWORD", sealedToken: sealed("the-token"), expireTime: later() } as const;
    await publisher.publish(
      oneTimeTokenIssued({ ...good, userId: "" }),
      oneTimeTokenIssued({ ...good, email: "" }),
      oneTimeTokenIssued({ ...good, expireTime: new Date(Date.now() - 1_000) }),
      oneTimeTokenIssued({ ...good, sealedToken: makeSealedTexts("another secret", "one-time token").seal("the-token") }),
      oneTimeTokenIssued({ ...good, sealedToken: "the-token" }),
      oneTimeTokenIssued({ ...good, purpose: "PURPOSE_UNSPECIFIED" }),
    );
    await publisher.allHandled();
    expect((await email.list({ to })).messages).toEqual([]);
  });
});

describe("a user who is deleted", () => {
  test("is forgotten, with the mails to them, and no late event brings them back", async () => {
    const user = { id: randomUUID(), username: "hal", email: address() };
    const created = userCreated(user);
    await publisher.publish(created);
    await email.sentTo(user.email);
    await publisher.publish(
      userDeleted(user.id),
      securityNoticeRaised({ userId: user.id, username: "hal", kind: "ACCOUNT_DELETED", email: user.email }),
    );
    await until(async () => (await mailsTo(user.email)).find(({ subject }) => subject === "Your account was deleted"));
    await until(async () => (await email.list({ to: user.email })).messages.length === 0 || undefined);
    await publisher.publish(created, userUpdated(user, { time: created.time }));
    await publisher.allHandled();
    expect((await email.list({ to: user.email })).messages).toEqual([]);
    expect(await mailsTo(user.email)).toHaveLength(2);
  });
});
