import { readFileSync } from "node:fs";
import { join } from "node:path";
import fastifyPlugin from "fastify-plugin";
import { answering } from "./static-page.ts";

/**
 * `GET /account`, the page to which links in mails lead. What they are for is behind the #, which browsers keep to themselves, and happens
 * only by a button: programs that look through mails open links, too.
 */
export const account = fastifyPlugin(async (app) => {
  app.get("/account", answering("index.html", page("index.html")));
  // Its links are relative, so that the page also works below a prefix of some proxy's.
  app.get("/account/", async (_request, reply) => reply.redirect("../account", 308));
  for (const name of ["page.css", "main.js"]) app.get(`/account/${name}`, answering(name, page(name)));
});

function page(name: string): string {
  return readFileSync(join(import.meta.dirname, "account/page", name), "utf8");
}
