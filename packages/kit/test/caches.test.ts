import { AppError } from "@chargemesh/kit/errors";
import { cacheKeys } from "@chargemesh/kit/key-cache";
import { makeMemory } from "@chargemesh/kit/memory";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

// Both forget by the monotonic clock, which these tests move on.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

test("an answer is kept for its time, and that there is none too; so a key that was revoked is refused soon", async () => {
  const memory = makeMemory<string>(30_000, 10);
  const answers = ["good", undefined, undefined, "good"];
  const ask = vi.fn(async () => answers.shift());
  expect(await memory("key", ask)).toBe("good");
  vi.advanceTimersByTime(29_999);
  expect(await memory("key", ask)).toBe("good");
  expect(ask).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(1);
  expect(await memory("key", ask)).toBeUndefined();
  vi.advanceTimersByTime(29_999);
  expect(await memory("key", ask)).toBeUndefined();
  expect(ask).toHaveBeenCalledTimes(2);
});

test("of many who ask for the same at once, one does; what fails is not kept", async () => {
  const memory = makeMemory<string>(30_000, 10);
  const ask = vi.fn(async () => "good");
  expect(await Promise.all(Array.from({ length: 5 }, () => memory("key", ask)))).toEqual(Array.from({ length: 5 }, () => "good"));
  expect(ask).toHaveBeenCalledTimes(1);
  await expect(memory("other", () => Promise.reject(new Error("away")))).rejects.toThrow("away");
  expect(await memory("other", async () => "good")).toBe("good");
});

test("made-up keys push out no good ones, and the oldest gives way", async () => {
  const memory = makeMemory<string>(30_000, 3);
  const ask = vi.fn(async () => "good");
  await memory("mine", ask);
  for (let i = 0; i < 100; i++) await memory(`made up ${i}`, async () => undefined);
  await memory("mine", ask);
  expect(ask).toHaveBeenCalledTimes(1);
  for (const key of ["a", "b", "c"]) await memory(key, ask);
  await memory("mine", ask);
  expect(ask).toHaveBeenCalledTimes(5);
});

const away = (cause: unknown) => new AppError("unavailable", "AUTH_UNAVAILABLE", "away", { cause });
const setOf = (kid: string) => ({ keys: [{ kty: "EC", kid }] });

test("keys that are the same stay the same object, and new ones come without anybody waiting", async () => {
  let kid = "a";
  const fetchKeys = vi.fn(async () => setOf(kid));
  const keys = cacheKeys(fetchKeys, 300_000, away);
  const first = await keys(false);
  vi.advanceTimersByTime(300_000);
  expect(await keys(false)).toBe(first);
  await vi.waitFor(() => expect(fetchKeys).toHaveBeenCalledTimes(2));
  expect(await keys(false)).toBe(first);
  kid = "b";
  vi.advanceTimersByTime(300_000);
  expect(await keys(false)).toBe(first);
  await vi.waitFor(async () => expect(await keys(false)).toEqual(setOf("b")));
});

test("an unknown key asks again, but not more often than every five seconds", async () => {
  const fetchKeys = vi.fn(async () => setOf("a"));
  const keys = cacheKeys(fetchKeys, 300_000, away);
  await keys(false);
  for (let i = 0; i < 10; i++) await keys(true);
  expect(fetchKeys).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(5_000);
  for (let i = 0; i < 10; i++) await keys(true);
  expect(fetchKeys).toHaveBeenCalledTimes(2);
});

test("while nobody answers, the keys that are there go on serving, and nobody asks at every call", async () => {
  const fetchKeys = vi.fn(async () => setOf("a"));
  const keys = cacheKeys(fetchKeys, 300_000, away);
  const first = await keys(false);
  fetchKeys.mockRejectedValue(new Error("connection refused"));
  vi.advanceTimersByTime(3_600_000);
  for (let i = 0; i < 10; i++) expect(await keys(false)).toBe(first);
  expect(fetchKeys).toHaveBeenCalledTimes(2);
  await expect(cacheKeys(fetchKeys, 300_000, away)(false)).rejects.toThrow(expect.objectContaining({ reason: "AUTH_UNAVAILABLE" }));
});
