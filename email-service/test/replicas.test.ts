import { spawn } from "node:child_process";
import { join } from "node:path";
import { Client } from "pg";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { type MailServer, startMailServer } from "./mail-server.ts";
import { makeClock, makeSurroundings, REQUEST_ID_OF_TESTS, type Surroundings, startReplica, type TestClock, until } from "./service.ts";

// Nothing listens there: these tests need no bus.
const NO_NATS = "nats://127.0.0.1:1";
const MAIN = join(import.meta.dirname, "../src/main.ts");

let surroundings: Surroundings;
let server: MailServer;
let clock: TestClock;
const cleaners: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  clock = makeClock();
  surroundings = await makeSurroundings(NO_NATS);
  server = await startMailServer();
  cleaners.push(
    () => surroundings.remove(),
    () => server.close(),
  );
});
afterEach(async () => {
  for (const clean of cleaners.splice(0).reverse()) await clean();
});

const smtpUrl = (): { SMTP_URL: string } => ({ SMTP_URL: `smtp://127.0.0.1:${server.port}` });

async function startOne() {
  const replica = await startReplica(surroundings, clock, smtpUrl());
  cleaners.push(() => replica.stop());
  return replica;
}

/** Starts email-service as a process of its own, and waits until it says that it has started. */
async function startProcess() {
  const child = spawn(process.execPath, [MAIN], {
    env: { ...process.env, ...surroundings.vars, ...smtpUrl() },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let log = "";
  child.stdout.on("data", (text) => {
    log += text;
  });
  const exited = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  cleaners.push(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  /** Waits for a line of its log. */
  const says = (message: string): Promise<string> => until(async () => log.split("\n").find((line) => line.includes(`"msg":"${message}"`)));
  await says("started");
  return { kill: (signal: NodeJS.Signals) => child.kill(signal), exited, says };
}

test("replicas send each mail once", async () => {
  const replicas = await Promise.all([startOne(), startOne(), startOne()]);
  const [first] = replicas;
  const addresses = Array.from({ length: 150 }, (_, i) => `user${i}@example.com`);
  // All are due at the same time, and all replicas are awake.
  server.onRecipient = () => ({ code: 450, text: "4.2.0 later" });
  await Promise.all(addresses.map((to, i) => replicas[i % replicas.length]?.create({ to })));
  await until(async () => {
    const { messages } = await first.list({ pageSize: 200 });
    return messages.every(({ lastError }) => lastError !== "") || undefined;
  });
  server.onRecipient = () => undefined;
  clock.advance(60_000);
  const sent = await until(async () => {
    const { messages } = await first.list({ state: "SENT", pageSize: 200 });
    return messages.length === addresses.length ? messages : undefined;
  });
  expect(sent.map(({ attempts }) => attempts)).toEqual(addresses.map(() => 2));
  expect(server.mails.map(({ envelope }) => envelope[0]).sort()).toEqual(addresses.toSorted());
});

/** Has a message queued that is due in the eyes of a process of its own, which has the real time. */
async function leaveMessage(): Promise<string> {
  clock.advance(-60_000);
  const replica = await startReplica(surroundings, clock, smtpUrl());
  server.onRecipient = () => ({ code: 450, text: "4.2.0 later" });
  const { id } = await replica.create();
  await replica.reaches(id, { lastError: /450/ });
  await replica.stop();
  server.onRecipient = () => undefined;
  clock.advance(60_000);
  return id;
}

/** Has the server keep the next message without an answer until it is told one. */
function holdNextMessage() {
  const handed = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<undefined>();
  server.onMessage = () => {
    server.onMessage = () => undefined;
    handed.resolve();
    return answer.promise;
  };
  return { handed: handed.promise, accept: () => answer.resolve(undefined) };
}

test("what a killed replica was sending is sent by another, when its lease is over and not before", async () => {
  const id = await leaveMessage();
  const { handed } = holdNextMessage();
  const { kill, exited } = await startProcess();
  await handed;
  const other = await startOne();
  const { id: second } = await other.create({ to: "bob@example.com" });
  await other.reaches(second, { state: "SENT" });
  expect(server.mails.map(({ envelope }) => envelope[0])).toEqual(["bob@example.com"]);
  kill("SIGKILL");
  await exited;
  expect(await other.get(id)).toMatchObject({ state: "QUEUED", attempts: 2 });
  clock.advance(31_000);
  await other.reaches(id, { state: "SENT", attempts: 3 });
  expect(server.mails).toMatchObject([{}, { messageId: `<${id}@chargemesh.example>` }]);
});

test("a replica that is killed after the server has taken a mail, and before that is kept, sends it twice, told apart by nothing", async () => {
  const id = await leaveMessage();
  const { handed, accept } = holdNextMessage();
  const { kill, exited, says } = await startProcess();
  await handed;
  // Whoever holds the row keeps its state from being changed.
  const holder = new Client({ connectionString: surroundings.database.ownerUrl });
  await holder.connect();
  await holder.query("begin");
  await holder.query("select from email.message where id = $1 for update", [id]);
  accept();
  await says("mail sent");
  kill("SIGKILL");
  await exited;
  await holder.end();
  expect(server.mails).toHaveLength(1);
  const other = await startOne();
  expect(await other.get(id)).toMatchObject({ state: "QUEUED", attempts: 2 });
  clock.advance(31_000);
  await other.reaches(id, { state: "SENT", attempts: 3 });
  // Byte for byte the same, so that a mailbox can tell that it has it.
  const [first, second] = server.mails.map(({ raw }) => raw);
  expect(server.mails).toMatchObject([{ messageId: `<${id}@chargemesh.example>` }, { messageId: `<${id}@chargemesh.example>` }]);
  expect(second).toBe(first);
});

test("a replica that is told to stop finishes the mail that it is sending", async () => {
  const id = await leaveMessage();
  const { handed, accept } = holdNextMessage();
  const { kill, exited, says } = await startProcess();
  await handed;
  kill("SIGTERM");
  await says("stopping");
  accept();
  expect(await says("mail sent")).toContain(`"requestId":"${REQUEST_ID_OF_TESTS}"`);
  expect(await exited).toBe(0);
  const other = await startOne();
  expect(await other.get(id)).toMatchObject({ state: "SENT", attempts: 2 });
  expect(server.mails).toHaveLength(1);
});

test("a replica that is told to stop does not wait for a mail server for ever", async () => {
  const id = await leaveMessage();
  const { handed } = holdNextMessage();
  const { kill, exited } = await startProcess();
  await handed;
  kill("SIGTERM");
  expect(await exited).toBe(0);
  const other = await startOne();
  expect(await other.get(id)).toMatchObject({ state: "QUEUED", attempts: 2, lastError: expect.stringContaining("abort") });
});

test("a mail that the server took while the database was away is recorded when it is back, and not sent again", async () => {
  const admin = new Client({ connectionString: inject("postgres").adminUrl });
  await admin.connect();
  cleaners.push(() => admin.end());
  const database = new URL(surroundings.database.ownerUrl).pathname.slice(1);
  const allowConnections = (allowed: boolean) =>
    admin.query(`alter database ${admin.escapeIdentifier(database)} allow_connections ${allowed}`);
  const replica = await startOne();
  server.onMessage = async () => {
    await allowConnections(false);
    await admin.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", [database]);
    return undefined;
  };
  const { id } = await replica.create();
  await until(async () => (await replica.health()).postgres === "NOT_SERVING" || undefined);
  expect(await replica.health()).toMatchObject({ "": "NOT_SERVING" });
  await allowConnections(true);
  await replica.reaches(id, { state: "SENT", attempts: 1 });
  expect(server.mails).toHaveLength(1);
  await until(async () => (await replica.health())[""] === "SERVING" || undefined);
});
