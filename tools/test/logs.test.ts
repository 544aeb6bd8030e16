import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { openServiceLog } from "../up/logs.ts";
import { openTerminal } from "../up/terminal.ts";
import { makeFolder } from "./folder.ts";

test("warnings and worse are shown with the service's name, once in a while, and what is meant for people; the rest is not", async () => {
  const shown: string[] = [];
  const terminal = {
    ...openTerminal(process.stdout),
    line: (text = "") => void shown.push(text),
    warn: (name: string, text: string) => void shown.push(`${name} ${text}`),
  };
  const file = join(makeFolder(), "gateway.log");
  const log = openServiceLog("gateway", file, terminal);
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  log.take(stdout, stderr);
  expect(log.trouble()).toBeUndefined();
  const lines = [
    { level: "info", msg: "started" },
    { level: "warn", time: "2026-01-01T00:00:00Z", service: "gateway", requestId: "1", msg: "answered", path: "/health", status: 503 },
    { level: "warn", time: "2026-01-01T00:00:01Z", service: "gateway", requestId: "2", msg: "answered", path: "/docs", status: 503 },
    { level: "error", msg: "request failed", err: { message: "x".repeat(300), stack: "…" } },
  ];
  for (const line of lines) stdout.write(`${JSON.stringify(line)}\n`);
  stdout.end("no JSON at all\n");
  stderr.end("Error: out of memory\n    at somewhere\n");
  await expect
    .poll(() => shown.toSorted())
    .toEqual([
      "  no JSON at all",
      "gateway Error: out of memory",
      "gateway answered path=/health status=503",
      `gateway error: request failed: ${"x".repeat(200)}…`,
    ]);
  expect(log.trouble()).toBe("Error: out of memory");
  const written = [...lines.map((line) => JSON.stringify(line)), "no JSON at all", "Error: out of memory", "    at somewhere"];
  await expect.poll(() => readFileSync(file, "utf8").trim().split("\n").toSorted()).toEqual(written.toSorted());
});
