import type { ChannelCredentials, ChannelOptions } from "@grpc/grpc-js";
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import { type EndpointSettings, endpoint, type ServeBinding } from "./endpoint.ts";
import { errorHandler, notFound, RestError } from "./errors.ts";
import { type Binding, bindingsOf, UnservableError } from "./http-rule.ts";
import { makeReaders } from "./json-reader.ts";
import { makeWriters } from "./json-writer.ts";
import { FORWARDED, headersFrom, metadataFrom, RETURNED } from "./metadata.ts";
import { readProtoFiles } from "./proto-files.ts";
import { newRouteTable, type RouteTable } from "./route-table.ts";
import { openClients, type Upstreams } from "./upstreams.ts";

export interface TranscoderOptions {
  /** Folders of .proto files. Every rpc in them that has a `google.api.http` option is served; a folder `google` is only for importing. */
  readonly protoDirs: readonly string[];
  /** Where the services are, by service, by package, or `*`. */
  readonly upstreams: Upstreams;
  /** For the targets in `upstreams`; without TLS if not given. */
  readonly credentials?: ChannelCredentials;
  readonly channelOptions?: ChannelOptions;
  /** How long a call that does not stream may take at most, in milliseconds; callers may want less (see `timeLimitOf`). 15,000 if not given. */
  readonly deadlineMs?: number;
  /** The largest request body, in bytes. 1 MiB if not given. */
  readonly bodyLimit?: number;
  /** The `domain` of google.rpc.ErrorInfo in errors of the transcoder's own. "transcoder" if not given. */
  readonly domain?: string;
  /** Headers that cross to the services as metadata of the same name. `FORWARDED` if not given. */
  readonly forwardHeaders?: readonly string[];
  /** Metadata of the services that comes back as headers of the same name. `RETURNED` if not given. */
  readonly returnHeaders?: readonly string[];
  /** More metadata; it wins over a forwarded header. */
  metadata?(request: FastifyRequest): Readonly<Record<string, string>>;
  /** JSON members and query parameters that no field has: refused if not given. */
  readonly unknownFields?: "refuse" | "ignore";
  /** Fields without presence are in the answer even when they hold their default value (empty lists, "", 0, false). Yes if not given. */
  readonly emitDefaults?: boolean;
  /** For streams: silence after which a heartbeat is sent (15,000 ms), and the fields, by dotted path, that are an event's id and type. */
  readonly stream?: { readonly heartbeatMs?: number; readonly id?: string; readonly event?: string };
}

/**
 * REST ⇄ gRPC from `google.api.http`, in a scope of its own: body parsers and error handler of the application around it are not touched,
 * and routes of the application's own win over those that are derived. Takes Fastify's `prefix`. Rejects, so that the application does not
 * start, if there is nothing to serve or an rpc cannot be served; the error names file and rpc.
 */
export const transcoder: FastifyPluginAsync<TranscoderOptions> = async (app, options) => {
  const { bindings, types } = readBindings(options.protoDirs, options.unknownFields === "ignore");
  const clients = openClients(options.upstreams, options.credentials, options.channelOptions);
  app.addHook("onClose", async () => clients.close());
  const domain = options.domain ?? "transcoder";
  const settings: EndpointSettings = {
    clientOf: clients.of,
    domain,
    deadlineMs: options.deadlineMs ?? 15_000,
    ignoreUnknown: options.unknownFields === "ignore",
    metadataOf: metadataFrom(options.forwardHeaders ?? FORWARDED, options.metadata?.bind(options)),
    returned: headersFrom(options.returnHeaders ?? RETURNED),
    writers: makeWriters(types, options.emitDefaults ?? true),
    errorWriters: makeWriters(types, false),
    heartbeatMs: options.stream?.heartbeatMs ?? 15_000,
    eventId: options.stream?.id,
    eventType: options.stream?.event,
    openStreams: new Set(),
  };
  app.addHook("preClose", async () => {
    for (const end of settings.openStreams) end();
  });
  const table = tableOf(bindings, (binding) => endpoint(binding, settings));
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  app.setErrorHandler(errorHandler(domain));
  mount(app, bindings, options.bodyLimit, serve(table, app.prefix));
};

/** What the protos in these folders are over REST, a line a binding: for a test that shows reviewers what a change of a proto does. */
export function routesOf(protoDirs: readonly string[]): string[] {
  const { bindings } = readBindings(protoDirs, false);
  tableOf(bindings, (binding) => binding);
  return bindings.map(({ method, template, rpc }) => {
    return `${method} ${template} -> ${rpc.service}/${rpc.name}${rpc.responseStream ? " (stream)" : ""}`;
  });
}

