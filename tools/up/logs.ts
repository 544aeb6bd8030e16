import { createWriteStream, existsSync, renameSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { Terminal } from "./terminal.ts";

/** What becomes of what a service writes: all of it goes to its file, trouble to the terminal as well. */
export type ServiceLog = {
  readonly file: string;
  /** Takes the streams of one run of the service. */
  take(stdout: Readable, stderr: Readable): void;
  /** The newest trouble it spoke of; undefined if there was none. */
  trouble(): string | undefined;
};

const TROUBLE = new Set(["warn", "error", "fatal"]);
/** The same line again within this time says nothing new, in ms. */
const REPEAT_MS = 10_000;

/** Opens the log of a service. That of the run before is kept beside it, as `….1`. */
export function openServiceLog(name: string, file: string, terminal: Terminal): ServiceLog {
  if (existsSync(file)) renameSync(file, `${file}.1`);
  const out = createWriteStream(file, { flags: "a", mode: 0o600 });
  const shownAt = new Map<string, number>();
  let trouble: string | undefined;

  const show = (text: string): void => {
    trouble = text;
    const now = Date.now();
    if (now - (shownAt.get(text) ?? 0) < REPEAT_MS) return;
    shownAt.set(text, now);
    terminal.warn(name, text);
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
      eachLine(stdout, (line) => {
        const text = troubleIn(line);
        if (text !== undefined) show(text);
      });
      // What is no log line is a crash or a word of Node itself. Its stack is in the file.
      eachLine(stderr, (line) => {
        if (/^\S*(Error|Warning)\b/.test(line)) show(line);
      });
    },
    trouble: () => trouble,
  };
}

/** The message of a log line that is a warning or worse, with its cause; undefined for any other line. */
function troubleIn(line: string): string | undefined {
  try {
    const { level, msg, err } = JSON.parse(line) as { level?: string; msg?: string; err?: { message?: string } };
    if (level === undefined || !TROUBLE.has(level)) return undefined;
    const cause = err?.message !== undefined && err.message !== msg ? `: ${err.message}` : "";
    return `${level === "warn" ? "" : `${level}: `}${msg ?? "?"}${cause}`;
  } catch {
    return undefined;
  }
}
