import { inMesh, readEnv, readMeshConfig, readProcessConfig, type Vars } from "@chargemesh/kit/config";
import { readNatsConfig } from "@chargemesh/kit/nats-access";

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
    databaseUrl: env.string("CHARGER_DATABASE_URL", env.optional("DATABASE_URL")),
    databasePool: env.integer("CHARGER_DATABASE_POOL", 10, { min: 2, max: 200 }),
    nats: readNatsConfig(env, "CHARGER_NATS_URL"),
    unknownChargers: env.oneOf("OCPP_UNKNOWN_CHARGERS", ["reject", "accept"], "reject"),
    heartbeatSeconds: env.integer("OCPP_HEARTBEAT_SECONDS", 300, { min: 10, max: 86_400 }),
    pingSeconds: env.integer("OCPP_PING_SECONDS", 30, { min: 1, max: 3_600 }),
    callSeconds: env.integer("OCPP_CALL_SECONDS", 30, { min: 1, max: 300 }),
  });
}

export type Config = ReturnType<typeof readConfig>;
