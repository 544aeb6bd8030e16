import { WireIn } from "./wire-in.ts";

/** A google.api.HttpBody: an answer that is not JSON. */
export interface HttpBody {
  readonly contentType: string;
  readonly data: Buffer;
}

/** Takes a google.api.HttpBody apart. Throws a RangeError if that is none. */
export function readHttpBody(encoded: Buffer): HttpBody {
  const input = new WireIn(encoded);
  let contentType = "";
  let data = Buffer.alloc(0);
  while (input.pos < encoded.length) {
    const tag = input.tag();
    if (tag === 0x0a) contentType = input.text();
    else if (tag === 0x12) data = Buffer.from(input.bytes());
    else input.skip(tag);
  }
  return { contentType: contentType || "application/octet-stream", data };
}
