import { readFile } from "node:fs/promises";
import { type Authenticator, type ConnectionOptions, credsAuthenticator, nkeyAuthenticator } from "nats";
import type { Env } from "./config.ts";

/** How events are kept in NATS, the same for all services. */
export interface StreamSettings {
  /** On how many servers of a cluster each stream is: 1, or 3 or 5, of which one or two may be away. */
  replicas: number;
  /** How long an event stays. */
  retentionDays: number;
  /** What a stream may weigh before its oldest events go; 0 is no limit. */
  bytesMax: number;
}

/** Where NATS is, by what it lets us in, and how it keeps events. */
export interface NatsConfig {
  /** Several servers are separated by commas. With user and password, or with a token in place of the user. tls: wants TLS. */
  url: string;
  /** A file of credentials (JWT and seed, as managed NATS gives them), or of a seed of an nkey alone. */
  credentials: string | undefined;
  /** The authority that the server's certificate is held to, and what a server that wants one is shown; files. */
  ca: string | undefined;
  certificate: string | undefined;
  key: string | undefined;
  streams: StreamSettings;
}

/** The settings of the connection to NATS; `own` names the URL that is of this service alone. */
export function readNatsConfig(env: Env, own: string): NatsConfig {
  const certificate = env.optional("NATS_CERT");
  const key = env.optional("NATS_KEY");
  if ((certificate === undefined) !== (key === undefined)) env.fault("NATS_CERT and NATS_KEY need each other");
  return {
    url: env.optional(own) ?? env.string("NATS_URL"),
    credentials: env.optional("NATS_CREDS"),
    ca: env.optional("NATS_CA"),
    certificate,
    key,
    streams: {
      replicas: env.integer("EVENT_STREAM_REPLICAS", 1, { min: 1, max: 5 }),
      retentionDays: env.integer("EVENT_RETENTION_DAYS", 7, { min: 1, max: 3_650 }),
      bytesMax: env.integer("EVENT_STREAM_BYTES_MAX", 0, { min: 0, max: Number.MAX_SAFE_INTEGER }),
    },
  };
}

type Access = Pick<ConnectionOptions, "servers" | "user" | "pass" | "token" | "tls" | "authenticator">;

/** What a connection is made with. Files are read anew for each, so that they may be renewed. Rejects if one cannot be read. */
export async function accessTo({ url, credentials, ca, certificate, key }: NatsConfig): Promise<Access> {
  const urls = url.split(",").map((one) => new URL(one.trim()));
  const { username = "", password = "", protocol } = urls[0] ?? {};
  const user = decodeURIComponent(username);
  const isSecure = protocol === "tls:" || ca !== undefined || certificate !== undefined;
  return {
    servers: urls.map((one) => one.host),
    ...(username !== "" && (password === "" ? { token: user } : { user, pass: decodeURIComponent(password) })),
    ...(credentials !== undefined && { authenticator: await authenticatorOf(credentials) }),
    ...(isSecure && { tls: { ...(ca && { caFile: ca }), ...(certificate && { certFile: certificate }), ...(key && { keyFile: key }) } }),
  };
}

async function authenticatorOf(file: string): Promise<Authenticator> {
  const content = await readFile(file);
  return content.includes("NATS USER JWT") ? credsAuthenticator(content) : nkeyAuthenticator(Buffer.from(content.toString().trim()));
}
