import { AppError } from "@chargemesh/kit/errors";
import { makeLogger } from "@chargemesh/kit/log";
import { Stack } from "@chargemesh/kit/main";
import { expect, test, vi } from "vitest";
import { makeBatch } from "../../src/domain/batch.ts";

// What is written later waits for a database that is away, but not without end.

/** A batch of numbers, each of this size, and what is written of it unless there is a failure. */
function open(size: number) {
  const said: string[] = [];
  const log = makeLogger("test", "warn", { write: (line: string) => void said.push(line) });
  const stack = new Stack();
  const written: number[] = [];
  const state = { failure: undefined as Error | undefined, tries: 0 };
  const write = async (items: readonly number[]): Promise<void> => {
    state.tries += 1;
    if (state.failure !== undefined) throw state.failure;
    written.push(...items);
  };
  const batch = makeBatch("numbers", write, () => size, stack, log);
  return { batch, written, said, state, stop: () => stack.close(log) };
}

const away = new AppError("unavailable", "DATABASE_UNAVAILABLE", "away");
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

test("all is written in its order, a moment later or when the service stops", async () => {
  const { batch, written, said, stop } = open(1);
  for (const n of upTo(2_500)) batch.add(n);
  expect(written).toEqual([]);
  await vi.waitFor(() => expect(written).toHaveLength(2_500), 5_000);
  batch.add(2_500);
  await stop();
  expect(written).toEqual(upTo(2_501));
  expect(said).toEqual([]);
});

test.each([
  ["many", 1, 20_000],
  ["large", 10_000, 3_200],
])("while the database is away the oldest of what are too %s are dropped and counted, and the others wait", async (_what, size, most) => {
  const { batch, written, said, state, stop } = open(size);
  state.failure = away;
  for (const n of upTo(50_000)) batch.add(n);
  await vi.waitFor(() => expect(state.tries).toBeGreaterThan(0), 5_000);
  expect(written).toEqual([]);
  state.failure = undefined;
  batch.add(50_000);
  await vi.waitFor(() => expect(written.at(-1)).toBe(50_000), 5_000);
  expect(written.length).toBeGreaterThan(most * 0.9);
  expect(written.length).toBeLessThanOrEqual(most);
  expect(written).toEqual(upTo(50_001).slice(-written.length));
  expect(said.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({ what: "numbers", dropped: 50_001 - written.length, msg: expect.stringContaining("oldest was dropped") }),
  ]);
  await stop();
});

test("what the database will not have is dropped and said, and does not hold up what comes after", async () => {
  const { batch, written, said, state, stop } = open(1);
  state.failure = new Error("no such column");
  batch.add(1);
  await vi.waitFor(() => expect(said).toHaveLength(1), 5_000);
  expect(JSON.parse(said[0] ?? "")).toMatchObject({ level: "error", what: "numbers", dropped: 1 });
  state.failure = undefined;
  batch.add(2);
  await stop();
  expect(written).toEqual([2]);
});
