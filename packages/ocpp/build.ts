// Writes gen/ from the official JSON schemas: `node packages/ocpp/build.ts`. Does nothing if it is fresh.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readSchemas, schemaPath } from "./build/schemas.ts";
import { typesOf } from "./build/write-types.ts";
import { type DateTime, validatorsOf, validatorTypes } from "./build/write-validators.ts";
import type { Catalogue } from "./src/catalogue.ts";
import { v16Catalogue } from "./src/catalogue-v16.ts";
import { v201Catalogue } from "./src/catalogue-v201.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const gen = join(here, "gen");

const versions: { name: string; schemas: string; catalogue: Catalogue; dateTime: DateTime }[] = [
  { name: "v16", schemas: "ocpp1_6", catalogue: v16Catalogue, dateTime: "isIso8601" },
  { name: "v201", schemas: "ocpp2_0_1", catalogue: v201Catalogue, dateTime: "isRfc3339" },
];

function build(): void {
  const fingerprint = fingerprintOfInputs();
  const stamp = join(gen, "inputs.sha256");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === fingerprint) {
    say("packages/ocpp/gen is fresh");
    return;
  }
  rmSync(gen, { recursive: true, force: true });
  mkdirSync(gen);
  for (const { name, schemas, catalogue, dateTime } of versions) {
    const file = readSchemas(schemas, catalogue);
    writeFileSync(join(gen, `${name}.ts`), typesOf(file));
    writeFileSync(join(gen, `${name}-validators.js`), validatorsOf(file, dateTime));
    writeFileSync(join(gen, `${name}-validators.d.ts`), validatorTypes);
  }
  // Last, so that what was interrupted is done again.
  writeFileSync(stamp, fingerprint);
  say(
    `packages/ocpp/gen written: ${versions.map((version) => `${Object.keys(version.catalogue).length} messages of ${version.name}`).join(", ")}`,
  );
}

/** Everything that what we write depends on: this program, the catalogues, the schemas and the release of ajv. */
function fingerprintOfInputs(): string {
  const inputs = [
    fileURLToPath(import.meta.url),
    ...readdirSync(join(here, "build")).map((name) => join(here, "build", name)),
    ...["catalogue-v16.ts", "catalogue-v201.ts"].map((name) => join(here, "src", name)),
    ...versions.map(({ schemas }) => schemaPath(schemas)),
    fileURLToPath(import.meta.resolve("ajv/package.json")),
  ];
  const hash = createHash("sha256");
  for (const input of inputs.toSorted()) hash.update(readFileSync(input));
  return hash.digest("hex");
}

function say(line: string): void {
  writeSync(1, `${line}\n`);
}

build();
