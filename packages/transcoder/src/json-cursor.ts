import { isUtf8 } from "node:buffer";

/** What is wrong with the JSON of a caller, and where: `path` is that of the value in it, as the caller wrote it, "" for the whole. */
export class JsonFault extends Error {
  path = "";
  readonly reason: "MALFORMED_JSON" | "INVALID_FIELD" | "UNKNOWN_FIELD";

  constructor(reason: JsonFault["reason"], description: string) {
    super(description);
    this.reason = reason;
  }
}

/** A value that its field does not take. */
export function invalid(description: string): JsonFault {
  return new JsonFault("INVALID_FIELD", description);
}

/** Adds the step that leads to where a fault was found, from the inside out, and gives the fault back to be thrown on. */
export function within(step: string, error: unknown): unknown {
  if (error instanceof JsonFault && error.reason !== "MALFORMED_JSON") {
    error.path = error.path === "" || error.path.startsWith("[") ? `${step}${error.path}` : `${step}.${error.path}`;
  }
  return error;
}

export const byte = {
  quote: 0x22,
  comma: 0x2c,
  minus: 0x2d,
  colon: 0x3a,
  openList: 0x5b,
  backslash: 0x5c,
  closeList: 0x5d,
  openObject: 0x7b,
  closeObject: 0x7d,
  f: 0x66,
  n: 0x6e,
  t: 0x74,
} as const;

/** Messages nest a hundred deep, with lists or maps between them. This keeps what no message wants from exhausting the stack. */
const DEPTH_MAX = 300;
/** Integers of so many digits are exact in a number. */
const EXACT_DIGITS = 15;

const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;

/**
 * Reads JSON (RFC 8259) from bytes, token by token. Nothing is skipped unseen: what is not JSON throws a MALFORMED_JSON fault that
 * names the byte.
 */
export class JsonCursor {
  readonly buf: Buffer;
  pos = 0;
  /** Where the content of the last string, or the last number, begins and ends. */
  start = 0;
  stop = 0;
  /** The last string holds escapes, so its bytes are not its text. */
  escaped = false;
  private depth = 0;

  /** `buf` must not change while it is read. Throws if it is not UTF-8. */
  constructor(buf: Buffer) {
    if (!isUtf8(buf)) throw new JsonFault("MALFORMED_JSON", "The JSON is not valid UTF-8.");
    this.buf = buf;
  }

  malformed(what: string, at = this.pos): JsonFault {
    return new JsonFault("MALFORMED_JSON", `Malformed JSON at byte ${at}: ${what}.`);
  }

  /** The next byte that is not white space, or -1 at the end. */
  next(): number {
    let at = this.pos;
    let found = this.buf[at] ?? -1;
    while (found === 0x20 || found === 0x0a || found === 0x0d || found === 0x09) found = this.buf[++at] ?? -1;
    this.pos = at;
    return found;
  }

  expect(wanted: number): void {
    if (this.next() !== wanted) throw this.malformed(`expected ${JSON.stringify(String.fromCharCode(wanted))}`);
    this.pos++;
  }

  /** Goes into an object or a list. False if it is empty, and then it is already behind us. */
  open(opening: number, closing: number): boolean {
    this.expect(opening);
    if (this.next() === closing) {
      this.pos++;
      return false;
    }
    if (++this.depth > DEPTH_MAX) throw this.malformed(`nested deeper than ${DEPTH_MAX}`);
    return true;
  }

  /** After a member: true if another follows, false if that was the last and `closing` is behind us. */
  more(closing: number): boolean {
    const found = this.next();
    this.pos++;
    if (found === byte.comma) return true;
    if (found !== closing) throw this.malformed(`expected "," or ${JSON.stringify(String.fromCharCode(closing))}`, this.pos - 1);
    this.depth--;
    return false;
  }

  /** Scans a string and leaves its bounds in `start`, `stop` and `escaped`. */
  scanString(): void {
    if (this.next() !== byte.quote) throw this.malformed("expected a string");
    const { buf } = this;
    let at = this.pos + 1;
    this.start = at;
    this.escaped = false;
    for (;;) {
      const found = buf[at] ?? -1;
      if (found === byte.quote) break;
      if (found < 0x20) throw this.malformed(found < 0 ? "the string does not end" : "a control character in a string", at);
      if (found === byte.backslash) {
        this.escaped = true;
        at++;
      }
      at++;
    }
    this.stop = at;
    this.pos = at + 1;
  }

