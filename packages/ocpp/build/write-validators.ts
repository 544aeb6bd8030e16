import { _, Ajv } from "ajv";
import standalone from "ajv/dist/standalone/index.js";
import { isIso8601, isRfc3339 } from "../src/date-time.ts";
import { dereference, type SchemaFile } from "./schemas.ts";

/** Which function of `src/date-time.ts` a version's `date-time` is. */
export type DateTime = "isIso8601" | "isRfc3339";

/** What the generated modules look like to TypeScript. */
export const validatorTypes = `import type { Validator } from "../src/schema-fault.ts";

export declare const requests: Readonly<Record<string, Validator>>;
export declare const responses: Readonly<Record<string, Validator>>;
`;

/**
 * An ES module with a validator per request and response, in two tables without a prototype, so that no word from outside finds anything
 * else in them. It needs nothing of ajv at run time. Definitions are written out where they are used: nested validators would cost a
 * call and an object each.
 */
export function validatorsOf({ requests, responses, definitions }: SchemaFile, dateTime: DateTime): string {
  const ajv = new Ajv({
    code: { source: true, esm: true, formats: _`formats` },
    formats: { "date-time": { isIso8601, isRfc3339 }[dateTime], uri: URL.canParse },
    messages: false,
    // 16.1 is 161.00000000000003 times 0.1.
    multipleOfPrecision: 6,
    strict: true,
  });
  const names: Record<string, string> = {};
  for (const [suffix, schemas] of Object.entries({ Request: requests, Response: responses })) {
    for (const [action, schema] of Object.entries(schemas)) {
      ajv.addSchema(dereference(schema, definitions), `${action}${suffix}`);
      names[`${action}${suffix}`] = `${action}${suffix}`;
    }
  }
  return [
    `import { characters } from "../src/characters.ts";`,
    `import { ${dateTime} } from "../src/date-time.ts";`,
    `const formats = { "date-time": ${dateTime}, uri: URL.canParse };`,
    withoutRuntime(standalone.default(ajv, names)),
    tableOf("requests", "Request", Object.keys(requests)),
    tableOf("responses", "Response", Object.keys(responses)),
  ].join("\n");
}

/** Puts `characters` where ajv wants its own counter, and lets it count only what is too long in UTF-16 units already. */
function withoutRuntime(code: string): string {
  const [, counter] = /const (func\d+) = require\("ajv\/dist\/runtime\/ucs2length"\)\.default/.exec(code) ?? [];
  if (counter === undefined) throw new Error("ajv writes maxLength in another way than expected");
  const inlined = code
    .replace('require("ajv/dist/runtime/ucs2length").default', "characters")
    .replaceAll(new RegExp(`${counter}\\((\\w+)\\) > (\\d+)`, "g"), `$1.length > $2 && ${counter}($1) > $2`);
  if (inlined.includes("require(")) throw new Error("ajv wants a module at run time");
  return inlined;
}

function tableOf(name: string, suffix: string, actions: string[]): string {
  return `export const ${name} = { __proto__: null, ${actions.map((action) => `${action}: ${action}${suffix}`).join(", ")} };`;
}
