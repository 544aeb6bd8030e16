import { RetryInfo } from "@chargemesh/contracts/google/rpc/error_details";
import { Status } from "@chargemesh/contracts/google/rpc/status";
import { makeForwarding } from "@chargemesh/kit/forwarding";
import { Metadata, type ServiceError } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type MovableClock, movableClock } from "./clock.ts";
import { ADMIN, call, freshPlace, logIn, type Place, refusal, type Service, signedIn, signUp, startService } from "./service.ts";
import { openTables } from "./tables.ts";

// How often somebody may try, by account and by address. The addresses are those that the gateway would name.

const PASSWORD = "correct horse battery staple";
const WRONG = "wrong horse battery staple";
const limits = {
  AUTH_WRONG_PER_ADDRESS: "30",
  AUTH_LOCK_SECONDS: "60",
  AUTH_SIGN_UPS_PER_ADDRESS: "3",
  AUTH_RESETS_PER_ADDRESS: "3",
};
let place: Place;
let clock: MovableClock;
let service: Service;
let other: Service;
let forwarded: (address: string) => Readonly<Record<string, string>>;

beforeAll(async () => {
  place = await freshPlace();
  clock = movableClock();
  service = await startService(place, limits, clock);
  other = await startService(place, limits, clock);
  forwarded = makeForwarding(place.vars.MESH_SECRET ?? "");
});
afterAll(async () => {
  await service?.stop();
  await other?.stop();
  await place?.leave();
});

let addresses = 0;
const newAddress = (): string => `198.51.${100 + Math.floor(addresses / 250)}.${++addresses % 250}`;

type Method<Req, Res> = (
  request: Req,
  metadata: Metadata,
  options: { deadline: number },
  callback: (err: ServiceError | null, response: Res) => void,
) => unknown;

/** Calls as somebody at `address`. */
function from<Req, Res>(address: string, method: Method<Req, Res>, request: Req, { users } = service): Promise<Res> {
  return new Promise((resolve, reject) => {
    method.call(users, request, Metadata.fromHttp2Headers(forwarded(address)), { deadline: Date.now() + 20_000 }, (err, response) =>
      err === null ? resolve(response) : reject(err),
    );
  });
}

const tryAt = (username: string, password: string, address = newAddress(), at = service) =>
  from(address, at.users.logIn, { username, password }, at);
const reasonOf = async (calling: Promise<unknown>): Promise<string> => (await refusal(calling)).reason;

/** When a refusal says to come again, in s. */
async function retryAfter(calling: Promise<unknown>): Promise<number> {
  const err = await calling.then(
    () => undefined,
    (refused: ServiceError) => refused,
  );
  const bytes = err?.metadata.get("grpc-status-details-bin")[0];
  const detail = Buffer.isBuffer(bytes) ? Status.decode(bytes).details.find(({ typeUrl }) => typeUrl.endsWith("RetryInfo")) : undefined;
  return detail === undefined ? Number.NaN : (RetryInfo.decode(detail.value).retryDelay?.seconds ?? 0);
}

test.each([
  ["somebody", "ada"],
  ["nobody", "nobody"],
])("20 wrong passwords lock the name of %s for a while, on every replica, also for the right one", async (_who, username) => {
  if (username === "ada") await from(newAddress(), service.users.signUp, { username, password: PASSWORD, email: "", language: "" });
  const reasons: string[] = [];
  for (let i = 0; i < 20; i++) reasons.push(await reasonOf(tryAt(username, WRONG, newAddress(), i % 2 === 0 ? service : other)));
  expect(new Set(reasons)).toEqual(new Set(["INVALID_CREDENTIALS"]));
  for (const password of [WRONG, PASSWORD]) {
    const locked = await refusal(tryAt(username.toUpperCase(), password));
    expect(locked).toEqual({ code: "RESOURCE_EXHAUSTED", reason: "ACCOUNT_LOCKED", fields: [] });
  }
  const wait = await retryAfter(tryAt(username, PASSWORD, newAddress(), other));
  expect(wait).toBeGreaterThan(50);
  expect(wait).toBeLessThanOrEqual(60);
  clock.aheadMs += 61_000;
  if (username === "ada") expect(signedIn(await tryAt(username, PASSWORD)).username).toBe("ada");
  else expect(await reasonOf(tryAt(username, PASSWORD))).toBe("INVALID_CREDENTIALS");
});

test("a right password forgives the wrong ones before it", async () => {
  await from(newAddress(), service.users.signUp, { username: "bob", password: PASSWORD, email: "", language: "" });
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 19; i++) expect(await reasonOf(tryAt("bob", WRONG))).toBe("INVALID_CREDENTIALS");
    await tryAt("bob", PASSWORD);
  }
});

test("of many guesses at once, none is told to be right after the name is locked", async () => {
  await from(newAddress(), service.users.signUp, { username: "carol", password: PASSWORD, email: "", language: "" });
  await Promise.all(Array.from({ length: 40 }, () => reasonOf(tryAt("carol", WRONG))));
  expect(await reasonOf(tryAt("carol", PASSWORD))).toBe("ACCOUNT_LOCKED");
});

