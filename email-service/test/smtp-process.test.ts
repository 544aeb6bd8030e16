import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Message_State } from "@chargemesh/contracts/email/v1/message";
import { makeSealedTexts } from "@chargemesh/kit/sealed-text";
import { AckPolicy, DeliverPolicy } from "nats";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type FreshNats, freshNats } from "../../test/servers.ts";
import { issueServer, makeAuthority } from "../../tools/certs/authority.ts";
import { oneTimeTokenIssued, openPublisher, type Publisher, securityNoticeRaised } from "./events.ts";
import { type MailServerProcess, startMailServerProcess } from "./mail-server-process.ts";
import { makeClock, makeSurroundings, type Replica, type Surroundings, startReplica, type TestClock, until } from "./service.ts";

// Against a mail server in a process of its own. What it answers is said by the address: mail-server-program.ts.

const DAY_MS = 24 * 3_600_000;
let nats: FreshNats;
let publisher: Publisher;
let surroundings: Surroundings;
let server: MailServerProcess;
let ours: string;
let anothers: string;
let clock: TestClock;
let email: Replica | undefined;

beforeAll(async () => {
  const validity = { notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + DAY_MS) };
  const [authority, other] = [await makeAuthority(validity), await makeAuthority(validity)];
  nats = await freshNats();
  publisher = await openPublisher(nats.url);
  surroundings = await makeSurroundings(nats.url);
  server = await startMailServerProcess(await issueServer(authority, ["localhost", "127.0.0.1"], validity));
  clock = makeClock();
  ours = join(surroundings.mailDir, "ours.crt");
  anothers = join(surroundings.mailDir, "anothers.crt");
  await writeFile(ours, authority.certificate);
  await writeFile(anothers, other.certificate);
});
afterAll(async () => {
  await publisher?.close();
  await server?.stop();
  await surroundings?.remove();
  await nats?.stop();
});
afterEach(async () => {
  await email?.stop();
  email = undefined;
});

/** Starts email-service with the server's port by this name. */
async function boot(port: keyof MailServerProcess["ports"], vars: Record<string, string> = {}, login = ""): Promise<Replica> {
  const scheme = port === "implicit" ? "smtps" : "smtp";
  email = await startReplica(surroundings, clock, {
    SMTP_URL: `${scheme}://${login}localhost:${server.ports[port]}`,
    SMTP_CA: ours,
    ...vars,
  });
  return email;
}

let count = 0;
/** An address that no other test writes to. */
const addressOf = (mailbox: string): string => `${mailbox}-${++count}@example.com`;

test.each([
  { what: "STARTTLS where it is required", port: "startTls", mode: "required", secure: true },
  { what: "STARTTLS where it is offered", port: "startTls", mode: "opportunistic", secure: true },
  { what: "no STARTTLS where it is not offered and need not be", port: "plain", mode: "opportunistic", secure: false },
  { what: "no STARTTLS where nobody wants it", port: "startTls", mode: "never", secure: false },
  { what: "TLS from the first byte", port: "implicit", mode: "never", secure: true },
] as const)("a mail goes out by $what", async ({ port, mode, secure }) => {
  const { create, reaches } = await boot(port, { SMTP_STARTTLS: mode });
  const to = addressOf("ada");
  const { id } = await create({ to });
  await reaches(id, { state: "SENT", attempts: 1 });
  expect(server.mailsTo(to)).toMatchObject([{ secure, port, user: "", messageId: `<${id}@chargemesh.example>` }]);
});

test.each([
  { fault: "STARTTLS is required and not offered", port: "plain", vars: { SMTP_STARTTLS: "required" }, says: /STARTTLS/ },
  { fault: "the certificate is of another authority", port: "startTls", vars: { SMTP_STARTTLS: "required" }, says: /certificate/ },
  { fault: "it is so and encryption need not be", port: "startTls", vars: { SMTP_STARTTLS: "opportunistic" }, says: /certificate/ },
  { fault: "it is so with TLS from the first byte", port: "implicit", vars: {}, says: /certificate/ },
] as const)("where $fault, nothing is said to the server, and the mail waits", async ({ port, vars, says }) => {
  const { create, reaches, health } = await boot(port, { ...vars, SMTP_CA: anothers }, "mesh:p%40ss@");
  const before = server.told.length;
  const { id } = await create({ to: addressOf("ada") });
  const { bounce } = await reaches(id, { state: "QUEUED", attempts: 1, lastError: says });
  expect(bounce).toBeUndefined();
  await until(async () => (await health()).smtp === "NOT_SERVING" || undefined);
  expect(server.told.slice(before).filter(({ what }) => what !== "connected")).toEqual([]);
});

