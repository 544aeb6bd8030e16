import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { NAMES } from "../../tools/certs/keep.ts";
import { readContract } from "../access/contract.ts";

// Who may call whom: the table of docs/architecture.md is what the descriptors say.

const page = readFileSync(join(import.meta.dirname, "../../docs/architecture.md"), "utf8");
const table = /\| rpc \| callers \|\n\|---\|---\|\n((?:\|.*\|\n)+)/.exec(page)?.[1] ?? "";
const drawn = table
  .trim()
  .split("\n")
  .map((row) => /^\| `(.+)` \| (.+) \|$/.exec(row)?.slice(1, 3) ?? row);
const rpcs = readContract().filter(({ level }) => level === "SERVICE");

test("the page draws every rpc that is for services, and no other, with its callers", () => {
  const declared = rpcs.map(({ path, callers }) => [path.slice(1), callers.join(", ")]);
  expect(drawn).toEqual(declared.toSorted(([a = ""], [b = ""]) => (a < b ? -1 : 1)));
});

test("what is for services is not on REST, where the gateway's name would stand for anybody", () => {
  expect(rpcs.filter(({ bindings }) => bindings.length > 0)).toEqual([]);
});

test("every caller is a service that has a certificate", () => {
  const names: readonly string[] = NAMES;
  expect(rpcs.flatMap(({ callers }) => callers).filter((caller) => !names.includes(caller))).toEqual([]);
});
