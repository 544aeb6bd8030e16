import { invalid } from "./json-cursor.ts";

/** The wire types of protobuf that are in use. */
export const wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

const TWO_32 = 0x1_0000_0000;
const START_BYTES = 4096;
/** A buffer that one large message has grown is not kept for the small ones after it. */
const KEEP_BYTES = 1 << 20;

/** Messages in messages: more than this, decoders refuse. */
const DEPTH_MAX = 99;

/** A growing buffer that protobuf is written to. It is reused: one message at a time, without a pause in between. */
export class WireOut {
  buf = Buffer.allocUnsafeSlow(START_BYTES);
  pos = 0;
  private depth = 0;

  /** Makes room for `bytes` more. */
  room(bytes: number): void {
    const need = this.pos + bytes;
    if (need <= this.buf.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(need, this.buf.length * 2));
    this.buf.copy(larger, 0, 0, this.pos);
    this.buf = larger;
  }

  /** A varint of at most 32 bits, unsigned. */
  uint32(value: number): void {
    this.room(5);
    let rest = value;
    while (rest > 0x7f) {
      this.buf[this.pos++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.buf[this.pos++] = rest;
  }

  /** A negative int32 is sign-extended to ten bytes, as every encoder does. */
  int32(value: number): void {
    if (value >= 0) this.uint32(value);
    else this.varint64(value >>> 0, 0xffff_ffff);
  }

  /** An int64 or uint64. A number must be a safe integer. */
  int64(value: number | bigint): void {
    if (typeof value === "number") {
      this.varint64(value >>> 0, Math.floor(value / TWO_32) >>> 0);
      return;
    }
    const bits = BigInt.asUintN(64, value);
    this.varint64(Number(bits & 0xffff_ffffn), Number(bits >> 32n));
  }

  /** A fixed64 or sfixed64. A number must be a safe integer. */
  fixed64(value: number | bigint): void {
    this.room(8);
    this.pos = this.buf.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), this.pos);
  }

  /** A varint of 64 bits, given as two unsigned halves. */
  private varint64(low: number, high: number): void {
    this.room(10);
    let lo = low;
    let hi = high;
    while (hi > 0) {
      this.buf[this.pos++] = (lo & 0x7f) | 0x80;
      lo = ((lo >>> 7) | (hi << 25)) >>> 0;
      hi >>>= 7;
    }
    this.uint32(lo);
  }

  fixed32(value: number): void {
    this.room(4);
    this.pos = this.buf.writeUInt32LE(value >>> 0, this.pos);
  }

  float(value: number): void {
    this.room(4);
    this.pos = this.buf.writeFloatLE(value, this.pos);
  }

  double(value: number): void {
    this.room(8);
    this.pos = this.buf.writeDoubleLE(value, this.pos);
  }

  /** A length and that many bytes of `source`. */
  bytes(source: Uint8Array, start = 0, end = source.length): void {
    const length = end - start;
    this.uint32(length);
    this.room(length);
    // A call into native code costs more than a few bytes do.
    if (length < 24) for (let at = start; at < end; at++) this.buf[this.pos++] = source[at] ?? 0;
    else {
      this.buf.set(source.subarray(start, end), this.pos);
      this.pos += length;
    }
  }

  text(value: string): void {
    this.room(value.length * 3 + 1);
    const at = this.pos++;
    this.pos += this.buf.write(value, this.pos, "utf8");
    this.putLength(at);
  }

  /** Bytes that are protobuf already. */
  raw(encoded: Uint8Array): void {
    this.room(encoded.length);
    this.buf.set(encoded, this.pos);
    this.pos += encoded.length;
  }

  /** Begins a message, or a packed list, which its length precedes; give what it returns to `end`. Throws a JsonFault if it is nested too deeply. */
  begin(): number {
    if (++this.depth > DEPTH_MAX) throw invalid("is nested too deeply");
    this.room(1);
    return this.pos++;
  }

  end(begun: number): void {
    this.depth--;
    this.putLength(begun);
  }

  /** Writes the length of what came since, moving it if the length takes more than the byte that was kept for it. */
  private putLength(begun: number): void {
    const length = this.pos - begun - 1;
    if (length < 0x80) {
      this.buf[begun] = length;
      return;
    }
    const extra = length < 0x4000 ? 1 : length < 0x20_0000 ? 2 : length < 0x1000_0000 ? 3 : 4;
    this.room(extra);
    this.buf.copyWithin(begun + 1 + extra, begun + 1, this.pos);
    this.pos = begun;
    this.uint32(length);
    this.pos += length;
  }

  /** A copy of what was written, and an empty buffer again. */
  take(): Buffer {
    const taken = Buffer.from(this.buf.subarray(0, this.pos));
    this.reset();
    return taken;
  }

  reset(): void {
    this.pos = 0;
    this.depth = 0;
    if (this.buf.length > KEEP_BYTES) this.buf = Buffer.allocUnsafeSlow(START_BYTES);
  }
}

/** The first varint of a field: its number and its wire type. */
export function tagOf(fieldNumber: number, wireType: number): number {
  return ((fieldNumber << 3) | wireType) >>> 0;
}
