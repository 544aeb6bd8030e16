import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { FastifyReply, FastifyRequest } from "fastify";
import fastifyPlugin from "fastify-plugin";
import { openApiDocument } from "./docs/document.ts";

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
};

/** The page runs its own files and calls this origin, and nothing else. */
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

const assets = ["page.css", "dom.js", "example.js", "main.js", "operation.js", "schema.js", "session.js", "try-it.js"];

/** `GET /openapi.json`, and `GET /docs`, a page to read it and to try it, which needs nothing from anywhere else. Both are public. */
export const docs = fastifyPlugin<{ protoDirs: readonly string[]; isOurs: boolean }>(async (app, { protoDirs, isOurs }) => {
  app.get("/openapi.json", answering("application/json; charset=utf-8", JSON.stringify(openApiDocument(protoDirs, isOurs))));
  app.get("/docs", answering("text/html; charset=utf-8", page("index.html")));
  // Its links are relative, so that the page also works below a prefix of some proxy's.
  app.get("/docs/", async (_request, reply) => reply.redirect("../docs", 308));
  for (const name of assets) app.get(`/docs/${name}`, answering(TYPES[name.replace(/.*\./, "")] ?? "", page(name)));
});

function page(name: string): string {
  return readFileSync(join(import.meta.dirname, "docs/page", name), "utf8");
}

/** Answers with a text that stays the same as long as the process does: whoever has it may keep it, and asks whether it still holds. */
function answering(type: string, text: string) {
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
