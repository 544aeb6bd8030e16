import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../tools/servers/free-port.ts";
import { killAll, launch, type Running, run } from "../../tools/servers/launch.ts";
import { startNats } from "../../tools/servers/nats.ts";
import { startPostgres } from "../../tools/servers/postgres.ts";
import { pidIn } from "../../tools/servers/processes.ts";
import { databaseUrls, makeDatabase, makePassword, makeRoles } from "../../tools/servers/roles.ts";
import { GATEWAY } from "../../tools/up/services.ts";
import type { Processes } from "./load.ts";

const root = join(import.meta.dirname, "../..");
const ADMIN_PASSWORD = "an administrator's password";
/** As many chargers as the list that is measured has. */
export const CHARGERS = 20;

/** The system under load, each service a process of its own, as `make up` starts them. */
export interface System {
  rest: string;
  chargerTarget: string;
  accessToken: string;
  /** The database as charger-service has it, and NATS. */
  chargerUrl: string;
  natsUrl: string;
  /** What is measured by its processor time, by name. */
  processes: Processes;
  stop(): Promise<void>;
}

/** `settings` are those of .env.template. */
export async function startSystem(settings: Readonly<Record<string, string>> = {}): Promise<System> {
  const dir = mkdtempSync(join(tmpdir(), "chargemesh-bench-"));
  const passwords = { owner: makePassword(), auth: makePassword(), charger: makePassword(), email: makePassword() };
  const postgres = await startPostgres({
    dataDir: join(dir, "postgres"),
    port: 0,
    password: makePassword(),
    logFile: join(dir, "postgres.log"),
    durable: true,
  });
  await makeRoles(postgres.url, passwords);
  await makeDatabase(postgres.url, "chargemesh");
  const urls = databaseUrls(postgres.url, "chargemesh", passwords);
  const nats = await startNats({
    dir: join(dir, "nats"),
    port: 0,
    password: makePassword(),
    logFile: join(dir, "nats.log"),
    note: () => undefined,
  });
  const address = async (): Promise<string> => `127.0.0.1:${await freePort()}`;
  const [auth, charger, ocpp, gateway] = [await address(), await address(), await address(), await address()];
  const env = {
    ...process.env,
    LOG_LEVEL: "warn",
    // As long as the whole run: what is measured is the edge, not how often one signs in.
    ACCESS_TOKEN_SECONDS: "86400",
    MIGRATE_DATABASE_URL: urls.ownerUrl,
    AUTH_DATABASE_URL: urls.authUrl,
    CHARGER_DATABASE_URL: urls.chargerUrl,
    NATS_URL: nats.url,
    MESH_SECRET: makePassword(),
    AUTH_KEY_SECRET: makePassword() + makePassword(),
    ADMIN_PASSWORD,
    // A load is what they are against.
    RATE_LIMIT_PER_TOKEN: "0",
    RATE_LIMIT_PER_ADDRESS: "0",
    AUTH_GRPC_ADDRESS: auth,
    CHARGER_GRPC_ADDRESS: charger,
    CHARGER_OCPP_ADDRESS: ocpp,
    GATEWAY_ADDRESS: gateway,
    AUTH_GRPC_TARGET: auth,
    CHARGER_GRPC_TARGET: charger,
    CHARGER_OCPP_TARGET: ocpp,
    ...settings,
  };
  for (const service of ["auth-service", "charger-service"]) {
    const { code, output } = await run({ command: process.execPath, args: [`${service}/src/migrate.ts`], cwd: root, env });
    if (code !== 0) throw new Error(`${service} could not migrate: ${output}`);
  }
  const services = {
    auth: await start("auth-service", dir, env),
    charger: await start("charger-service", dir, env),
    gateway: await start("gateway", dir, env, GATEWAY.nodeFlags),
  };
  const rest = `http://${gateway}`;
  const accessToken = await prepare(rest);
  return {
    rest,
    chargerTarget: charger,
    accessToken,
    chargerUrl: urls.chargerUrl,
    natsUrl: nats.url,
    processes: {
      gateway: services.gateway.pid,
      "charger-service": services.charger.pid,
      postgres: () => sessionsOf(join(dir, "postgres")),
    },
    async stop() {
      await Promise.all(Object.values(services).map((service) => service.stop()));
      await killAll();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function start(service: string, dir: string, env: NodeJS.ProcessEnv, nodeFlags: readonly string[] = []): Promise<Running> {
  return launch({
    command: process.execPath,
    args: [...nodeFlags, `${service}/src/main.ts`],
    cwd: root,
    env,
    stopSignal: "SIGTERM",
    output: join(dir, `${service}.log`),
  });
}

/** The processes of a Postgres: one for each session, and a few of its own. */
function sessionsOf(dataDir: string): number[] {
  const pid = pidIn(join(dataDir, "postmaster.pid"));
  return pid === undefined ? [] : readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
}

/** Signs in as soon as that is possible, and makes the chargers. Answers the access token. */
async function prepare(rest: string): Promise<string> {
  const post = (path: string, body: object, token?: string): Promise<Response> =>
    fetch(rest + path, {
      method: "POST",
      headers: { "content-type": "application/json", ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
      body: JSON.stringify(body),
    });
  for (let tries = 0; tries < 200; tries++) {
    const response = await post("/auth/login", { username: "admin", password: ADMIN_PASSWORD }).catch(() => undefined);
    const health = await fetch(`${rest}/ocpp/health`).catch(() => undefined);
    if (response?.ok !== true || health?.ok !== true) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      continue;
    }
    const { accessToken } = (await response.json()) as { accessToken: string };
    for (let i = 1; i <= CHARGERS; i++) {
      const made = await post(
        "/ocpp/chargers",
        { id: `CP-${String(i).padStart(2, "0")}`, displayName: `Charger ${i} of the bench` },
        accessToken,
      );
      if (!made.ok) throw new Error(`a charger could not be made: ${await made.text()}`);
    }
    return accessToken;
  }
  throw new Error("the system does not come up");
}
