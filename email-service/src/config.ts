import { inMesh, readEnv, readMeshConfig, readProcessConfig, type Vars } from "@chargemesh/kit/config";
import { readNatsConfig } from "@chargemesh/kit/nats-access";
import { readSmtpSettings } from "./mail/smtp-settings.ts";

const MINUTE_MS = 60_000;

/** The settings of email-service. Throws ConfigError with every fault of them. */
export function readConfig(vars: Vars) {
  const env = readEnv(vars);
  const grpcAddress = env.address("EMAIL_GRPC_ADDRESS", "127.0.0.1:3004");
  inMesh(env, "EMAIL_GRPC_ADDRESS", grpcAddress);
  return env.done({
    ...readProcessConfig(env),
    ...readMeshConfig(env),
    grpcAddress,
    databaseUrl: env.string("EMAIL_DATABASE_URL", env.optional("DATABASE_URL")),
    databasePool: env.integer("EMAIL_DATABASE_POOL", 10, { min: 2, max: 100 }),
    nats: readNatsConfig(env, "EMAIL_NATS_URL"),
    /** Without it mail goes to files in mailDir. */
    smtp: readSmtpSettings(env),
    mailDir: env.string("MAIL_DIR", ".data/mail"),
    /** Whom mails come from: an address, or a name and an address in angle brackets. */
    mailFrom: env.string("MAIL_FROM", "Chargemesh <no-reply@localhost>"),
    /** How long a charger may be offline, in ms, before operators hear of it. */
    offlineMs: env.integer("MAIL_OFFLINE_MINUTES", 5, { min: 0, max: 1_440 }) * MINUTE_MS,
    /** Operators get at most one mail of a kind in so many ms. */
    digestMs: env.integer("MAIL_DIGEST_MINUTES", 15, { min: 1, max: 1_440 }) * MINUTE_MS,
    /** How many days mails are kept that were sent or given up. */
    retentionDays: env.integer("MAIL_RETENTION_DAYS", 90, { min: 1, max: 3_650 }),
    /** Where people reach the gateway: the beginning of the links in mails. */
    publicUrl: env.string("PUBLIC_URL", `http://${env.address("GATEWAY_ADDRESS", "127.0.0.1:3000")}`),
  });
}

export type Config = ReturnType<typeof readConfig>;
