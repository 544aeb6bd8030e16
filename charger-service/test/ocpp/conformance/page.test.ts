import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

// docs/ocpp-conformance.md is held to the list of cases, and to the tests that it names.

const root = join(import.meta.dirname, "../../../..");

/** The test cases for central systems of OCPP 1.6, by number. */
const cases =
  `001 003 004_1 004_2 005_1 007 010 011_1 011_2 012 013 014 017_1 017_2 018_1 019_1 019_2 021 023_1 023_2 023_3 024 026 028 030 031 032_1
  037_1 037_3 039 040_1 040_2 042_1 042_2 043_1 043_3 043_4 043_5 044_1 044_2 044_3 045_1 045_2 046 047 048_1 048_2 048_3 048_4 049 051 052
  053 054 055 056 057 059 061 064 066 067 073 074 075_1 075_2 076 077 078 079 080 081 083 085 086 087 088`
    .split(/\s+/)
    .map((number) => `TC_${number}`);

const rows = [
  ...readFileSync(join(root, "docs/ocpp-conformance.md"), "utf8").matchAll(/^\| (TC_\w+) \| .+ \| `([^`]+\.test\.ts)`: (.+) \|$/gm),
].map(([, number = "", file = "", title = ""]) => ({ number, file, title }));

/** Titles of tests, and of the rows of tests that have several. */
function titlesIn(file: string): string[] {
  if (!existsSync(join(root, file))) return [];
  const source = readFileSync(join(root, file), "utf8");
  return [...source.matchAll(/(?:\btest|\)|^ +\[)(?:\(|)"([^"]+)",/gm)].map(([, title = ""]) => title);
}

test("every case has a row", () => {
  expect(cases).toHaveLength(77);
  expect(rows.map(({ number }) => number).toSorted()).toEqual(cases);
});

test("every row names a test that is there, of its number", () => {
  expect(rows.filter(({ number, title }) => !title.startsWith(`${number}: `))).toEqual([]);
  expect(rows.filter(({ file, title }) => !titlesIn(file).includes(title))).toEqual([]);
});

test("every test of a case is in a row, and a test that is not there would be found", () => {
  const here = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".test.ts"));
  const titles = here
    .flatMap((name) => titlesIn(`charger-service/test/ocpp/conformance/${name}`))
    .filter((title) => title.startsWith("TC_"));
  expect(titles.toSorted()).toEqual(rows.map(({ title }) => title).toSorted());
  expect(titlesIn("charger-service/test/ocpp/conformance/page.test.ts")).not.toContain("no such test");
});
