import { createWriteStream, existsSync, renameSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { Terminal } from "./terminal.ts";

/** What becomes of what a service writes: all of it goes to its file, trouble to the terminal as well. */
export type ServiceLog = {
  readonly file: string;
  /** Takes the streams of one run of the service. */
  take(stdout: Readable, stderr: Readable): void;
  /** The newest trouble that its newest run spoke of; undefined if there was none. */
  trouble(): string | undefined;
};

const TROUBLE = new Set(["warn", "error", "fatal"]);
/** Fields that the terminal has by other means, or that only the file needs. */
const UNTOLD = new Set(["time", "service", "requestId"]);
const CAUSE_LENGTH_MAX = 200;
/** The same line again within this time says nothing new, in ms. */
const REPEAT_MS = 10_000;

/** Opens the log of a service. That of the run before is kept beside it, as `….1`. */
export function openServiceLog(name: string, file: string, terminal: Terminal): ServiceLog {
  if (existsSync(file)) renameSync(file, `${file}.1`);
  const out = createWriteStream(file, { flags: "a", mode: 0o600 });
  // A full disk takes the log, not the service.
  out.on("error", (err) => terminal.warn(name, `its log cannot be written: ${err.message}`));
  const shownAt = new Map<string, number>();
  let trouble: string | undefined;

  const show = (text: string, details = ""): void => {
    trouble = text;
    const now = Date.now();
    if (now - (shownAt.get(text) ?? 0) < REPEAT_MS) return;
    shownAt.set(text, now);
    terminal.warn(name, `${text}${details}`);
  };
  const eachLine = (stream: Readable, see: (line: string) => void): void => {
    createInterface({ input: stream }).on("line", (line) => {
      out.write(`${line}\n`);
      see(line);
    });
  };
  return {
    file,
    take(stdout, stderr) {
      trouble = undefined;
      eachLine(stdout, (line) => {
        // What is no JSON is meant for people: the simulator tells what its chargers do.
        if (!line.startsWith("{")) return terminal.line(`  ${line}`);
        const said = troubleIn(line);
        if (said !== undefined) show(said.text, said.details);
      });
      // What is no log line is a crash or a word of Node itself. Its stack is in the file.
      eachLine(stderr, (line) => {
        if (/^\S*(Error|Warning)\b/.test(line)) show(line);
      });
    },
    trouble: () => trouble,
  };
}

/** The message of a log line that is a warning or worse, with its cause, and its other fields; undefined for any other line. */
function troubleIn(line: string): { text: string; details: string } | undefined {
  try {
    const { level, msg, err, ...rest } = JSON.parse(line) as { level?: string; msg?: string; err?: { message?: string } };
    if (level === undefined || !TROUBLE.has(level)) return undefined;
    const cause = err?.message !== undefined && err.message !== msg ? `: ${shorten(err.message)}` : "";
    const fields = Object.entries(rest).filter(([name, value]) => !UNTOLD.has(name) && typeof value !== "object");
    return {
      text: `${level === "warn" ? "" : `${level}: `}${msg ?? "?"}${cause}`,
      details: fields.map(([name, value]) => ` ${name}=${value}`).join(""),
    };
  } catch {
    return undefined;
  }
}

function shorten(text: string): string {
  return text.length > CAUSE_LENGTH_MAX ? `${text.slice(0, CAUSE_LENGTH_MAX)}…` : text;
}
