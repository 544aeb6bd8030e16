import { openClient } from "@chargemesh/kit/grpc-client";
import type { Transport } from "@chargemesh/kit/transport";
import { routesOf } from "@chargemesh/transcoder";
import { makeGenericClientConstructor, type ServiceError } from "@grpc/grpc-js";
import type { FastifyInstance, FastifyReply } from "fastify";
import fastifyPlugin from "fastify-plugin";
import { service } from "grpc-health-check";
import type { Config } from "../config.ts";
import { calleeOf } from "../upstreams.ts";

/** How long a service may take to say how it is, in ms. */
const DEADLINE_MS = 3_000;

type State = "ok" | "degraded" | "unavailable";

/** How one service is, and what it depends on. */
interface ServiceHealth {
  status: State;
  dependencies: Record<string, State>;
}

/**
 * `GET /health` for the whole system and `GET /{first segment}/health` for each service behind it, from grpc.health.v1.
 * 503 if anything cannot serve; a dependency that is away but not needed to serve is `degraded`, and 200 (decision 14).
 */
export const health = fastifyPlugin<Pick<Config, "protoDirs" | "upstreams"> & { transport: Transport }>(async (app, options) => {
  const { protoDirs, upstreams, transport } = options;
  const routes = routesOf(protoDirs);
  const services = new Map<string, () => Promise<ServiceHealth>>();
  for (const [proto, target] of Object.entries(upstreams)) {
    const name = firstSegmentOf(routes, proto);
    // Services of one package may be in several places; the first one speaks for them.
    if (name !== undefined && !services.has(name)) services.set(name, askAt(app, target, transport, calleeOf(proto)));
  }
  const answer = (reply: FastifyReply, body: { status: State }): FastifyReply => {
    return reply
      .code(body.status === "unavailable" ? 503 : 200)
      .header("cache-control", "no-store")
      .send(body);
  };
  app.get("/health", { config: { unlimited: true } }, async (_request, reply) => {
    const answers = await Promise.all([...services].map(async ([name, ask]) => [name, await ask()] as const));
    return answer(reply, { status: worst(answers.map(([, { status }]) => status)), ...{ services: Object.fromEntries(answers) } });
  });
  for (const [name, ask] of services)
    app.get(`/${name}/health`, { config: { unlimited: true } }, async (_request, reply) => answer(reply, await ask()));
});

/** Where a service or a package is on REST: the first segment of its routes. Undefined if it has none. */
function firstSegmentOf(routes: readonly string[], proto: string): string | undefined {
  const route = routes.find((line) => line.includes(` -> ${proto}.`) || line.includes(` -> ${proto}/`));
  return / \/([^/:]+)/.exec(route ?? "")?.[1];
}

function worst(states: readonly State[]): State {
  return (["unavailable", "degraded"] as const).find((state) => states.includes(state)) ?? "ok";
}

interface ListResponse {
  statuses: Record<string, { status: string }>;
}

function askAt(app: FastifyInstance, target: string, transport: Transport, callee: string | undefined): () => Promise<ServiceHealth> {
  const client = openClient(makeGenericClientConstructor(service, "Health"), target, transport, callee);
  app.addHook("onClose", async () => client.close());
  return () =>
    new Promise((resolve) => {
      const callback = (err: ServiceError | null, response?: ListResponse): void => {
        if (err !== null) app.log.info({ err, target }, "a service does not say how it is");
        resolve(toHealth(response?.statuses ?? {}));
      };
      client.list?.({}, { deadline: Date.now() + DEADLINE_MS }, callback);
    });
}

/** What grpc.health.v1 lists: the service as a whole under "", dependencies under their own names, gRPC services under names with dots. */
function toHealth(statuses: ListResponse["statuses"]): ServiceHealth {
  const stateOf = (name: string): State => (statuses[name]?.status === "SERVING" ? "ok" : "unavailable");
  const names = Object.keys(statuses).filter((name) => name !== "" && !name.includes("."));
  const dependencies = Object.fromEntries(names.map((name) => [name, stateOf(name)]));
  const isDegraded = Object.values(dependencies).includes("unavailable");
  const status = stateOf("") === "ok" && isDegraded ? "degraded" : stateOf("");
  return { status, dependencies };
}
