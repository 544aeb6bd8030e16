import { readOidcIssuers } from "./oidc-settings.ts";

/** Settings as they come: names to texts. An empty text counts as not set. */
export type Vars = Readonly<Record<string, string | undefined>>;

/** Names every fault of the settings at once. */
export class ConfigError extends Error {}

/** Reads settings one by one and remembers every fault until `done`. */
export interface Env {
  /** A text; required if there is no default. */
  string(name: string, fallback?: string): string;
  /** A text, or undefined if it is not set. */
  optional(name: string): string | undefined;
  /** A required text of so many characters, both included. A fault does not repeat it. */
  secret(name: string, characters: { min: number; max: number }): string;
  /** A whole number within the limits, both included. */
  integer(name: string, fallback: number, limits: { min: number; max: number }): number;
  /** One of the given words. */
  oneOf<const W extends string>(name: string, words: readonly W[], fallback: W): W;
  /** `host:port`; port 0 means any free one. */
  address(name: string, fallback: string): string;
  /** What `parse` makes of a text; it throws an Error that says what is wrong, and does not repeat it. */
  parsed<T>(name: string, parse: (text: string) => T, fallback: T): T;
  /** Remembers a fault that the reader of the settings has found by itself. */
  fault(text: string): void;
  /** The settings, frozen. Throws ConfigError if anything was wrong. */
  done<T extends object>(settings: T): Readonly<T>;
}

/** Starts reading `vars`. */
export function readEnv(vars: Vars): Env {
  const faults: string[] = [];
  const raw = (name: string): string | undefined => vars[name] || undefined;
  const fault = <T>(text: string, instead: T): T => {
    faults.push(text);
    return instead;
  };
  return {
    string: (name, fallback) => raw(name) ?? fallback ?? fault(`${name} is required`, ""),
    optional: raw,
    secret(name, { min, max }) {
      const text = raw(name) ?? "";
      const length = [...text].length;
      return length >= min && length <= max ? text : fault(`${name} must have ${min} to ${max} characters`, "");
    },
    integer(name, fallback, { min, max }) {
      const text = raw(name);
      if (text === undefined) return fallback;
      const value = Number(text);
      return Number.isInteger(value) && value >= min && value <= max
        ? value
        : fault(`${name} must be an integer in ${min}..${max}`, fallback);
    },
    oneOf(name, words, fallback) {
      const text = raw(name);
      if (text === undefined) return fallback;
      return words.find((word) => word === text) ?? fault(`${name} must be one of ${words.join(", ")}`, fallback);
    },
    address(name, fallback) {
      const text = raw(name) ?? fallback;
      const port = Number(/^.+:(\d{1,5})$/.exec(text)?.[1]);
      return port <= 65_535 ? text : fault(`${name} must be host:port`, fallback);
    },
    parsed(name, parse, fallback) {
      const text = raw(name);
      try {
        return text === undefined ? fallback : parse(text);
      } catch (err) {
        return fault(`${name} ${err instanceof SyntaxError ? "is no JSON" : err instanceof Error ? err.message : err}`, fallback);
      }
    },
    fault: (text) => void faults.push(text),
    done(settings) {
      if (faults.length > 0) throw new ConfigError(`bad configuration: ${faults.join("; ")}`);
      return Object.freeze(settings);
    },
  };
}

/** The settings that every process has. */
export function readProcessConfig(env: Env) {
  return {
    logLevel: env.oneOf("LOG_LEVEL", ["trace", "debug", "info", "warn", "error", "fatal", "silent"], "info"),
    /** How long a stop may take before it is cut, in ms. */
    drainMs: env.integer("DRAIN_MS", 5_000, { min: 0, max: 60_000 }),
  };
}

/** The settings of the transport between services. */
export function readTransportConfig(env: Env) {
  return {
    /** The folder of the certificates with which services prove themselves; without it they speak in plaintext. */
    meshCerts: env.optional("MESH_CERTS"),
  };
}

/**
 * `places`, host:port or a target of gRPC's, as setting `name` has them. Beyond loopback they take certificates, or somebody's word that they
 * need none.
 */
export function inMesh(env: Env, name: string, ...places: readonly string[]): void {
  const isOpen = env.oneOf("MESH_PLAINTEXT", ["loopback", "allow"], "loopback") === "allow" || env.optional("MESH_CERTS") !== undefined;
  const beyond = isOpen ? undefined : places.find((place) => !isLoopback(place));
  if (beyond === undefined) return;
  env.fault(
    `${name} is ${beyond}, beyond loopback, and the mesh is in plaintext: set MESH_CERTS (\`make certs\` makes certificates), or MESH_PLAINTEXT=allow if nobody else is on that network`,
  );
}

/** Whether nobody on another machine can be at the other end. */
function isLoopback(place: string): boolean {
  const host = place.replace(/^(dns|ipv4|ipv6):(\/\/[^/]*\/)?/, "").replace(/:\d{1,5}$/, "");
  return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host) || place.startsWith("unix:");
}

/** The settings by which a service and its callers prove themselves. */
export function readMeshConfig(env: Env) {
  const authTarget = env.string("AUTH_GRPC_TARGET", "127.0.0.1:3001");
  inMesh(env, "AUTH_GRPC_TARGET", authTarget);
  return {
    ...readTransportConfig(env),
    /** The key that signs what services say of themselves on loopback. The same for all; `make up` makes it. */
    meshSecret: env.secret("MESH_SECRET", { min: 32, max: 1_024 }),
    /** Where auth-service is, for the keys that verify access tokens. */
    authTarget,
    ...readTokenConfig(env),
  };
}

/** The settings by which tokens are taken, the same for all services. */
export function readTokenConfig(env: Env) {
  return {
    /** Identity providers whose tokens are taken. */
    oidcIssuers: env.parsed("OIDC_ISSUERS", readOidcIssuers, []),
    /** How long a service uses the keys that verify access tokens before it asks for them again. */
    signingKeyCacheSeconds: env.integer("SIGNING_KEY_CACHE_SECONDS", 300, { min: 1, max: 3_600 }),
  };
}
