// Writes docs/access.md: every rpc, where it is on REST, and who may call it.

import { readdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { protoDirs } from "@chargemesh/contracts/proto-dirs";
import { loadProtos, rulesOf } from "@chargemesh/kit/rules";
import { routesOf } from "@chargemesh/transcoder";

const page = fileURLToPath(new URL("../docs/access.md", import.meta.url));
const [ours = ""] = protoDirs;
const files = readdirSync(ours, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith("_service.proto"));
const root = loadProtos(files.toSorted());

const who = {
  PUBLIC: "anybody",
  DRIVER: "users, drivers for what is their own",
  OPERATOR: "operators, administrators",
  ADMIN: "administrators",
} as const;

/** What an API key must have to call an rpc. */
function scopeOf({ level, signedIn, scope, chargerOf }: ReturnType<typeof rulesOf>["access"]): string {
  if (level === "PUBLIC" || level === "SERVICE") return "";
  if (signedIn) return "none will do";
  return `\`${scope}\`${chargerOf === undefined ? "" : ", at its chargers"}`;
}

/** Every rpc of ours: package.Service/Method. */
function rpcsOf(service: string): string[] {
  return Object.keys(root.lookupService(service).methods).map((method) => `${service}/${method}`);
}

/** The full names of the services that a file declares. */
function servicesIn(file: string): string[] {
  const parts = file.replace(/_service\.proto$/, "").split("/");
  const noun = (parts.pop() ?? "").replace(/(^|_)([a-z])/g, (_match, _start, letter: string) => letter.toUpperCase());
  return [`${parts.join(".")}.${noun}Service`];
}

const routes = routesOf([ours]).map((line) => line.split(" -> "));
const rows = files
  .toSorted()
  .flatMap(servicesIn)
  .flatMap(rpcsOf)
  .map((rpc) => {
    const { access } = rulesOf(root, `/${rpc}`);
    const rest = routes.filter(([, to = ""]) => to.replace(" (stream)", "") === rpc).map(([route]) => `\`${route}\``);
    const callers = access.level === "SERVICE" ? `services: ${access.callers.join(", ")}` : who[access.level];
    return `| \`${rpc.replace(/^chargemesh\./, "")}\` | ${rest.join(", ")} | ${callers} | ${scopeOf(access)} |`;
  });

writeFileSync(
  page,
  [
    "# Who may call what",
    "",
    "Written by `tools/access.ts` from the access rules of the protos; do not edit. [security.md](security.md) says what the rules mean.",
    "",
    "| rpc | REST | who | API keys, by their scope |",
    "|---|---|---|---|",
    ...rows,
    "",
  ].join("\n"),
);