function readBindings(protoDirs: readonly string[], ignoreUnknown: boolean) {
  const { rpcs, types } = readProtoFiles(protoDirs);
  const readers = makeReaders(types, ignoreUnknown);
  const bindings = rpcs.flatMap((rpc) => bindingsOf(rpc, types, readers));
  if (bindings.length === 0) throw new Error(`No rpc in ${protoDirs.join(", ")} has a google.api.http option.`);
  return { bindings, types };
}

/** Throws if two bindings want the same paths. */
function tableOf<Route>(bindings: readonly Binding[], toRoute: (binding: Binding) => Route): RouteTable<Route> {
  const table = newRouteTable<Route>();
  const added = new Map<Route, Binding>();
  for (const binding of bindings) {
    const route = toRoute(binding);
    added.set(route, binding);
    const there = table.add(binding.method, binding.path, route);
    const other = there && added.get(there);
    if (other === undefined) continue;
    const { rpc, template } = other;
    throw new UnservableError(
      binding.rpc,
      `${binding.method} ${binding.template} matches what ${rpc.service}.${rpc.name} (${rpc.file}) has as ${template}`,
    );
  }
  return table;
}

/** One Fastify route for each first segment: paths below it are matched raw by the table, which Fastify's own router cannot do. */
function mount(app: FastifyInstance, bindings: readonly Binding[], bodyLimit: number | undefined, handler: ReturnType<typeof serve>): void {
  for (const { method } of bindings) {
    if (method !== "*" && !app.supportedMethods.includes(method)) app.addHttpMethod(method, { hasBody: true });
  }
  const urls = new Set(bindings.flatMap(({ path }) => mountPoints(path)));
  for (const url of urls) {
    app.route({ method: app.supportedMethods, url, handler, exposeHeadRoute: false, ...(bodyLimit !== undefined && { bodyLimit }) });
  }
}

function mountPoints({ segments, verb }: Binding["path"]): string[] {
  const [first] = segments;
  if (first === undefined) return ["/"];
  if (first.kind !== "literal" || first.text.includes("*")) return ["/*"];
  // Two colons are one in the words of Fastify's router.
  const url = `/${encodeURI(first.text).replaceAll(":", "::")}`;
  return segments.length === 1 && verb !== "" ? [`${url}::${verb}`] : [url, `${url}/*`];
}

function serve(table: RouteTable<ServeBinding>, prefix: string) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { method } = request;
    requireLength(request);
    const { path, query } = targetOf(request.raw.url ?? "/", prefix);
    const found = table.match(method, path) ?? (method === "HEAD" ? table.match("GET", path) : undefined);
    if (found !== undefined && !(method === "HEAD" && found.route.streams)) return found.route.serve(request, reply, found.segments, query);
    const allowed = allowedAt(table, path);
    if (allowed === "") throw new RestError(notFound(method));
    if (method === "OPTIONS") return reply.code(204).header("allow", allowed).send();
    const message = `${method} is not possible here; ${allowed} is.`;
    throw new RestError({ code: "UNIMPLEMENTED", reason: "METHOD_NOT_ALLOWED", message, httpStatus: 405, headers: { allow: allowed } });
  };
}

/** HTTP/1.0 has no other way to tell where a body ends (RFC 1945, 7.2.2); without it, one that is there would be taken for none. */
function requireLength({ method, headers, raw }: FastifyRequest): void {
  if (raw.httpVersion !== "1.0" || headers["content-length"] !== undefined || !["POST", "PUT", "PATCH"].includes(method)) return;
  const message = "A request of HTTP/1.0 needs a Content-Length.";
  throw new RestError({ code: "INVALID_ARGUMENT", reason: "LENGTH_REQUIRED", message, httpStatus: 411 });
}

function allowedAt(table: RouteTable<ServeBinding>, path: string): string {
  const methods = table.methods(path);
  if (methods.size === 0) return "";
  if (methods.has("GET") && table.match("GET", path)?.route.streams === false) methods.add("HEAD");
  return [...methods.add("OPTIONS")].sort().join(", ");
}

/** Takes the target of a request line apart, as raw as it came. It may name scheme and host (RFC 9112, 3.2.2). */
function targetOf(url: string, prefix: string): { path: string; query: string } {
  const origin = url.startsWith("/") ? url : url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?]*/i, "");
  const mark = origin.search(/[?#]/);
  const raw = mark < 0 ? origin : origin.slice(0, mark);
  const path = prefix !== "" && raw.startsWith(prefix) ? raw.slice(prefix.length) : raw;
  return { path: path || "/", query: mark < 0 ? "" : origin.slice(mark + 1).replace(/#.*$/s, "") };
}
