import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as auditEvents from "@chargemesh/contracts/audit/v1/events";
import * as authEvents from "@chargemesh/contracts/auth/v1/events";
import * as chargerEvents from "@chargemesh/contracts/charger/v1/events";
import * as emailEvents from "@chargemesh/contracts/email/v1/events";
import { readEventTypes } from "@chargemesh/kit/event-types";
import { loadProtos } from "@chargemesh/kit/rules";
import { expect, test } from "vitest";
import { readCatalogue } from "../events/catalogue.ts";
import { exampleOf } from "../events/example.ts";
import { renderPage } from "../events/page.ts";

// docs/events.md and what it is made from: every event has a rule and a writer, and the examples are what services would write.

const root = join(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");
const events = readCatalogue();
const names = events.map(({ message }) => message.name).toSorted();
const types = readEventTypes(loadProtos([...new Set(events.map(({ message }) => `${message.file.name}.proto`))]));
const codecs = Object.fromEntries(
  [auditEvents, authEvents, chargerEvents, emailEvents]
    .flatMap((module): unknown[] => Object.values(module))
    .flatMap((one) => (typeof one === "object" && one !== null && "$type" in one ? [[one.$type, one]] : [])),
);

test("the page tells of every event that services and streams know", () => {
  expect(events.length).toBeGreaterThan(40);
  expect(events.map(({ type }) => type).toSorted()).toEqual([...types.keys()].toSorted());
  expect(events.map(({ type, rule }) => [type, rule.audience])).toEqual(events.map(({ type }) => [type, types.get(type)?.audience]));
});

test("every event is written by somebody, and nothing is that is none", () => {
  const files = execFileSync("git", ["ls-files", "--", "*-service/src/*.ts", "packages/kit/src/*.ts"], { cwd: root, encoding: "utf8" });
  const written = files
    .trim()
    .split("\n")
    .flatMap((file) => [...read(file).matchAll(/\bappendEvent\(\s*\w+,\s*([^,]+),/g)])
    .flatMap(([, message = ""]) => message.match(/\b[A-Z]\w+/g) ?? []);
  expect([...new Set(written)].toSorted()).toEqual(names);
});

const open = events.filter(({ rule }) => rule.audience !== "SERVICE");

test.each(open.map((entry) => [entry.type, entry] as const))("the example of %s is what a service would write", (type, entry) => {
  const { data, subject, ...envelope } = exampleOf(entry);
  const codec = codecs[type] as { fromJSON(data: unknown): unknown; toJSON(message: unknown): unknown };
  expect(codec.toJSON(codec.fromJSON(data))).toEqual(data);
  expect(envelope).toMatchObject({ specversion: "1.0", type, source: expect.stringMatching(/^(auth|charger|email)-service$/) });
  expect(subject).toMatch(/^(CP-1|42|04a1b2c3|6f0c4f0e-58a3-4c39-9a51-2f7c2c1d9e0[124])$/);
  // What it is about is to be seen in it.
  const { rule } = entry;
  if (rule.user !== undefined) expect(types.get(type)?.userOf(data as object)).toBe("6f0c4f0e-58a3-4c39-9a51-2f7c2c1d9e02");
  if (entry.aggregate === "charger") expect(types.get(type)?.chargerOf(data as object)).toBe("CP-1");
  if (entry.aggregate === "transaction") expect(types.get(type)?.transactionOf(data as object)).toBe("42");
});

test("the page is what the protos say now, and `make checkgenerate` sees to that", () => {
  const page = read("docs/events.md");
  expect(page === renderPage(events), "docs/events.md is not fresh: run `make generate`").toBe(true);
  const makefile = read("Makefile");
  expect(makefile).toMatch(/^DERIVE := .*tools\/events\.ts/m);
  expect(makefile).toMatch(/^DERIVED := .*docs\/events\.md/m);
  const headings = new Set(
    [...page.matchAll(/^#+ (.+)$/gm)].map(([, text = ""]) =>
      text
        .toLowerCase()
        .replaceAll(" ", "-")
        .replace(/[^\w-]/g, ""),
    ),
  );
  const broken = [...page.matchAll(/\]\(#([^)]+)\)/g)].map(([, to = ""]) => to).filter((to) => !headings.has(to));
  expect(broken).toEqual([]);
});
