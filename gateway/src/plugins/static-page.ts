import { createHash } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";

/** A page runs its own files and calls this origin, and nothing else. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  json: "application/json; charset=utf-8",
};

/** Answers with a text that stays the same as long as the process does: whoever has it may keep it, and asks whether it still holds. */
export function answering(name: string, text: string) {
  const type = TYPES[name.replace(/.*\./, "")] ?? "";
  // Weak, for it may be compressed on its way.
  const etag = `W/"${createHash("sha256").update(text).digest("base64url")}"`;
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    reply.headers({ etag, "cache-control": "public, no-cache", "x-content-type-options": "nosniff" });
    // Also with 304, whose headers take the place of those that the browser has kept.
    if (type.startsWith("text/html")) reply.headers({ "content-security-policy": POLICY, "referrer-policy": "no-referrer" });
    if (isHeld(request.headers["if-none-match"], etag)) return reply.code(304).send();
    return reply.type(type).send(text);
  };
}

/** RFC 9110, 13.1.2: weak comparison. */
function isHeld(ifNoneMatch: string | undefined, etag: string): boolean {
  const opaque = (tag: string): string => tag.trim().replace(/^W\//, "");
  const held = (ifNoneMatch ?? "").split(",").map(opaque);
  return held.includes(opaque(etag)) || held.includes("*");
}
