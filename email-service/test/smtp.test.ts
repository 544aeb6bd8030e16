import { afterEach, beforeEach, expect, test } from "vitest";
import { type MailServer, startMailServer } from "./mail-server.ts";
import { makeClock, makeSurroundings, type Replica, type Surroundings, startReplica, type TestClock, until } from "./service.ts";

// Nothing listens there: these tests need no bus.
const NO_NATS = "nats://127.0.0.1:1";

let surroundings: Surroundings;
let clock: TestClock;
let server: MailServer;
let email: Replica;
const cleaners: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  clock = makeClock();
  surroundings = await makeSurroundings(NO_NATS);
  cleaners.push(() => surroundings.remove());
});
afterEach(async () => {
  for (const clean of cleaners.splice(0).reverse()) await clean();
});

async function boot(
  smtpUrl: (port: number) => string,
  options?: Parameters<typeof startMailServer>[0],
  vars: Record<string, string> = {},
): Promise<void> {
  server = await startMailServer(options);
  cleaners.push(() => server.close());
  email = await startReplica(surroundings, clock, { SMTP_URL: smtpUrl(server.port), ...vars });
  cleaners.push(() => email.stop());
}

const plain = (port: number): string => `smtp://127.0.0.1:${port}`;

test("a mail is handed to the mail server as it was written", async () => {
  await boot(plain);
  const { id } = await email.create({ to: "zoë@exämple.org", subject: "Grüße, 充電", text: "Line one\n.\n..dots\nünï\n" });
  await email.reaches(id, { state: "SENT", attempts: 1, lastError: "" });
  expect(server.mails).toMatchObject([
    {
      subject: "Grüße, 充電",
      text: "Line one\n.\n..dots\nünï\n",
      messageId: `<${id}@chargemesh.example>`,
      envelope: ["zoë@exämple.org"],
      secure: false,
    },
  ]);
  expect(server.mails[0]?.raw).not.toContain("Auto-Submitted");
  expect(await email.health()).toMatchObject({ "": "SERVING", smtp: "SERVING" });
});

test("a mail does not wait for the next look at the queue, which is after a second", async () => {
  await boot(plain);
  const delays: number[] = [];
  // One that was slow for another reason says nothing; without being woken all of them are.
  while (delays.length < 5) {
    const { id, createTime } = await email.create({ to: "ada@example.com", subject: "Hello", text: "At once." });
    const { sendTime } = await email.reaches(id, { state: "SENT" });
    delays.push((sendTime?.getTime() ?? Number.NaN) - (createTime?.getTime() ?? Number.NaN));
  }
  expect(Math.min(...delays), `ms: ${delays}`).toBeLessThan(500);
});

test.each([
  {
    fault: "a certificate that nobody vouches for",
    url: "smtp://mesh:p%40ss@localhost",
    options: {},
    vars: {},
    says: /self-signed|certificate/i,
  },
  {
    fault: "a wrong password",
    url: "smtp://mesh:wrong@localhost",
    options: { hideSTARTTLS: true, allowInsecureAuth: true },
    vars: {},
    says: /535.*who are you/,
  },
  {
    // Another name of this machine, which we do not take for it.
    fault: "a password that would go unencrypted over a network",
    url: "smtp://mesh:p%40ss@0.0.0.0",
    options: { hideSTARTTLS: true, disabledCommands: ["STARTTLS"], allowInsecureAuth: true },
    vars: {},
    says: /STARTTLS/i,
  },
])("$fault is our fault, and no reason to give a mail up", async ({ url, options, vars, says }) => {
  await boot((port) => url.replace(/(localhost|0\.0\.0\.0)/, `$1:${port}`), options, vars);
  const { id } = await email.create();
  expect(await email.reaches(id, { lastError: /./ })).toMatchObject({
    state: "QUEUED",
    attempts: 1,
    lastError: expect.stringMatching(says),
  });
  expect(server.mails).toEqual([]);
  await until(async () => (await email.health()).smtp === "NOT_SERVING" || undefined);
  expect(await email.health()).toMatchObject({ "": "SERVING" });
});

test("a sender whom the server refuses is our fault, and no reason to give a mail up", async () => {
  await boot(plain);
  server.onSender = () => ({ code: 553, text: "5.7.1 not your address" });
  const { id } = await email.create();
  expect(await email.reaches(id, { lastError: /553 5\.7\.1/ })).toMatchObject({ state: "QUEUED", attempts: 1 });
  await until(async () => (await email.health()).smtp === "NOT_SERVING" || undefined);
});