  /** The text of the string that was scanned last. */
  text(): string {
    if (!this.escaped) return this.buf.toString("utf8", this.start, this.stop);
    let text: unknown;
    try {
      text = JSON.parse(this.buf.toString("utf8", this.start - 1, this.stop + 1));
    } catch {
      throw this.malformed("a bad escape in a string", this.start);
    }
    if (typeof text !== "string" || !text.isWellFormed()) throw this.malformed("half of a surrogate pair in a string", this.start);
    return text;
  }

  /** Scans a number. Plain integers of few digits are returned at once; for others, undefined: see `token`. */
  scanNumber(): number | undefined {
    const { buf } = this;
    this.next();
    const begun = this.pos;
    let at = buf[begun] === byte.minus ? begun + 1 : begun;
    const first = at;
    let value = 0;
    for (let digit = (buf[at] ?? 0) - 0x30; digit >= 0 && digit <= 9; digit = (buf[at] ?? 0) - 0x30) {
      value = value * 10 + digit;
      at++;
    }
    const after = buf[at] ?? 0;
    const plain = after !== 0x2e && after !== 0x65 && after !== 0x45 && at - first <= EXACT_DIGITS && at > first;
    this.start = begun;
    if (!plain || (buf[first] === 0x30 && at - first > 1)) return this.scanAnyNumber(begun);
    this.stop = at;
    this.pos = at;
    if (first === begun) return value;
    return value === 0 ? undefined : -value;
  }

  private scanAnyNumber(begun: number): undefined {
    let end = begun;
    for (let found = this.buf[end] ?? 0; isNumeric(found); found = this.buf[end] ?? 0) end++;
    const text = this.buf.toString("latin1", begun, end);
    number.lastIndex = 0;
    if (number.exec(text)?.[0].length !== text.length || text === "") throw this.malformed("expected a value", begun);
    this.stop = end;
    this.pos = end;
    return undefined;
  }

  /** The characters of the number that was scanned last. */
  token(): string {
    return this.buf.toString("latin1", this.start, this.stop);
  }

  /** Reads `null`, `true` or `false` if it stands here. */
  word(word: "null" | "true" | "false"): boolean {
    this.next();
    for (let at = 0; at < word.length; at++) if (this.buf[this.pos + at] !== word.charCodeAt(at)) return false;
    this.pos += word.length;
    return true;
  }

  /** Goes over a value of any kind, which must still be JSON. */
  skip(): void {
    switch (this.next()) {
      case byte.quote:
        this.scanString();
        if (this.escaped) this.text();
        return;
      case byte.openObject:
        this.skipObject();
        return;
      case byte.openList:
        if (!this.open(byte.openList, byte.closeList)) return;
        do this.skip();
        while (this.more(byte.closeList));
        return;
      default:
        if (this.word("null") || this.word("true") || this.word("false")) return;
        this.scanNumber();
    }
  }

  private skipObject(): void {
    if (!this.open(byte.openObject, byte.closeObject)) return;
    do {
      this.scanString();
      if (this.escaped) this.text();
      this.expect(byte.colon);
      this.skip();
    } while (this.more(byte.closeObject));
  }

  /** Nothing but white space may be left. */
  finish(): void {
    if (this.next() !== -1) throw this.malformed("something follows the value");
  }

  /** What stands here, for a message that says what should: "a string", "an object", … */
  found(): string {
    const first = this.next();
    if (first === byte.quote) return "a string";
    if (first === byte.openObject) return "an object";
    if (first === byte.openList) return "a list";
    if (first === byte.n) return "null";
    if (first === byte.t || first === byte.f) return "a boolean";
    return "a number";
  }
}

function isNumeric(found: number): boolean {
  return (found >= 0x30 && found <= 0x39) || found === 0x2b || found === 0x2d || found === 0x2e || found === 0x65 || found === 0x45;
}
