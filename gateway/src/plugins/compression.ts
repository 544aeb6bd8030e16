import { promisify } from "node:util";
import { brotliCompress, gzip, constants as zlib } from "node:zlib";
import type { FastifyReply } from "fastify";
import fastifyPlugin from "fastify-plugin";

/** What fits into one packet gains nothing, in bytes. */
const WORTHWHILE_BYTES = 1_400;

const compressible = /^(?:text\/|application\/(?:.*\+)?(?:json|xml)\b|application\/(?:javascript|x-ndjson)\b|image\/svg\+xml\b)/;

/** As fast as gzip, and smaller; brotli's own default is ten times slower. */
const BROTLI = { params: { [zlib.BROTLI_PARAM_QUALITY]: 4 } };

const brotliAsync = promisify(brotliCompress);
const gzipAsync = promisify(gzip);
const encoders = {
  br: (bytes: Buffer) => brotliAsync(bytes, BROTLI),
  gzip: (bytes: Buffer) => gzipAsync(bytes),
};

/** Compresses answers that are worth it, as the caller likes best (RFC 9110, 12.5.3). Streams are never held up for that. */
export const compression = fastifyPlugin(async (app) => {
  app.addHook("onSend", (request, reply, payload, done) => {
    if (!isWorthwhile(reply, payload)) return done(null, payload);
    const vary = reply.getHeader("vary");
    reply.header("vary", vary === undefined ? "Accept-Encoding" : `${vary}, Accept-Encoding`);
    const encoding = preferredEncoding(request.headers["accept-encoding"]);
    if (encoding === undefined) return done(null, payload);
    encoders[encoding](Buffer.from(payload)).then(
      (compressed) => {
        reply.header("content-encoding", encoding).removeHeader("content-length");
        done(null, compressed);
      },
      (error: Error) => done(error),
    );
  });
});

function isWorthwhile(reply: FastifyReply, payload: unknown): payload is string | Buffer {
  if (typeof payload !== "string" && !Buffer.isBuffer(payload)) return false;
  if (payload.length < WORTHWHILE_BYTES || reply.hasHeader("content-encoding")) return false;
  return compressible.test(String(reply.getHeader("content-type"))) && !String(reply.getHeader("cache-control")).includes("no-transform");
}

/** Of equals, the smaller one. Undefined if neither is wanted. */
function preferredEncoding(header: string | string[] | undefined): keyof typeof encoders | undefined {
  if (header === undefined) return undefined;
  const weights = new Map(
    String(header)
      .toLowerCase()
      .split(",")
      .map((part) => {
        const [name = "", weight = "q=1"] = part.split(";").map((text) => text.trim());
        return [name, Number(weight.slice(2))];
      }),
  );
  const weightOf = (name: string): number => weights.get(name) ?? weights.get("*") ?? 0;
  const [br, gz] = [weightOf("br"), weightOf("gzip")];
  if (br > 0 && br >= gz) return "br";
  return gz > 0 ? "gzip" : undefined;
}
