import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { expect, test } from "vitest";

// Style is a test: who may import whom, and what no file may hold. What fails here need not be found in review.

const root = join(import.meta.dirname, "..");
const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { cwd: root, encoding: "utf8" })
  .trim()
  .split("\n");
const isGenerated = (file: string): boolean => /(^|\/)gen\//.test(file) || /lock(\.yaml|\.json)$|^docs\/ocpp-coverage\.md$/.test(file);
const written = files.filter((file) => !isGenerated(file));
const sources = written.filter((file) => file.endsWith(".ts"));
const read = (file: string): string => readFileSync(join(root, file), "utf8");
const lines = (file: string): string[] => read(file).split("\n");

/** Everything that a file imports, as a path from the root; packages of others are left out. */
function importsOf(file: string): string[] {
  const specifiers = [...read(file).matchAll(/(?:^|\n)(?:import|export)[^;"]*?from "([^"]+)"|import\("([^"]+)"\)/g)].map(
    ([, a, b]) => a ?? b ?? "",
  );
  return specifiers.flatMap((specifier) => {
    if (specifier.startsWith(".")) return [posix.join(dirname(file), specifier)];
    const ours = /^@chargemesh\/([a-z]+)(.*)$/.exec(specifier);
    if (ours !== null) return [`packages/${ours[1]}${ours[2]}`];
    return /^(gateway|auth-service|charger-service|email-service|simulator)\//.test(specifier) ? [specifier] : [];
  });
}

// Whoever is in the first may import what is in the second. The first row that matches a file counts.
const beside = "packages/(kit|contracts)/";
const layers: [file: RegExp, mayImport: RegExp][] = [
  [/^packages\/contracts\//, /^packages\/contracts\//],
  [/^packages\/kit\//, /^packages\/(kit|contracts)/],
  [/^packages\/ocpp\//, /^packages\/ocpp\//],
  [/^packages\/transcoder\//, /^packages\/transcoder\//],
  [/^gateway\/src\//, /^(gateway\/src\/|packages\/(kit|contracts|transcoder))/],
  [/-service\/src\/db\//, new RegExp(`^(${beside}|[a-z]+-service/src/db/)`)],
  [/-service\/src\/(resources(\/[a-z-]+)?|events)\.ts$/, new RegExp(`^(${beside}|[a-z]+-service/src/(db/|resources[./]))`)],
  [/-service\/src\/domain\//, /^(packages\/kit\/|[a-z]+-service\/src\/(domain|db)\/|[a-z]+-service\/src\/(?:[a-z]+-)*events\.ts)/],
  [/-service\/src\/live\//, /^(packages\/kit\/|[a-z]+-service\/src\/live\/)/],
  [/-service\/src\/mail\//, /^(packages\/kit\/|[a-z]+-service\/src\/(mail|db)\/|[a-z]+-service\/src\/(config|events)\.ts)/],
  [
    /-service\/src\/rpc\//,
    new RegExp(`^(${beside}|[a-z]+-service/src/(rpc|domain|db|mail|live)/|[a-z]+-service/src/(events\\.ts|resources[./]))`),
  ],
  [/-service\/src\/ocpp\//, /^(packages\/(kit|ocpp)\/|charger-service\/src\/(ocpp|domain|db)\/)/],
  [/-service\/src\/webhooks\/(?!open\.ts)/, /^(packages\/kit\/|[a-z]+-service\/src\/(webhooks|domain|db|live)\/)/],
  [/-service\/src\/subscribers\//, new RegExp(`^(${beside}|[a-z]+-service/src/(subscribers|domain|db|mail)/)`)],
  [/-service\/src\//, /^(packages\/(kit|contracts|ocpp)\/|[a-z]+-service\/src\/)/],
  [/^simulator\/src\//, /^(simulator\/src\/|packages\/(ocpp|kit)\/)/],
];

test("nothing imports upward, and no service another", () => {
  const wrong = sources
    .filter((file) => !/(^|\/)(test|tools|bench)\//.test(file))
    .flatMap((file) => {
      const layer = layers.find(([pattern]) => pattern.test(file));
      const service = /^([a-z]+-service)\//.exec(file)?.[1];
      return importsOf(file).flatMap((imported) => {
        const isAllowed = layer === undefined || layer[1].test(imported);
        const isOther = service !== undefined && /^[a-z]+-service\//.test(imported) && !imported.startsWith(`${service}/`);
        return isAllowed && !isOther ? [] : [`${file} imports ${imported}`];
      });
    });
  expect(wrong).toEqual([]);
});

test("only main.ts, tools and tests know of the process", () => {
  const wrong = sources.filter(
    (file) =>
      !/(^|\/)(main|build|migrate)\.ts$|(^|\/)(test|tools|bench)\//.test(file) &&
      /\bprocess\.(env|argv|exit|on|once|cwd|stdout|stderr)\b/.test(read(file)),
  );
  expect(wrong).toEqual([]);
});

test("files end before line 300, but for the one list of events that a service has", () => {
  const limited = written.filter((file) => /\.(ts|proto)$/.test(file) && !file.endsWith("/events.proto"));
  const long = limited.filter((file) => lines(file).length > 300);
  expect(long).toEqual([]);
});

test("no file is named after what it is not about", () => {
  const vague = written.filter((file) => /(^|\/)(utils?|helpers?|common|types|misc)(\/|\.ts$)/.test(file));
  expect(vague).toEqual([]);
});

test("nothing is left for later, and nothing leads off this repository's own ground", () => {
  const texts = written.filter(
    (file) => /\.(ts|md|proto|ya?ml|json|template|sh)$|^Makefile$|^\.ci\//.test(file) && file !== "test/tidy.test.ts",
  );
  const patterns = [/\b(TODO|FIXME|XXX)\b/, /registry\.(npmjs|yarnpkg)|pypi\.org|deb\.debian\.org/, /(^|[\s"'`(=])\/(root|work)\//];
  const wrong = texts.flatMap((file) =>
    lines(file).flatMap((line, i) => (patterns.some((pattern) => pattern.test(line)) ? [`${file}:${i + 1}: ${line.trim()}`] : [])),
  );
  expect(wrong).toEqual([]);
});
