import { readFileSync } from "node:fs";
import { join } from "node:path";
import { routesOf } from "@chargemesh/transcoder";
import fastifyPlugin from "fastify-plugin";
import { openApiDocument } from "./docs/document.ts";
import { answering } from "./static-page.ts";

const assets = ["page.css", "dom.js", "example.js", "main.js", "operation.js", "schema.js", "session.js", "try-it.js"];

/**
 * `GET /openapi.json`, and `GET /docs`, a page to read it and to try it, which needs nothing from anywhere else. Both are public. Where somebody
 * else's protos have these paths for themselves, neither is there.
 */
export const docs = fastifyPlugin<{ protoDirs: readonly string[]; isOurs: boolean }>(async (app, { protoDirs, isOurs }) => {
  if (!isOurs && routesOf(protoDirs).some((route) => /^\S+ \/(?:docs|openapi\.json)(?![\w.-])/.test(route))) {
    app.log.warn("the protos have paths of the documentation, which is left out");
    return;
  }
  app.get("/openapi.json", answering("openapi.json", JSON.stringify(openApiDocument(protoDirs, isOurs))));
  app.get("/docs", answering("index.html", page("index.html")));
  // Its links are relative, so that the page also works below a prefix of some proxy's.
  app.get("/docs/", async (_request, reply) => reply.redirect("../docs", 308));
  for (const name of assets) app.get(`/docs/${name}`, answering(name, page(name)));
});

function page(name: string): string {
  return readFileSync(join(import.meta.dirname, "docs/page", name), "utf8");
}
