import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

// docs/security.md is held to the tests that it names.

const root = join(import.meta.dirname, "../..");
const rows = readFileSync(join(root, "docs/security.md"), "utf8")
  .split(/^## OWASP.*$/m)[1]
  ?.split("\n")
  .filter((line) => /^\| (API\d|\|)/.test(line) || line.startsWith("| |"))
  .map((line) =>
    line
      .slice(1, -1)
      .split(" | ")
      .map((cell) => cell.trim()),
  );

function parse([risk = "", , proof = ""]: readonly string[]): { risk: string; file: string; title: string } {
  const [, file = "", title = ""] = /^`([^`]+\.test\.ts)`: (.+)$/.exec(proof) ?? [];
  return { risk, file, title };
}

/** Every title of a test in a file, as it stands in the source. */
function titlesIn(file: string): string[] {
  if (!existsSync(join(root, file))) return [];
  const source = readFileSync(join(root, file), "utf8");
  return [...source.matchAll(/^\s*(?:test\b|\]\)|.*\)|)\(?\s*(["`])(.+?)\1,/gm)].map(([, , title = ""]) => title.replaceAll('\\"', '"'));
}

test("each of the ten risks has its rows, in order", () => {
  const risks = (rows ?? []).flatMap(([risk]) => /^API(\d+) /.exec(risk ?? "")?.[1] ?? []);
  expect(risks).toEqual(["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]);
});

test("every test that is named as a proof is there", () => {
  const proofs = (rows ?? []).map(parse);
  expect(proofs.length).toBeGreaterThan(30);
  expect(proofs.filter(({ file, title }) => !titlesIn(file).includes(title))).toEqual([]);
});

test("and a test that is not there would be found", () => {
  expect(titlesIn("test/access/page.test.ts")).toContain("every test that is named as a proof is there");
  expect(titlesIn("test/access/page.test.ts")).not.toContain("no such test");
  expect(titlesIn("test/access/no-such-file.test.ts")).toEqual([]);
});