test("a password opens the server, and a wrong one is our fault, not the mail's", async () => {
  const vars = { SMTP_STARTTLS: "required" };
  const wrong = await boot("startTls", vars, "mesh:wrong@");
  const to = addressOf("ada");
  const { id } = await wrong.create({ to });
  expect(await wrong.reaches(id, { attempts: 1, lastError: /535.*Who are you/ })).toMatchObject({ state: "QUEUED", bounce: undefined });
  await until(async () => (await wrong.health()).smtp === "NOT_SERVING" || undefined);
  await wrong.stop();
  clock.advance(13_000);
  const right = await boot("startTls", vars, "mesh:p%40ss@");
  await right.reaches(id, { state: "SENT", attempts: 2, lastError: "" });
  expect(server.mailsTo(to)).toMatchObject([{ user: "mesh", secure: true }]);
});

test("a server that takes nobody has said nothing of the mail", async () => {
  const { create, reaches, health } = await boot("closed");
  const { id } = await create({ to: addressOf("ada") });
  expect(await reaches(id, { attempts: 1, lastError: /554/ })).toMatchObject({ state: "QUEUED", bounce: undefined });
  await until(async () => (await health()).smtp === "NOT_SERVING" || undefined);
});

test.each([
  ["450 at the recipient", "later", /450 4\.2\.1/],
  ["421 at the recipient", "closing", /421 4\.3\.2/],
  ["451 after the content", "unsaid", /451 4\.3\.0/],
])("%s is no refusal for good", async (_what, mailbox, says) => {
  const { create, reaches, health } = await boot("plain");
  const { id } = await create({ to: addressOf(mailbox) });
  expect(await reaches(id, { attempts: 1, lastError: says })).toMatchObject({ state: "QUEUED", bounce: undefined });
  await until(async () => (await health()).smtp === "SERVING" || undefined);
});

test.each([
  ["550 at the recipient", "gone", { code: 550, enhancedStatus: "5.1.1", text: "There is no such mailbox" }],
  ["552 without an enhanced status", "bare", { code: 552, enhancedStatus: "", text: "Quota exceeded" }],
  ["554 after the content", "spam", { code: 554, enhancedStatus: "5.7.1", text: "We do not like what we read" }],
])("%s is a bounce, listed as such until somebody retries the mail", async (_what, mailbox, bounce) => {
  const { create, reaches, list, retry } = await boot("plain");
  const to = addressOf(mailbox);
  const { id } = await create({ to });
  expect(await reaches(id, { state: "FAILED", attempts: 1 })).toMatchObject({ bounce, lastError: expect.stringContaining(bounce.text) });
  const listed = async () => (await list({ bounced: true, to })).messages.map((message) => message.id);
  expect(await listed()).toEqual([id]);
  expect((await list({ bounced: true, state: Message_State.SENT })).messages).toEqual([]);
  expect(await retry(id)).toMatchObject({ state: "QUEUED", bounce: undefined });
  await reaches(id, { state: "FAILED", attempts: 1 });
});

test("operators have what failed tried again all at once, and what bounced only if they say so", async () => {
  const { create, reaches, retryAll, list } = await boot("plain");
  const ids = async (to: string, state: Message_State) => (await list({ to, state })).messages.map(({ id }) => id);
  const [unsaid, gone] = [addressOf("unsaid"), addressOf("gone")];
  const mails = [await create({ to: unsaid }), await create({ to: unsaid }), await create({ to: gone })];
  for (const { id } of mails) await reaches(id, { attempts: 1, lastError: /./ });
  clock.advance(DAY_MS);
  for (const { id } of mails) await reaches(id, { state: "FAILED" });
  await expect(retryAll({}, "DRIVER")).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
  expect(await retryAll({ template: "welcome" })).toBe(0);
  expect(await retryAll({ to: gone })).toBe(0);
  expect(await retryAll({ to: unsaid.toUpperCase() })).toBe(2);
  expect((await ids(unsaid, Message_State.QUEUED)).toSorted()).toEqual(
    mails
      .slice(0, 2)
      .map(({ id }) => id)
      .toSorted(),
  );
  expect(await ids(gone, Message_State.FAILED)).toHaveLength(1);
  expect(await retryAll({ to: gone, bounced: true })).toBe(1);
});

interface Told {
  type: string;
  subject: string;
  data: { to?: string; template?: string };
}

/** What the stream tells, from the first event on, until `isAll` of it has come. */
async function toldUntil(isAll: (events: readonly Told[]) => boolean): Promise<Told[]> {
  const config = { deliver_policy: DeliverPolicy.All, ack_policy: AckPolicy.None, mem_storage: true };
  const { name } = await publisher.manager.consumers.add("chargemesh_email_v1", config);
  const consumer = await publisher.jetstream.consumers.get("chargemesh_email_v1", name);
  const events: Told[] = [];
  for await (const message of await consumer.consume()) {
    events.push(message.json());
    if (isAll(events)) break;
  }
  return events;
}

