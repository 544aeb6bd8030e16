// Writes docs/ocpp-coverage.md: every message of every version we know, which of them charger-service handles, where, and which tests try them.

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Catalogue, Row, Sender } from "@chargemesh/ocpp/catalogue";
import { isSentBy } from "@chargemesh/ocpp/catalogue";
import { type Version, versions } from "@chargemesh/ocpp/version";
import { brief, handledBy, testedBy } from "./messages/places.ts";

/** What charger-service exports as `supported`: the messages it handles, by version and by who sends them. */
type Supported = Partial<Record<string, { fromStation: readonly string[]; fromCsms: readonly string[] }>>;

type Handled = NonNullable<Supported[string]>;

const page = fileURLToPath(new URL("../docs/ocpp-coverage.md", import.meta.url));
const source = new URL("../charger-service/src/ocpp/supported.ts", import.meta.url);

const { supported }: { supported: Supported } = await import(source.href);
writeFileSync(page, coverage(supported));

/** The page. Error if `supported` names a version or a message that does not exist, or one that the other side sends. */
function coverage(supported: Supported): string {
  const unknown = Object.keys(supported).filter((name) => versions.every((version) => version.subprotocol !== name));
  if (unknown.length > 0) throw new Error(`supported: no version ${unknown.join(", ")}`);
  return [
    "# OCPP coverage",
    "",
    "Written by `tools/coverage.ts` from the catalogues of `packages/ocpp` and from what charger-service says it handles; do not edit.",
    "",
    "Handled by: the modules below `charger-service/src/ocpp`. Tested by: the files below `charger-service/test/ocpp` (those of `rpc/` beside it) in which a",
    "charger sends the message over its WebSocket, or gets it; besides, `negative` tries every field of every message wrong.",
    "",
    ...[...versions].reverse().flatMap((version) => section(version, supported[version.subprotocol] ?? { fromStation: [], fromCsms: [] })),
  ].join("\n");
}

function section({ subprotocol, catalogue }: Version, handled: Handled): string[] {
  for (const [sender, actions] of [["station", handled.fromStation] as const, ["csms", handled.fromCsms] as const]) {
    const odd = actions.filter((action) => !isSentBy(catalogue, sender, action));
    if (odd.length > 0) throw new Error(`supported: the ${sender} of ${subprotocol} does not send ${odd.join(", ")}`);
  }
  const rows = Object.entries<Row>(catalogue).flatMap(([action, row]) => lines(action, row, catalogue, handled));
  const done = handled.fromStation.length + handled.fromCsms.length;
  return [
    `## ${subprotocol}`,
    "",
    `${done} of ${rows.length} handled.`,
    "",
    `| message | ${"profile" in (Object.values(catalogue)[0] ?? {}) ? "profile" : "block"} | sent by | handled by | tested by |`,
    "|---|---|---|---|---|",
    ...rows,
    "",
  ];
}

/** A line per direction: what either side may send is two things to handle. Error if something is handled that no test tries. */
function lines(action: string, row: Row, catalogue: Catalogue, { fromStation, fromCsms }: Handled): string[] {
  const group = "profile" in row ? row.profile : row.block;
  const line = (sender: Sender, who: string, actions: readonly string[]): string[] => {
    if (!isSentBy(catalogue, sender, action)) return [];
    if (!actions.includes(action)) return [`| ${action} | ${group} | ${who} |  |  |`];
    const tests = testedBy(sender, action);
    if (tests.length === 0) throw new Error(`no test has ${action} sent by ${who}`);
    return [`| ${action} | ${group} | ${who} | ${handledBy(sender, action).join(", ")} | ${tests.map(brief).join(", ")} |`];
  };
  return [...line("station", "charger", fromStation), ...line("csms", "us", fromCsms)];
}
