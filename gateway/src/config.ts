import { isIP } from "node:net";
import { protoDirs as builtIn } from "@chargemesh/contracts/proto-dirs";
import { ConfigError, type Env, inMesh, readEnv, readProcessConfig, readTransportConfig, type Vars } from "@chargemesh/kit/config";
import { targetOf } from "@chargemesh/transcoder/replicas";

/** The settings of the gateway; .env.template says what each means. Throws ConfigError that names every fault. */
export function readConfig(vars: Vars) {
  const env = readEnv(vars);
  const protoDirs = env.optional("PROTO_DIRS");
  if (protoDirs === undefined) inMesh(env, "UPSTREAMS", ...addressesIn(env.optional("UPSTREAMS") ?? ""));
  return env.done({
    ...readProcessConfig(env),
    ...readTransportConfig(env),
    address: env.address("GATEWAY_ADDRESS", "127.0.0.1:3000"),
    /** Folders of .proto files; what they say is served. */
    protoDirs: protoDirs === undefined ? builtIn.slice(0, 1) : namesIn(protoDirs, /[,:]/),
    /** Where services are: a target of gRPC's, by the name of a service or a package. */
    upstreams: readUpstreams(env.string("UPSTREAMS", protoDirs === undefined ? readTargets(env) : undefined)),
    /** What belongs to our own services; undefined where the protos are somebody else's. */
    house: protoDirs === undefined ? readHouse(env) : undefined,
    /** Who may say for whom a request is: addresses, or networks as 10.0.0.0/8. */
    trustedProxies: readList(env, "TRUSTED_PROXIES", isNetwork, "addresses or networks"),
    /** The origins of pages that may call. */
    corsOrigins: readList(env, "CORS_ORIGINS", isOrigin, "origins such as https://example.org, or *"),
    rateLimits: {
      // A thousand a second is more than any page or program of ours asks, and less than what the services can answer.
      perToken: env.integer("RATE_LIMIT_PER_TOKEN", 60_000, { min: 0, max: 1_000_000 }),
      // An office, or a proxy that nobody has named in TRUSTED_PROXIES, is one address for many.
      perAddress: env.integer("RATE_LIMIT_PER_ADDRESS", 120_000, { min: 0, max: 10_000_000 }),
    },
    /** Headers that cross to the services, and metadata that comes back, besides what does anyway. */
    forwardHeaders: readList(env, "FORWARD_HEADERS", isHeader, "names of headers"),
    returnHeaders: readList(env, "RETURN_HEADERS", isHeader, "names of headers"),
    bodyBytesMax: env.integer("GATEWAY_BODY_BYTES_MAX", 1_048_576, { min: 1_024, max: 67_108_864 }),
    /** How long a call may take, in ms. Longer than a command may wait for its charger. */
    deadlineMs: env.integer("GATEWAY_DEADLINE_MS", 45_000, { min: 1_000, max: 300_000 }),
  });
}

export type Config = ReturnType<typeof readConfig>;

export type House = ReturnType<typeof readHouse>;

function readHouse(env: Env) {
  return {
    meshSecret: env.secret("MESH_SECRET", { min: 32, max: 1_024 }),
    /** Where charger-service lets chargers in. */
    ocppTarget: env.address("CHARGER_OCPP_TARGET", "127.0.0.1:3003"),
  };
}

function readTargets(env: Env): string {
  const target = (name: string, fallback: string): string => {
    const text = env.string(name, fallback);
    inMesh(env, name, text);
    return text;
  };
  const authTarget = target("AUTH_GRPC_TARGET", "127.0.0.1:3001");
  return [
    `chargemesh.auth.v1=${authTarget}`,
    `chargemesh.audit.v1=${authTarget}`,
    `chargemesh.charger.v1=${target("CHARGER_GRPC_TARGET", "127.0.0.1:3002")}`,
    `chargemesh.email.v1=${target("EMAIL_GRPC_TARGET", "127.0.0.1:3004")}`,
  ].join(",");
}

/** `name=host:port|host:port,name=host:port` by name. Several addresses are the replicas of one service. */
function readUpstreams(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    namesIn(text, ",").map((pair) => {
      const [, name = "", addresses = ""] = /^([\w.]+|\*)=([^=]+)$/.exec(pair) ?? [];
      const replicas = namesIn(addresses, "|");
      if (replicas.length > 0 && replicas.every((address) => /^.+:\d{1,5}$/.test(address))) return [name, targetOf(replicas)];
      throw new ConfigError(`bad configuration: UPSTREAMS must be package.or.Service=host:port|host:port,…, and "${pair}" is not`);
    }),
  );
}

function addressesIn(upstreams: string): string[] {
  return namesIn(upstreams, ",").flatMap((pair) => namesIn(pair.slice(pair.indexOf("=") + 1), "|"));
}

function readList(env: Env, name: string, isRight: (item: string) => boolean, rule: string): readonly string[] {
  const items = namesIn(env.optional(name) ?? "", ",");
  if (!items.every(isRight)) throw new ConfigError(`bad configuration: ${name} must be ${rule}, separated by commas`);
  return items;
}

function isNetwork(text: string): boolean {
  const [, address = "", bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  return isIP(address) !== 0 && Number(bits ?? 0) <= (isIP(address) === 4 ? 32 : 128);
}

function isOrigin(text: string): boolean {
  return text === "*" || (URL.canParse(text) && new URL(text).origin === text);
}

/** Those by which services prove themselves to each other are nobody's to send from outside. */
function isHeader(text: string): boolean {
  return /^[!#$%&'*+.^_`|~\w-]+$/.test(text) && !/^x-chargemesh-/i.test(text);
}

function namesIn(text: string, separator: string | RegExp): string[] {
  return text.split(separator).flatMap((name) => name.trim() || []);
}
