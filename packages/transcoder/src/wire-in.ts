import { isUtf8 } from "node:buffer";
import { wire } from "./wire-out.ts";

const TWO_32 = 0x1_0000_0000;

/** Reads protobuf from bytes. Throws a RangeError where they end too early or are no protobuf. */
export class WireIn {
  readonly buf: Buffer;
  pos: number;
  /** The halves of the last 64-bit value, unsigned. */
  low = 0;
  high = 0;

  constructor(buf: Buffer, pos = 0) {
    this.buf = buf;
    this.pos = pos;
  }

  /** The low 32 bits of a varint, unsigned. */
  uint32(): number {
    const first = this.buf[this.pos] ?? 0x80;
    if (first < 0x80) {
      this.pos++;
      return first;
    }
    this.varint64();
    return this.low;
  }

  /** A field's number and its wire type. */
  tag(): number {
    const first = this.buf[this.pos] ?? 0x80;
    if (first >= 8 && first < 0x80) {
      this.pos++;
      return first;
    }
    this.varint64();
    if (this.high !== 0 || this.low < 8) throw new RangeError("a tag that is none");
    return this.low;
  }

  /** Reads a varint into `low` and `high`. */
  varint64(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const found = this.buf[this.pos++];
      if (found === undefined) throw truncated();
      const bits = found & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else if (shift < 64) high |= bits << (shift - 32);
      if (found < 0x80) {
        this.low = low >>> 0;
        this.high = high >>> 0;
        return;
      }
    }
    throw new RangeError("a varint of more than ten bytes");
  }

  fixed32(): number {
    this.pos += 4;
    return this.buf.readUInt32LE(this.pos - 4);
  }

  fixed64(): void {
    this.low = this.fixed32();
    this.high = this.fixed32();
  }

  float(): number {
    this.pos += 4;
    return this.buf.readFloatLE(this.pos - 4);
  }

  double(): number {
    this.pos += 8;
    return this.buf.readDoubleLE(this.pos - 8);
  }

  /** Reads a length, and says where what it counts ends. */
  end(): number {
    const length = this.uint32();
    const end = this.pos + length;
    if (end > this.buf.length) throw truncated();
    return end;
  }

  /** A length-delimited run of bytes, as a view. */
  bytes(): Buffer {
    const end = this.end();
    const bytes = this.buf.subarray(this.pos, end);
    this.pos = end;
    return bytes;
  }

  text(): string {
    return this.textTo(this.end());
  }

  /** The text from here to `end`, which must be UTF-8. */
  textTo(end: number): string {
    if (!isUtf8(this.buf.subarray(this.pos, end))) throw new RangeError("a string is not UTF-8");
    const text = this.buf.toString("utf8", this.pos, end);
    this.pos = end;
    return text;
  }

  /** `low` and `high` as decimal digits. */
  decimal(signed: boolean): string {
    if (this.high < 0x20_0000) return String(this.high * TWO_32 + this.low);
    const bits = (BigInt(this.high) << 32n) | BigInt(this.low);
    return String(signed ? BigInt.asIntN(64, bits) : bits);
  }

  /** Goes over a value of a field that nobody reads. */
  skip(tag: number): void {
    switch (tag & 7) {
      case wire.varint:
        this.varint64();
        return;
      case wire.fixed64:
        this.pos += 8;
        return;
      case wire.bytes:
        this.pos = this.end();
        return;
      case wire.fixed32:
        this.pos += 4;
        return;
      case 3:
        this.skipGroup(tag);
        return;
      default:
        throw new RangeError(`no wire type ${tag & 7}`);
    }
  }

  private skipGroup(tag: number): void {
    for (let inner = this.tag(); inner >>> 3 !== tag >>> 3 || (inner & 7) !== 4; inner = this.tag()) this.skip(inner);
  }
}

function truncated(): RangeError {
  return new RangeError("the message ends too early");
}