test("who is locked out is told by mail, once", async () => {
  const tables = await openTables(place);
  const email = "dora@example.org";
  await from(newAddress(), service.users.signUp, { username: "dora", password: PASSWORD, email, language: "" });
  // It leaves by way of the outbox, which nobody empties while NATS is away.
  await place.nats.kill();
  for (let i = 0; i < 22; i++) await reasonOf(tryAt("dora", WRONG, "203.0.113.77"));
  const { rows } = await tables.query("select data from outbox where type = 'chargemesh.auth.v1.SecurityNoticeRaised'");
  await place.nats.restart();
  await tables.end();
  expect(rows.filter(({ data }) => data.username === "dora").map(({ data }) => data)).toMatchObject([
    { email, kind: "LOCKED_OUT", remoteAddress: "203.0.113.77" },
  ]);
});

test("30 wrong passwords lock an address, by its network, and no other", async () => {
  for (let i = 0; i < 30; i++) expect(await reasonOf(tryAt(`somebody-${i}`, WRONG, `2001:db8:1:2::${i + 1}`))).toBe("INVALID_CREDENTIALS");
  expect(await reasonOf(tryAt(ADMIN.username, ADMIN.password, "2001:db8:1:2:ffff::1"))).toBe("ADDRESS_LOCKED");
  await tryAt(ADMIN.username, ADMIN.password, "2001:db8:1:3::1");
  clock.aheadMs += 61_000;
  await tryAt(ADMIN.username, ADMIN.password, "2001:db8:1:2:ffff::1");
});

test("who says of themselves to be elsewhere is not believed", async () => {
  const metadata = new Metadata();
  metadata.set("x-forwarded-for", "192.0.2.200");
  const users = service.users;
  const logging = new Promise((resolve, reject) => {
    users.signUp(
      { username: "erin", password: PASSWORD, email: "", language: "" },
      metadata,
      { deadline: Date.now() + 20_000 },
      (err, response) => (err === null ? resolve(response) : reject(err)),
    );
  });
  await logging;
  // Here all who call directly are at one address.
  for (let i = 0; i < 2; i++) await signUp(service, `erin-${i}`);
  expect(await refusal(signUp(service, "erin-3"))).toEqual({ code: "RESOURCE_EXHAUSTED", reason: "TOO_MANY_SIGN_UPS", fields: [] });
  expect(await retryAfter(signUp(service, "erin-4"))).toBeGreaterThan(3_000);
  clock.aheadMs += 3_600_000;
  await signUp(service, "erin-5");
});

test("resets are asked for so often from one address and no more, whoever they are for", async () => {
  const { accounts } = service;
  const ask = (username: string) => call(accounts, accounts.requestPasswordReset, { username, email: "" });
  for (let i = 0; i < 3; i++) expect(await ask(`nobody-${i}`)).toEqual({});
  expect(await refusal(ask(ADMIN.username))).toEqual({ code: "RESOURCE_EXHAUSTED", reason: "TOO_MANY_MAILS", fields: [] });
  clock.aheadMs += 3_600_000;
  expect(await ask(ADMIN.username)).toEqual({});
});

test("a reset asks for one of username and email", async () => {
  const { accounts } = service;
  for (const request of [
    { username: "", email: "" },
    { username: "ada", email: "ada@example.org" },
  ]) {
    const refused = await refusal(call(accounts, accounts.requestPasswordReset, request));
    expect(refused).toEqual({ code: "INVALID_ARGUMENT", reason: "INVALID_FIELD", fields: ["username"] });
  }
});

test("what costs more to try from now on is hashed anew when its user signs in", async () => {
  const tables = await openTables(place);
  const hashOf = async (): Promise<string> =>
    (await tables.query(`select password_hash from "user" where username = 'admin'`)).rows[0].password_hash;
  expect(await hashOf()).toContain("$m=1024,t=1,");
  const dearer = await startService(place, { ...limits, AUTH_ARGON2_MEMORY_KIB: "2048", AUTH_ARGON2_ITERATIONS: "2" }, clock);
  await logIn(dearer, ADMIN);
  const hash = await hashOf();
  expect(hash).toContain("$m=2048,t=2,");
  await logIn(dearer, ADMIN);
  expect(await hashOf()).toBe(hash);
  await dearer.stop();
  // One with lower settings leaves it as it is.
  await logIn(service, ADMIN);
  expect(await hashOf()).toBe(hash);
  await tables.end();
});

test.each([
  ["a common one", "1234567890987654321"],
  ["one in other case", "PasswordPassword"],
  ["two common ones in a row", "football12345678"],
  ["a short text over and over", "abcabcabcabcabc"],
  ["one character", "!!!!!!!!!!!!!!!!!!!!"],
  ["digits in their order", "890123456789012"],
  ["letters backwards", "zyxwvutsrqponmlkj"],
  ["the username", "frederica-2026!"],
  ["the address", "frederica@example.org"],
  ["the name of the service", "ChargeMesh-frederica"],
])("%s is refused as a password", async (_what, password) => {
  const { users } = service;
  const refused = await refusal(
    call(users, users.signUp, { username: "frederica", password, email: "frederica@example.org", language: "" }),
  );
  expect(refused).toEqual({ code: "INVALID_ARGUMENT", reason: "PASSWORD_TOO_EASY", fields: ["password"] });
});

test.each([
  ["a few words", "seven purple herons"],
  ["64 characters", `${"x8".repeat(3)}${"zq 4".repeat(14)}ab`],
  ["letters of no alphabet", "пурпурные цапли на крыше"],
  ["nothing but spaces between", "a b c d e f g h i"],
])("%s is a good password", async (what, password) => {
  const { users } = service;
  expect([...password].length).toBeGreaterThanOrEqual(15);
  const username = `good-${what.replaceAll(" ", "-")}`;
  await from(newAddress(), users.signUp, { username, password, email: "", language: "" });
  await tryAt(username, password);
});
