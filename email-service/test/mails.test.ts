import { randomUUID } from "node:crypto";
import type { CloudEvent } from "@chargemesh/kit/cloud-event";
import { makeSealedTexts } from "@chargemesh/kit/sealed-text";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FreshNats, freshNats } from "../../test/servers.ts";
import { reservationExpiring, transactionInterrupted, transactionStarted, webhookDisabled } from "./charger-events.ts";
import {
  oneTimeTokenIssued,
  openPublisher,
  type Publisher,
  securityNoticeRaised,
  transactionStopped,
  userCreated,
  userUpdated,
} from "./events.ts";
import { mailsIn, makeClock, makeSurroundings, type Replica, type Surroundings, startReplica, until } from "./service.ts";

const HOUR = 3_600_000;

let nats: FreshNats;
let publisher: Publisher;
let surroundings: Surroundings;
let email: Replica;
const clock = makeClock();

beforeAll(async () => {
  nats = await freshNats();
  publisher = await openPublisher(nats.url);
  surroundings = await makeSurroundings(nats.url);
  email = await startReplica(surroundings, clock);
});
afterAll(async () => {
  await email.stop();
  await publisher.close();
  await surroundings.remove();
  await nats.stop();
});

const tell = async (...events: CloudEvent[]) => {
  await publisher.publish(...events);
  await publisher.allHandled();
};

/** Somebody whom no other test knows and email-service does, who has been welcomed. */
async function somebody(more: { language?: string; disabled?: boolean } = {}) {
  const id = randomUUID();
  const user = { id, username: `user-${id.slice(0, 4)}`, email: `${id}@example.com`, ...more };
  await tell(userCreated(user));
  return user;
}

/** What was written to a user beside the welcome, once it is sent. */
async function sentTo({ email: to }: { email: string }) {
  const messages = await until(async () => {
    const { messages } = await email.list({ to });
    return messages.every(({ state }) => state === "SENT") ? messages : undefined;
  });
  return messages.filter(({ template }) => template !== "welcome");
}

const mailTo = async (to: string, subject: string) =>
  (await mailsIn(surroundings.mailDir)).find((mail) => mail.to?.[0]?.address === to && mail.subject === subject);

const ago = (ms: number) => new Date(Date.now() - ms);

describe("a charge", () => {
  test("that begins is told of, once", async () => {
    const user = await somebody();
    const event = transactionStarted({ userId: user.id, chargerId: "CP-7", startTime: ago(HOUR / 2) });
    await tell(event, event);
    expect(await sentTo(user)).toMatchObject([
      { template: "charging-started", subject: "Charging has started at CP-7", eventId: event.id, userId: user.id },
    ]);
  });

  test.each([
    ["a charger that was offline", transactionStarted({ startTime: ago(2 * HOUR) })],
    ["an outage of ours", transactionStarted({ startTime: ago(2 * HOUR) }, { time: ago(2 * HOUR).toISOString() })],
    [
      "an outage of ours, by a charger without a clock",
      transactionStarted({ flags: ["CLOCK_UNSET"] }, { time: ago(2 * HOUR).toISOString() }),
    ],
    ["nobody", transactionStarted({ userId: "" })],
  ])("that began is not told of after %s", async (_why, event) => {
    const user = await somebody();
    const data = structuredClone(event.data) as { transaction: { userId?: string } };
    if (_why !== "nobody") data.transaction.userId = user.id;
    await tell({ ...event, data });
    expect(await sentTo(user)).toEqual([]);
  });

  test("that began by a clock that is unset is told of without that time", async () => {
    const user = await somebody();
    await tell(transactionStarted({ userId: user.id, flags: ["CLOCK_UNSET"], startTime: new Date("2000-01-01T00:00:00Z") }));
    const [message] = await sentTo(user);
    expect(message?.text).toMatch(/Started: +unknown/);
  });

  test("that was broken off sends one mail, which is the receipt too", async () => {
    const user = await somebody();
    await tell(transactionInterrupted({ userId: user.id, stopReason: "PowerLoss" }));
    const sent = await sentTo(user);
    expect(sent).toMatchObject([{ template: "charging-interrupted", subject: "Your charge at CP-1 was interrupted" }]);
    expect(sent[0]?.text).toContain("1.500 kWh");
  });
});

test("a reservation about to end is told of, unless it has ended", async () => {
  const user = await somebody();
  await tell(
    reservationExpiring({ userId: user.id, expireTime: ago(1_000) }),
    reservationExpiring({ userId: user.id, chargerId: "CP-8", expireTime: ago(-5 * 60_000) }),
  );
  expect(await sentTo(user)).toMatchObject([{ template: "reservation-expiring", subject: "Your reservation at CP-8 ends soon" }]);
});

