import { afterAll, beforeAll, expect, test } from "vitest";
import { call, freshPlace, logIn, type Place, refusal, type Service, signUp, startService } from "./service.ts";

const PASSWORD = "correct horse battery staple";
let place: Place;
let service: Service;

beforeAll(async () => {
  place = await freshPlace();
  service = await startService(place);
});
afterAll(async () => {
  await service?.stop();
  await place?.leave();
});

const getMe = (accessToken?: string) => call(service.users, service.users.getMe, {}, accessToken);
const signUpWith = (request: { username: string; password: string; email?: string; language?: string }) =>
  call(service.users, service.users.signUp, { email: "", language: "", ...request });

test("who signs up is signed in, as a driver", async () => {
  const before = Date.now();
  const ada = await signUp(service, "Ada");
  expect(ada).toMatchObject({ username: "Ada", email: "", role: "DRIVER" });
  expect(ada.id).toMatch(/^[0-9a-f-]{36}$/);
  expect(Number(ada.accessTokenExpireTime) - before).toBeGreaterThan(298_000);
  expect(Number(ada.accessTokenExpireTime) - before).toBeLessThanOrEqual(301_000);
  expect(Math.round((Number(ada.refreshTokenExpireTime) - before) / 86_400_000)).toBe(30);
  const { user } = await getMe(ada.accessToken);
  const state = { createTime: expect.any(Date), emailVerified: false, disabled: false, language: "en" };
  expect(user).toEqual({ id: ada.id, username: "Ada", email: "", role: "DRIVER", ...state });
  expect(Math.abs(Number(user?.createTime) - before)).toBeLessThan(10_000);
});

test("who logs in gets tokens for the same user", async () => {
  const { id } = await signUp(service, "bob");
  const bob = await logIn(service, { username: "bob", password: PASSWORD });
  expect(bob.id).toBe(id);
  expect((await getMe(bob.accessToken)).user?.id).toBe(id);
});

test.each([
  ["grace@example.org", "", "grace@example.org"],
  ["grace2@example.org", "g@example.org", "g@example.org"],
  ["grace", "grace@example.com", "grace@example.com"],
])("%s with the email %j gets mail at %j", async (username, email, expected) => {
  const { user } = await signUpWith({ username, password: PASSWORD, email });
  expect(user?.email).toBe(expected);
});

test.each([
  ["case", "Carol", "cAROL"],
  ["the form of its letters", "Zo\u00eb", "ZOE\u0308"],
  ["two lower forms of one letter", "ΟΔΟΣ", "οδοσ"],
])("a username is taken and found without regard to %s", async (_what, username, other) => {
  const { id } = await signUp(service, username);
  expect(await refusal(signUp(service, other))).toEqual({ code: "ALREADY_EXISTS", reason: "USERNAME_TAKEN", fields: ["username"] });
  expect((await logIn(service, { username: other, password: PASSWORD })).id).toBe(id);
});

test("of several who sign up by one name at once, one gets it", async () => {
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => signUp(service, "dora")));
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
});

test("a password is the same however its letters are composed", async () => {
  await signUp(service, "renée", "cafe\u0301 au lait, svp");
  expect(await logIn(service, { username: "renée", password: "caf\u00e9 au lait, svp" })).toMatchObject({ username: "renée" });
});

test.each([
  ["nothing", { username: "", password: "" }, ["username", "password"]],
  ["white space in the username", { username: "a b", password: PASSWORD }, ["username"]],
  ["a NUL in the username", { username: "a\0b", password: PASSWORD }, ["username"]],
  ["a password of 14 characters", { username: "eve", password: "x".repeat(14) }, ["password"]],
  ["a password of 257 characters", { username: "eve", password: "x".repeat(257) }, ["password"]],
  ["an email that is none", { username: "eve", password: PASSWORD, email: "nowhere" }, ["email"]],
])("sign-up refuses %s", async (_what, request, fields) => {
  expect(await refusal(signUpWith(request))).toEqual({ code: "INVALID_ARGUMENT", reason: "INVALID_FIELD", fields });
});

test.each([
  ["a wrong password", "ada", "wrong horse battery staple"],
  ["an unknown username", "nobody", PASSWORD],
  ["a username that cannot be", "a\u0001da", PASSWORD],
])("log-in refuses %s, and always in the same words", async (_what, username, password) => {
  const logging = call(service.users, service.users.logIn, { username, password });
  await expect(logging).rejects.toMatchObject({ details: "The username and the password do not belong together." });
  expect(await refusal(logging)).toEqual({ code: "UNAUTHENTICATED", reason: "INVALID_CREDENTIALS", fields: [] });
});

test("log-in names the fields that are missing", async () => {
  const fields = ["username", "password"];
  const logging = call(service.users, service.users.logIn, { username: "", password: "" });
  expect(await refusal(logging)).toEqual({ code: "INVALID_ARGUMENT", reason: "INVALID_FIELD", fields });
});

test.each([
  ["no token", undefined, "TOKEN_MISSING"],
  ["garbage", "garbage", "TOKEN_INVALID"],
  ["a token that nobody signed", `${btoa('{"alg":"none"}')}.${btoa('{"sub":"x","role":"ADMIN","exp":9999999999}')}.`, "TOKEN_INVALID"],
])("with %s nobody is signed in", async (_what, token, reason) => {
  expect(await refusal(getMe(token))).toEqual({ code: "UNAUTHENTICATED", reason, fields: [] });
});

test("an unknown username takes as long to refuse as a wrong password", async () => {
  const slow = await startService(place, { AUTH_ARGON2_MEMORY_KIB: "19456", AUTH_ARGON2_ITERATIONS: "2" });
  try {
    await signUp(slow, "frank");
    const took = async (username: string): Promise<number> => {
      const before = performance.now();
      await refusal(logIn(slow, { username, password: "wrong horse battery staple" }));
      return performance.now() - before;
    };
    const times: [known: number, unknown: number][] = [];
    for (let i = 0; i < 15; i++) times.push([await took("frank"), await took("nobody")]);
    // The quickest of each is what the work itself takes; the rest is what else this machine had to do.
    const known = Math.min(...times.map(([one]) => one));
    const unknown = Math.min(...times.map(([, one]) => one));
    expect(unknown / known).toBeGreaterThan(0.4);
    expect(unknown / known).toBeLessThan(2.5);
  } finally {
    await slow.stop();
  }
});

test("too many sign-ins at once are refused, not remembered", async () => {
  const limits = { AUTH_WRONG_PER_USERNAME: "0", AUTH_WRONG_PER_ADDRESS: "0" };
  const narrow = await startService(place, {
    ...limits,
    AUTH_HASHES_AT_ONCE: "1",
    AUTH_ARGON2_MEMORY_KIB: "19456",
    AUTH_ARGON2_ITERATIONS: "2",
  });
  try {
    const attempts = Array.from({ length: 150 }, () => refusal(logIn(narrow, { username: "nobody", password: PASSWORD })));
    const reasons = (await Promise.all(attempts)).map(({ code, reason }) => `${code} ${reason}`);
    const count = (text: string): number => reasons.filter((reason) => reason === text).length;
    expect(count("RESOURCE_EXHAUSTED TOO_MANY_SIGN_INS") + count("UNAUTHENTICATED INVALID_CREDENTIALS")).toBe(150);
    expect(count("RESOURCE_EXHAUSTED TOO_MANY_SIGN_INS")).toBeGreaterThan(20);
    expect(count("UNAUTHENTICATED INVALID_CREDENTIALS")).toBeGreaterThanOrEqual(65);
  } finally {
    await narrow.stop();
  }
});
