import { inMesh, readEnv, readProcessConfig, readTokenConfig, readTransportConfig, type Vars } from "@chargemesh/kit/config";
import { readNatsConfig } from "@chargemesh/kit/nats-access";

export type Config = ReturnType<typeof readConfig>;

/** The settings of the service. Throws ConfigError, naming every fault. */
export function readConfig(vars: Vars) {
  const env = readEnv(vars);
  const grpcAddress = env.address("AUTH_GRPC_ADDRESS", "127.0.0.1:3001");
  inMesh(env, "AUTH_GRPC_ADDRESS", grpcAddress);
  return env.done({
    ...readProcessConfig(env),
    ...readTransportConfig(env),
    grpcAddress,
    databaseUrl: env.string("AUTH_DATABASE_URL", env.optional("DATABASE_URL")),
    /** The publisher of the outbox keeps one connection to itself, so one alone would leave none for requests. */
    databasePool: env.integer("AUTH_DATABASE_POOL", 10, { min: 2, max: 1_000 }),
    nats: readNatsConfig(env, "AUTH_NATS_URL"),
    meshSecret: env.secret("MESH_SECRET", { min: 32, max: 1_024 }),
    /** Encrypts the private keys in the database. Another one does not open them. */
    keySecret: env.secret("AUTH_KEY_SECRET", { min: 32, max: 1_024 }),
    /** The first administrator, made if there is none. The password is held to the rule of SignUpRequest. */
    adminUsername: env.string("ADMIN_USERNAME", "admin"),
    adminPassword: env.secret("ADMIN_PASSWORD", { min: 15, max: 256 }),
    /** What a password costs to try. The defaults are OWASP's for argon2id. */
    argon2: {
      memoryKib: env.integer("AUTH_ARGON2_MEMORY_KIB", 19_456, { min: 1_024, max: 4_194_304 }),
      iterations: env.integer("AUTH_ARGON2_ITERATIONS", 2, { min: 1, max: 100 }),
      parallelism: env.integer("AUTH_ARGON2_PARALLELISM", 1, { min: 1, max: 64 }),
    },
    /** How many passwords are hashed at once; each takes AUTH_ARGON2_MEMORY_KIB and one of Node's four worker threads. */
    hashesAtOnce: env.integer("AUTH_HASHES_AT_ONCE", 2, { min: 1, max: 64 }),
    /** How long the audit log is kept. Less than 90 days Postgres itself refuses. */
    auditRetentionDays: env.integer("AUDIT_RETENTION_DAYS", 400, { min: 90, max: 36_500 }),
    /** How often somebody may try; 0 is no limit. */
    limits: {
      wrongPerUsername: env.integer("AUTH_WRONG_PER_USERNAME", 20, { min: 0, max: 10_000 }),
      wrongPerAddress: env.integer("AUTH_WRONG_PER_ADDRESS", 100, { min: 0, max: 1_000_000 }),
      lockSeconds: env.integer("AUTH_LOCK_SECONDS", 900, { min: 1, max: 86_400 }),
      signUpsPerAddress: env.integer("AUTH_SIGN_UPS_PER_ADDRESS", 100, { min: 0, max: 1_000_000 }),
      resetsPerAddress: env.integer("AUTH_RESETS_PER_ADDRESS", 20, { min: 0, max: 1_000_000 }),
      mailsPerAccount: env.integer("AUTH_MAILS_PER_ACCOUNT", 5, { min: 0, max: 1_000 }),
    },
    /** How long the links in mails are good. */
    verifyEmailHours: env.integer("AUTH_VERIFY_EMAIL_HOURS", 48, { min: 1, max: 720 }),
    resetPasswordMinutes: env.integer("AUTH_RESET_PASSWORD_MINUTES", 30, { min: 1, max: 1_440 }),
    ...readTokenConfig(env),
    accessTokenSeconds: env.integer("ACCESS_TOKEN_SECONDS", 300, { min: 1, max: 86_400 }),
    /** How long a session lives without being refreshed. */
    refreshTokenDays: env.integer("REFRESH_TOKEN_DAYS", 30, { min: 1, max: 365 }),
    /** How long the refresh token that was exchanged last is answered as it was then. */
    refreshGraceSeconds: env.integer("REFRESH_GRACE_SECONDS", 0, { min: 0, max: 300 }),
    /** How long a key signs access tokens before the next one does. */
    signingKeyDays: env.integer("SIGNING_KEY_DAYS", 30, { min: 1, max: 3_650 }),
    /** How long an API key may live. */
    apiKeyDaysMax: env.integer("API_KEY_DAYS_MAX", 365, { min: 1, max: 3_650 }),
  });
}
