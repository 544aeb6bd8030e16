import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

// docs/errors.md is held to the code, both ways.

const root = join(import.meta.dirname, "..");
const page = readFileSync(join(root, "docs/errors.md"), "utf8");
const listed = new Set([...page.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, reason]) => reason ?? ""));
const sources = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "packages/*/src/*.ts", "*/src/*.ts"], {
  cwd: root,
  encoding: "utf8",
})
  .trim()
  .split("\n")
  .map((file) => readFileSync(join(root, file), "utf8"));

/** Every way in which a reason is written down in the code. */
const ways = [
  /new AppError\(\s*[^,]+,\s*"([A-Z_]+)"/g,
  /\breason(?:\??: [^;\n]*?=)?: "([A-Z][A-Z_]+)"/g,
  /\brefused\(\s*"([A-Z_]+)"/g,
  /\berrorCode: "([A-Z_]+)"/g,
  /error_code: "([A-Z_]+)"/g,
  /"(NO_COMMON_SUBPROTOCOL)"/g,
  /^ {2}([A-Z_]+): \[4\d\d,/gm,
];
const used = new Set(sources.flatMap((text) => ways.flatMap((way) => [...text.matchAll(way)].map(([, reason]) => reason ?? ""))));

test("every reason in the code is explained", () => {
  expect([...used].filter((reason) => !listed.has(reason))).toEqual([]);
});

test("every reason that is explained is in the code", () => {
  const texts = sources.join("\n");
  expect([...listed].filter((reason) => !texts.includes(`"${reason}"`) && !new RegExp(`^ *${reason}:`, "m").test(texts))).toEqual([]);
});
