import { type Env, inMesh, readEnv, readMeshConfig, readProcessConfig, type Vars } from "@chargemesh/kit/config";
import { readNatsConfig } from "@chargemesh/kit/nats-access";
import { readFilesConfig } from "./files-config.ts";
import { readNetworks } from "./webhooks/address.ts";

/** The settings of charger-service; .env.template says what each means. Throws ConfigError that names every fault. */
export function readConfig(vars: Vars) {
  const env = readEnv(vars);
  const grpcAddress = env.address("CHARGER_GRPC_ADDRESS", "127.0.0.1:3002");
  inMesh(env, "CHARGER_GRPC_ADDRESS", grpcAddress);
  return env.done({
    ...readProcessConfig(env),
    ...readMeshConfig(env),
    grpcAddress,
    ocppAddress: env.address("CHARGER_OCPP_ADDRESS", "127.0.0.1:3003"),
    ocppTls: readOcppTls(env),
    databaseUrl: env.string("CHARGER_DATABASE_URL", env.optional("DATABASE_URL")),
    databasePool: env.integer("CHARGER_DATABASE_POOL", 10, { min: 2, max: 200 }),
    nats: readNatsConfig(env, "CHARGER_NATS_URL"),
    unknownChargers: env.oneOf("OCPP_UNKNOWN_CHARGERS", ["reject", "accept"], "reject"),
    retrySeconds: env.integer("OCPP_RETRY_SECONDS", 60, { min: 1, max: 86_400 }),
    configurationSeconds: env.integer("OCPP_CONFIGURATION_SECONDS", 60, { min: 0, max: 86_400 }),
    connectionDays: env.integer("OCPP_CONNECTION_DAYS", 90, { min: 1, max: 3_650 }),
    dataTransferDays: env.integer("OCPP_DATA_TRANSFER_DAYS", 90, { min: 1, max: 3_650 }),
    files: readFilesConfig(env),
    webhooks: readWebhooksConfig(env),
    webhookDeliveryDays: env.integer("WEBHOOK_DELIVERY_DAYS", 30, { min: 1, max: 3_650 }),
    heartbeatSeconds: env.integer("OCPP_HEARTBEAT_SECONDS", 300, { min: 10, max: 86_400 }),
    pingSeconds: env.integer("OCPP_PING_SECONDS", 30, { min: 1, max: 3_600 }),
    callSeconds: env.integer("OCPP_CALL_SECONDS", 30, { min: 1, max: 300 }),
    framesPerSecond: env.integer("OCPP_FRAMES_PER_SECOND", 200, { min: 1, max: 100_000 }),
    /** How many days frames are kept; 0 keeps none. */
    messageRetentionDays: env.integer("OCPP_MESSAGE_RETENTION_DAYS", 7, { min: 0, max: 400 }),
    certification: readCertification(env),
    /** How many days security events are kept, and requests for certificates that led to nothing. */
    securityEventDays: env.integer("OCPP_SECURITY_EVENT_DAYS", 400, { min: 1, max: 3_650 }),
    redactIdTags: env.oneOf("OCPP_MESSAGE_REDACT_ID_TAGS", ["false", "true"], "false") === "true",
  });
}

export type Config = ReturnType<typeof readConfig>;

/** How chargers get certificates, and the files of the authority that signs them; undefined if there is none. */
function readCertification(env: Env) {
  const caCertificate = env.optional("OCPP_CA_CERT");
  const caKey = env.optional("OCPP_CA_KEY");
  if ((caCertificate === undefined) !== (caKey === undefined)) env.fault("OCPP_CA_CERT and OCPP_CA_KEY must be set together");
  return {
    caCertificate,
    caKey,
    signing: env.oneOf("OCPP_CERTIFICATE_SIGNING", ["auto", "approve", "off"], "auto"),
    organization: env.string("OCPP_CERTIFICATE_ORGANIZATION", ""),
    days: env.integer("OCPP_CERTIFICATE_DAYS", 365, { min: 1, max: 3_650 }),
    renewalDays: env.integer("OCPP_CERTIFICATE_RENEWAL_DAYS", 30, { min: 1, max: 365 }),
  };
}

/** Where chargers come in by TLS, and the files by which; undefined if there are none. */
function readOcppTls(env: Env) {
  const address = env.address("CHARGER_OCPP_TLS_ADDRESS", "127.0.0.1:3443");
  const certificates = filesIn(env.optional("CHARGER_OCPP_TLS_CERT"));
  const keys = filesIn(env.optional("CHARGER_OCPP_TLS_KEY"));
  const clientCas = filesIn(env.optional("CHARGER_OCPP_TLS_CLIENT_CA"));
  const isWanted = env.optional("CHARGER_OCPP_TLS_ADDRESS") !== undefined;
  if (!isWanted && certificates.length + keys.length + clientCas.length === 0) return undefined;
  if (certificates.length === 0 || keys.length !== certificates.length) {
    env.fault("CHARGER_OCPP_TLS_CERT and CHARGER_OCPP_TLS_KEY must name as many files as each other, for chargers to come in by TLS");
  }
  // Whoever has a certificate of ours may show it.
  const isFirstCaOnly = clientCas.length === 0;
  return { address, certificates, keys, clientCas: isFirstCaOnly ? filesIn(env.optional("OCPP_CA_CERT")) : clientCas, isFirstCaOnly };
}

function filesIn(text = ""): string[] {
  return text.split(",").flatMap((file) => file.trim() || []);
}

/** Where webhooks may lead beyond the public internet, and how long a receiver may take. */
function readWebhooksConfig(env: Env) {
  return {
    allowedNetworks: env.parsed("WEBHOOK_ALLOWED_NETWORKS", readNetworks, readNetworks("")),
    allowsNetworks: env.optional("WEBHOOK_ALLOWED_NETWORKS") !== undefined,
    timeoutMs: env.integer("WEBHOOK_TIMEOUT_MS", 15_000, { min: 100, max: 60_000 }),
  };
}
