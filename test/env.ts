import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Logger, makeLogger } from "@chargemesh/kit/log";
import { Stack } from "@chargemesh/kit/main";
import { readConfig as readAuthConfig } from "auth-service/src/config.ts";
import { start as startAuth } from "auth-service/src/start.ts";
import { readConfig as readChargerConfig } from "charger-service/src/config.ts";
import { start as startCharger } from "charger-service/src/start.ts";
import { readConfig as readEmailConfig } from "email-service/src/config.ts";
import { start as startEmail } from "email-service/src/start.ts";
import { readConfig as readGatewayConfig } from "gateway/src/config.ts";
import { start as startGateway } from "gateway/src/start.ts";
import { freshDatabase, freshNats } from "./servers.ts";

export const ADMIN = { username: "admin", password: "an administrator's password" };
const SECRET = "a secret that is long enough for every test";

/** The whole system in this process, on free ports, with a database and a NATS server of its own. */
export type Env = Awaited<ReturnType<typeof startEnv>>;

/** `settings` are those of .env.template; what is not given is as it is by default. All write to `log`. Takes about a second. */
export async function startEnv(settings: Record<string, string> = {}, log: Logger = makeLogger("test", process.env.LOG_LEVEL ?? "silent")) {
  const stack = new Stack();
  const [database, nats, mailDir] = await Promise.all([freshDatabase(), freshNats(), mkdtemp(join(tmpdir(), "chargemesh-mail-"))]);
  stack.defer("mail", () => rm(mailDir, { recursive: true }));
  stack.defer("nats server", () => nats.stop());
  stack.defer("database", () => database.drop());
  const anyPort = "127.0.0.1:0";
  const vars = {
    AUTH_DATABASE_URL: database.authUrl,
    CHARGER_DATABASE_URL: database.chargerUrl,
    EMAIL_DATABASE_URL: database.emailUrl,
    NATS_URL: nats.url,
    MAIL_DIR: mailDir,
    MESH_SECRET: SECRET,
    AUTH_KEY_SECRET: SECRET,
    ADMIN_USERNAME: ADMIN.username,
    ADMIN_PASSWORD: ADMIN.password,
    AUTH_GRPC_ADDRESS: anyPort,
    CHARGER_GRPC_ADDRESS: anyPort,
    CHARGER_OCPP_ADDRESS: anyPort,
    EMAIL_GRPC_ADDRESS: anyPort,
    GATEWAY_ADDRESS: anyPort,
    // The least that argon2 takes: what is tested is not how slow it is.
    AUTH_ARGON2_MEMORY_KIB: "1024",
    AUTH_ARGON2_ITERATIONS: "1",
    // A test that wants chargers to be asked by themselves says so.
    OCPP_CONFIGURATION_SECONDS: "0",
    ...settings,
  };
  const auth = await startAuth(readAuthConfig(vars), stack, log);
  const beside = { ...vars, AUTH_GRPC_TARGET: auth.grpcAddress };
  const charger = await startCharger(readChargerConfig(beside), stack, log);
  const email = await startEmail(readEmailConfig(beside), stack, log);
  const targets = {
    CHARGER_GRPC_TARGET: charger.grpcAddress,
    CHARGER_OCPP_TARGET: charger.ocppAddress,
    EMAIL_GRPC_TARGET: email.grpcAddress,
  };
  const gateway = await startGateway(readGatewayConfig({ ...beside, ...targets }), stack, log);
  return {
    rest: `http://${gateway.address}`,
    /** Where chargers connect, through the gateway; the identity follows. */
    ocpp: `ws://${gateway.address}/ocpp/ws`,
    /** Where chargers connect without the gateway. */
    ocppDirect: `ws://${charger.ocppAddress}`,
    grpc: { auth: auth.grpcAddress, charger: charger.grpcAddress, email: email.grpcAddress },
    database,
    nats,
    vars,
    /** Every mail that was written, as it would go over SMTP. */
    mails: async () =>
      Promise.all(
        (await readdir(mailDir))
          .filter((name) => name.endsWith(".eml"))
          .sort()
          .map((name) => readFile(join(mailDir, name), "utf8")),
      ),
    stop: () => stack.close(log),
  };
}
