import Fastify from "fastify";

// What Fastify can do at best with these answers: it has them in memory, and no service behind it.

const bodies: Record<string, string> = JSON.parse(process.env.BODIES ?? "{}");
const app = Fastify();
for (const [name, body] of Object.entries(bodies)) {
  app.get(`/${name}`, (_request, reply) => reply.type("application/json; charset=utf-8").send(body));
}
await app.listen({ host: "127.0.0.1", port: Number(process.env.PORT) });