test("what was sent or given up is told of once each, without what it said", async () => {
  const { create, reaches } = await boot("plain");
  const [sent, failed] = [await create({ to: addressOf("ada") }), await create({ to: addressOf("gone") })];
  await reaches(sent.id, { state: "SENT" });
  await reaches(failed.id, { state: "FAILED" });
  const events = await toldUntil((all) => [sent.id, failed.id].every((id) => all.some(({ subject }) => subject === id)));
  const about = (id: string) => events.filter(({ subject }) => subject === id).map(({ type, data }) => ({ type, data }));
  expect(about(sent.id)).toEqual([{ type: "chargemesh.email.v1.MessageSent", data: { messageId: sent.id, to: sent.to, attempts: 1 } }]);
  const refusal = { bounceCode: 550, bounceEnhancedStatus: "5.1.1" };
  expect(about(failed.id)).toEqual([
    { type: "chargemesh.email.v1.MessageFailed", data: { messageId: failed.id, to: failed.to, attempts: 1, ...refusal } },
  ]);
});

test("neither a refusal that repeats the link of a mail nor an event keeps the link, and of who is no more none keeps the address", async () => {
  const { list } = await boot("plain");
  const [quoting, deleted] = [addressOf("quoting"), addressOf("ada")];
  const sealedToken = makeSealedTexts(surroundings.vars.MESH_SECRET ?? "", "one-time token").seal("a-secret-token");
  const link = oneTimeTokenIssued({
    email: quoting,
    purpose: "RESET_PASSWORD",
    sealedToken,
    expireTime: new Date(clock.now().getTime() + DAY_MS),
  });
  const notice = securityNoticeRaised({ kind: "ACCOUNT_DELETED", email: deleted, username: "ada" });
  await publisher.publish(link, notice);
  const { id, lastError, bounce } = await until(async () => (await list({ to: quoting, bounced: true })).messages[0]);
  expect([lastError, bounce?.text]).toEqual([expect.stringMatching(/554.*account#reset=…/), expect.stringMatching(/^No: http.*#reset=…/)]);
  const events = await toldUntil((all) => [link, notice].every((event) => all.some(({ data }) => JSON.stringify(data).includes(event.id))));
  expect(JSON.stringify([events, lastError, bounce])).not.toContain("a-secret-token");
  expect(events.find(({ subject }) => subject === id)?.data).toMatchObject({ to: quoting, template: "reset-password", eventId: link.id });
  const ofDeleted = events.find(({ data }) => JSON.stringify(data).includes(notice.id));
  expect(ofDeleted).toMatchObject({ type: "chargemesh.email.v1.MessageSent", data: { template: "security-notice", eventId: notice.id } });
  expect(JSON.stringify(events)).not.toContain(deleted);
});

test("a connection that is cut in the middle of the content is no refusal: the mail goes out later, once", async () => {
  const { create, reaches } = await boot("plain");
  const to = addressOf("cut");
  const { id } = await create({ to });
  expect(await reaches(id, { attempts: 1, lastError: /./ })).toMatchObject({ state: "QUEUED", bounce: undefined });
  expect(server.mailsTo(to)).toEqual([]);
  clock.advance(13_000);
  await reaches(id, { state: "SENT", attempts: 2 });
  expect(server.mailsTo(to)).toMatchObject([{ messageId: `<${id}@chargemesh.example>` }]);
});

test("a server that is slow with one mail does not keep the others", async () => {
  const { create, reaches, get } = await boot("plain", { SMTP_CONNECTIONS: "2" });
  const slow = await create({ to: addressOf("slow") });
  await until(async () => server.told.find(({ what, to }) => what === "recipient" && to === slow.to));
  const others = await Promise.all(Array.from({ length: 10 }, () => create({ to: addressOf("ada") })));
  for (const { id } of others) await reaches(id, { state: "SENT" });
  expect(await get(slow.id)).toMatchObject({ state: "QUEUED", attempts: 1 });
  await create({ to: addressOf("releasing") });
  await reaches(slow.id, { state: "SENT", attempts: 1 });
});

test.each([1, 3])("so many mails share %i connections", async (connections) => {
  const { create, reaches } = await boot("startTls", { SMTP_CONNECTIONS: String(connections) });
  const mailbox = `pool${connections}`;
  const mails = await Promise.all(Array.from({ length: 20 }, () => create({ to: addressOf(mailbox) })));
  for (const { id } of mails) await reaches(id, { state: "SENT", attempts: 1 });
  const taken = server.mailsTo(`${mailbox}-`);
  expect(taken).toHaveLength(20);
  expect(new Set(taken.map(({ connection }) => connection)).size).toBeLessThanOrEqual(connections);
});

test("no more mails go out in a second than were allowed", async () => {
  const { create, reaches } = await boot("plain", { SMTP_PER_SECOND: "8" });
  const mails = await Promise.all(Array.from({ length: 9 }, () => create({ to: addressOf("paced") })));
  for (const { id } of mails) await reaches(id, { state: "SENT", attempts: 1 });
  const times = server.mailsTo("paced-").map(({ time = 0 }) => time);
  expect(times).toHaveLength(9);
  // Eight waits of 125 ms, less what the first mail took for its connection; how much longer it was is the machine's affair.
  expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(700);
});
