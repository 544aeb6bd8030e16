import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Sender } from "@chargemesh/ocpp/catalogue";

// Where a message of OCPP 1.6 has its behaviour and its tests, by what the sources say of it.

const service = join(import.meta.dirname, "../../charger-service");

interface Source {
  /** Below the folder that was read, without `.ts`. */
  readonly name: string;
  readonly text: string;
}

function sourcesIn(folder: string, end: string): Source[] {
  return readdirSync(join(service, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(end))
    .toSorted()
    .map((file) => ({ name: file.slice(0, -end.length), text: readFileSync(join(service, folder, file), "utf8") }));
}

const tests = sourcesIn("test", ".test.ts");
const handlers = sourcesIn("src/ocpp/v16", ".ts").filter(({ name }) => name !== "routes");

/** How a test says this as a charger, `call("Heartbeat", …)`, or as an operator sees it come to one, `isAsked("Reset")`. */
function said(sender: Sender, action: string): RegExp {
  const name = action === "BootNotification" ? `${action}"|\\.(?:re)?boot\\(\\)` : `${action}"`;
  const charger = `\\b(?:call|result|says|sayAll)\\((?:\\w+, )?"${name}`;
  const us = `\\b(?:isAsked|asked|toldUrl|command|send)\\((?:\\w+, )?"${action}"|\\baction: "${action}"|^ +\\["${action}", \\{`;
  return new RegExp(sender === "station" ? charger : us, "m");
}

/** The tests that have a charger send this message, or that see it come to a charger: their files, below charger-service/test. */
export function testedBy(sender: Sender, action: string): string[] {
  const pattern = said(sender, action);
  return tests.filter(({ text }) => pattern.test(text)).map(({ name }) => name);
}

/** The modules below charger-service/src/ocpp that give a message its meaning. What is only sent and answered has that of every command. */
export function handledBy(sender: Sender, action: string): string[] {
  if (sender === "station") {
    const file = action.replaceAll(/(?<!^)[A-Z]/g, "-$&").toLowerCase();
    return handlers.some(({ name }) => name === file) ? [`v16/${file}`] : [];
  }
  const pattern = new RegExp(`\\baction: "${action}"|^ {2}(?:async )?${action}(?::|\\()|\\? "${action}"|: "${action}"`, "m");
  const found = handlers.filter(({ text }) => pattern.test(text)).map(({ name }) => `v16/${name}`);
  return found.length === 0 ? ["commands"] : found;
}

/** A file of tests in few words: `ocpp/stops` is `stops`. */
export const brief = (name: string): string => name.replace(/^ocpp\//, "");