test("a mail that is refused for now is tried again, later each time, and goes out", async () => {
  await boot(plain);
  let attempt = 0;
  server.onRecipient = () => {
    attempt += 1;
    return { code: 450, text: `4.2.0 attempt ${attempt} is too early` };
  };
  const { id } = await email.create();
  for (const [i, seconds] of [10, 20, 40, 80].entries()) {
    const refused = await email.reaches(id, { lastError: new RegExp(`450 4.2.0 attempt ${i + 1}`) });
    const { nextAttemptTime, attempts, state } = refused;
    expect({ attempts, state }).toEqual({ attempts: i + 1, state: "QUEUED" });
    const delay = ((nextAttemptTime?.getTime() ?? Number.NaN) - clock.now().getTime()) / 1000;
    expect(delay).toBeGreaterThan(seconds * 0.8 - 2);
    expect(delay).toBeLessThan(seconds * 1.2);
    clock.advance(seconds * 1200);
  }
  server.onRecipient = () => undefined;
  clock.advance(200_000);
  expect(await email.reaches(id, { state: "SENT" })).toMatchObject({ lastError: "", nextAttemptTime: undefined });
  expect(server.mails).toHaveLength(1);
});

test("a mail that is refused for now for a day is given up", async () => {
  await boot(plain);
  server.onMessage = () => ({ code: 451, text: "4.3.0 not today" });
  const { id } = await email.create();
  await email.reaches(id, { lastError: /451/ });
  clock.advance(24 * 3_600_000);
  expect(await email.reaches(id, { state: "FAILED" })).toMatchObject({
    attempts: 2,
    lastError: expect.stringContaining("451 4.3.0 not today"),
    nextAttemptTime: undefined,
  });
});

test.each([
  ["the recipient", 550, "5.1.1 no such user"],
  ["the message", 554, "5.7.1 we think it is spam"],
])("a mail that is refused for good because of %s is given up at once, until somebody retries it", async (what, code, text) => {
  await boot(plain);
  if (what === "the recipient") server.onRecipient = () => ({ code, text });
  else server.onMessage = () => ({ code, text });
  const { id } = await email.create();
  expect(await email.reaches(id, { state: "FAILED" })).toMatchObject({
    attempts: 1,
    lastError: expect.stringContaining(`${code} ${text}`),
  });
  server.onRecipient = () => undefined;
  server.onMessage = () => undefined;
  expect(await email.retry(id)).toMatchObject({ id, state: "QUEUED", attempts: 0 });
  expect(await email.reaches(id, { state: "SENT" })).toMatchObject({ attempts: 1, lastError: "" });
  expect(server.mails).toHaveLength(1);
});

test("while the mail server is away mail waits, and goes out when it is back", async () => {
  await boot(plain);
  await server.close();
  const { id } = await email.create();
  const { lastError } = await email.reaches(id, { attempts: 1, lastError: /./ });
  expect(lastError).toContain("ECONNREFUSED");
  await until(async () => (await email.health()).smtp === "NOT_SERVING" || undefined);
  expect(await email.health()).toMatchObject({ "": "SERVING", postgres: "SERVING" });
  server = await startMailServer(undefined, server.port);
  clock.advance(12_000);
  await email.reaches(id, { state: "SENT", attempts: 2 });
  expect(server.mails).toHaveLength(1);
  await until(async () => (await email.health()).smtp === "SERVING" || undefined);
});

test("a mail server that hangs up in the middle of a mail gets it again, with the same Message-ID", async () => {
  await boot(plain);
  const taken: string[] = [];
  const bare = server;
  server.onMessage = async () => {
    taken.push("first");
    await bare.close();
    return undefined;
  };
  const { id } = await email.create();
  await email.reaches(id, { attempts: 1, state: "QUEUED", lastError: /./ });
  expect(taken).toEqual(["first"]);
  server = await startMailServer(undefined, bare.port);
  cleaners.push(() => server.close());
  clock.advance(12_000);
  await email.reaches(id, { state: "SENT", attempts: 2 });
  expect(server.mails).toMatchObject([{ messageId: `<${id}@chargemesh.example>` }]);
});

test.each([
  "mail.example.com:587",
  "http://mail.example.com",
  "smtp://",
  "smtp://mail.example.com?requireTLS=false",
  "smtp://somebody@mail.example.com",
])("SMTP_URL %j is refused at the start", async (url) => {
  await expect(startReplica(surroundings, clock, { SMTP_URL: url })).rejects.toThrow("SMTP_URL must be");
});

test.each(["Chargemesh", "a@b <c@d", "x <not an address>"])("MAIL_FROM %j is refused at the start", async (from) => {
  await expect(startReplica(surroundings, clock, { MAIL_FROM: from })).rejects.toThrow("MAIL_FROM must be");
});

test.each(["opportunistic", "never"])("a password that SMTP_STARTTLS=%s would send in clear is refused at the start", async (mode) => {
  const vars = { SMTP_URL: "smtp://mesh:secret@mail.example.com", SMTP_STARTTLS: mode };
  await expect(startReplica(surroundings, clock, vars)).rejects.toThrow("SMTP_STARTTLS must be required");
});

test("an SMTP_CA that is no certificate is refused at the start", async () => {
  const vars = { SMTP_URL: "smtps://mail.example.com", SMTP_CA: import.meta.filename };
  await expect(startReplica(surroundings, clock, vars)).rejects.toThrow("SMTP_CA cannot be used");
});