test("the owner of a webhook hears that it was disabled", async () => {
  const user = await somebody();
  await tell(webhookDisabled(user.id));
  const sent = await sentTo(user);
  expect(sent).toMatchObject([{ template: "webhook-disabled", subject: "One of your webhooks was disabled" }]);
  expect(sent[0]?.text).toContain("https://hooks.example/mesh");
});

test("who is disabled gets nothing, and again once they are not", async () => {
  const user = await somebody({ disabled: true });
  expect((await email.list({ to: user.email })).messages).toEqual([]);
  await tell(transactionStopped({ userId: user.id }));
  await tell(userUpdated({ ...user, disabled: false }));
  await tell(transactionStarted({ userId: user.id }));
  expect(await sentTo(user)).toMatchObject([{ template: "charging-started" }]);
});

describe("mails are in the user's language", () => {
  test("as it is by then", async () => {
    const user = await somebody({ language: "de" });
    expect((await email.list({ to: user.email })).messages).toMatchObject([{ subject: "Willkommen bei Chargemesh" }]);
    await tell(transactionStopped({ userId: user.id }));
    await tell(userUpdated({ ...user, language: "en" }));
    await tell(transactionStopped({ userId: user.id }));
    const subjects = (await sentTo(user)).map(({ subject }) => subject);
    expect(subjects).toEqual(["Your charge at CP-1: 12.346 kWh", "Ihr Ladevorgang an CP-1: 12,346 kWh"]);
  });

  test("also those about an account that nobody knows any more, or yet", async () => {
    const to = `${randomUUID()}@example.com`;
    const sealedToken = makeSealedTexts(surroundings.vars.MESH_SECRET ?? "", "one-time token").seal("the-token");
    await tell(
      securityNoticeRaised({ kind: "NEW_SIGN_IN", email: to, username: "otto", language: "de", userAgent: "Firefox", time: ago(0) }),
      oneTimeTokenIssued({ email: to, purpose: "VERIFY_EMAIL", sealedToken, language: "de", expireTime: ago(-HOUR) }),
    );
    const subjects = (await sentTo({ email: to })).map(({ subject }) => subject);
    expect(subjects.sort()).toEqual(["Ist das Ihre E-Mail-Adresse?", "Neue Anmeldung an Ihrem Konto"]);
  });
});

describe("a mail can be unsubscribed from by a click", () => {
  test("if it is not about the account", async () => {
    const user = await somebody();
    await tell(transactionStopped({ userId: user.id }));
    const [message] = await sentTo(user);
    const mail = await mailTo(user.email, "Your charge at CP-1: 12.346 kWh");
    const headers = Object.fromEntries(mail?.headers.map(({ key, value }) => [key, value]) ?? []);
    expect(headers["list-unsubscribe-post"]).toBe("List-Unsubscribe=One-Click");
    const [, url = "", token = ""] =
      /^<(http:\/\/127\.0\.0\.1:3000\/email\/unsubscribe\/([\w-]{40,}))>$/.exec(headers["list-unsubscribe"] ?? "") ?? [];
    expect(url).not.toBe("");
    expect(mail?.raw).toMatch(/^List-Unsubscribe: <[^\r]+>\r$/m);
    expect(mail?.text).toContain(url);
    expect(mail?.html).toContain(`href="${url}"`);
    expect(Buffer.from(token, "base64url").toString("latin1")).not.toContain("example.com");
    // Operators read messages, and do not unsubscribe others.
    expect(message?.text).not.toContain("/email/unsubscribe/");
    const welcome = await mailTo(user.email, "Welcome to Chargemesh");
    expect(welcome?.headers.map(({ key }) => key).filter((key) => key.startsWith("list-"))).toEqual([]);
    expect(welcome?.text).not.toContain("/email/unsubscribe/");
  });
});

test("mails are listed by template and by user", async () => {
  const user = await somebody();
  await tell(transactionStopped({ userId: user.id }), transactionStarted({ userId: user.id }));
  await sentTo(user);
  expect((await email.list({ userId: user.id.toUpperCase() })).messages).toHaveLength(3);
  expect((await email.list({ userId: user.id, template: "receipt" })).messages).toMatchObject([{ to: user.email }]);
  expect((await email.list({ template: "none" })).messages).toEqual([]);
});

test("mails are forgotten some time after they were sent, and not before", async () => {
  const user = await somebody();
  await tell(transactionStopped({ userId: user.id }));
  await sentTo(user);
  const later = makeClock();
  later.advance(89 * 24 * HOUR);
  const early = await startReplica(surroundings, later);
  later.advance(2 * 24 * HOUR);
  expect((await email.list({ to: user.email })).messages).toHaveLength(2);
  await early.stop();
  const late = await startReplica(surroundings, later);
  await until(async () => (await late.list({ to: user.email })).messages.length === 0 || undefined);
  await late.stop();
});
