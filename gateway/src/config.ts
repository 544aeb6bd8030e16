import { ConfigError, readEnv, readProcessConfig, type Vars } from "@chargemesh/kit/config";

/** The settings of the gateway; .env.template says what each means. Throws ConfigError that names every fault. */
export function readConfig(vars: Vars) {
  const env = readEnv(vars);
  const builtIn = [
    `chargemesh.auth.v1=${env.string("AUTH_GRPC_TARGET", "127.0.0.1:3001")}`,
    `chargemesh.charger.v1=${env.string("CHARGER_GRPC_TARGET", "127.0.0.1:3002")}`,
    `chargemesh.email.v1=${env.string("EMAIL_GRPC_TARGET", "127.0.0.1:3004")}`,
  ].join(",");
  return env.done({
    ...readProcessConfig(env),
    address: env.address("GATEWAY_ADDRESS", "127.0.0.1:3000"),
    meshSecret: env.string("MESH_SECRET"),
    /** Where each proto package is served. */
    upstreams: readUpstreams(env.string("UPSTREAMS", builtIn)),
    /** Where charger-service lets chargers in. */
    ocppTarget: env.address("CHARGER_OCPP_TARGET", "127.0.0.1:3003"),
    bodyBytesMax: env.integer("GATEWAY_BODY_BYTES_MAX", 1_048_576, { min: 1_024, max: 67_108_864 }),
    /** How long a call may take, in ms. Longer than a command may wait for its charger. */
    deadlineMs: env.integer("GATEWAY_DEADLINE_MS", 45_000, { min: 1_000, max: 300_000 }),
  });
}

export type Config = ReturnType<typeof readConfig>;

/** `package=target,package=target` by package. */
function readUpstreams(text: string): Readonly<Record<string, string>> {
  const pairs = text.split(",").map((pair) => pair.trim().split("="));
  const isRight = pairs.every(([name, target, ...more]) => name && target && more.length === 0);
  if (!isRight) throw new ConfigError("bad configuration: UPSTREAMS must be package=host:port, several separated by commas");
  return Object.fromEntries(pairs);
}
