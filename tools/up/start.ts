import { existsSync } from "node:fs";
import { join } from "node:path";
import { printBanner } from "./banner.ts";
import type { Folders } from "./folders.ts";
import { untilHealthy } from "./health.ts";
import { checkFree } from "./ports.ts";
import { type Secrets, writeSecrets } from "./secrets.ts";
import { givenDatabase, givenNats, makeOwnDatabase, natsUrls, startOwnNats, startOwnPostgres } from "./servers.ts";
import {
  AUTH,
  CHARGER,
  EMAIL,
  endLeftovers,
  GATEWAY,
  MIGRATED,
  migrateService,
  type Service,
  SIMULATOR,
  startService,
} from "./services.ts";
import { reachable, readAddresses, type Settings } from "./settings.ts";
import type { System } from "./system.ts";
import { seconds, type Terminal } from "./terminal.ts";

/** What is to be started: by these settings, kept in these folders. */
export type Plan = {
  readonly folders: Folders;
  readonly settings: Settings;
  readonly secrets: Secrets;
  readonly terminal: Terminal;
  readonly system: System;
};

const DEMO_CHARGERS = "6";

/** Starts the servers that the settings do not name, and brings the tables up to date. Resolves with the settings for the services. */
export async function startServers(plan: Plan): Promise<Settings> {
  const { folders, terminal } = plan;
  const [database, nats] = await Promise.all([findDatabase(plan), findNats(plan)]);
  const settings = { ...defaults(plan), ...(await authorityOfChargers(plan)), ...plan.settings, ...database, ...nats };
  await terminal.step(
    "tables",
    () => Promise.all(MIGRATED.map((service) => migrateService(service, settings, folders))),
    () => "up to date",
  );
  return settings;
}

/** Starts everything, and resolves when it is healthy. Rejects with StartError if it cannot be. */
export async function startAll(plan: Plan, isDemo: boolean): Promise<void> {
  const { folders, secrets, terminal, system } = plan;
  const start = performance.now();
  const addresses = readAddresses(plan.settings);
  await endLeftovers(folders);
  await checkFree(addresses);
  const settings = { ...(await startServers(plan)), ...(isDemo && { OCPP_UNKNOWN_CHARGERS: "accept" }) };
  await terminal.step(
    "services",
    async () => {
      for (const service of [AUTH, CHARGER, EMAIL, GATEWAY]) await add(plan, service, settings);
      await untilHealthy(addresses, settings);
    },
    () => "healthy",
  );
  if (isDemo) await add(plan, SIMULATOR, { ...settings, ...forSimulator(settings) });
  system.keepAlive();
  const isShown = printBanner(terminal, settings, plan.settings, folders, secrets);
  terminal.line(`\nUp after ${seconds(performance.now() - start)}. Ctrl-C ends it.`);
  if (isShown) writeSecrets(folders.secrets, { ...secrets, adminPasswordShown: true });
}

async function add({ system, folders, terminal }: Plan, service: Service, settings: Settings): Promise<void> {
  system.addService(await startService(service, settings, folders, terminal));
}

async function findDatabase({ settings, secrets, folders, terminal, system }: Plan): Promise<Settings> {
  const given = givenDatabase(settings);
  if (given !== undefined) {
    terminal.fact("postgres", "by DATABASE_URL");
    return given;
  }
  const { database } = await terminal.step(
    "postgres",
    async () => {
      const { first } = system.addServer(await startOwnPostgres(folders, secrets, terminal));
      return { port: first.port, database: await makeOwnDatabase(first.url, secrets) };
    },
    ({ port }) => `18 at 127.0.0.1:${port}`,
  );
  return database;
}

async function findNats({ settings, secrets, folders, terminal, system }: Plan): Promise<Settings> {
  if (givenNats(settings)) {
    terminal.fact("nats", "by NATS_URL");
    return {};
  }
  const { first } = await terminal.step(
    "nats",
    async () => system.addServer(await startOwnNats(folders, secrets, terminal)),
    (task) => `${task.first.version} at 127.0.0.1:${task.first.port}`,
  );
  return natsUrls(first.port, secrets);
}

/** What the services need and nobody has set. */
function defaults({ settings, secrets, folders }: Plan): Settings {
  return {
    ADMIN_USERNAME: "admin",
    ADMIN_PASSWORD: secrets.adminPassword,
    AUTH_KEY_SECRET: secrets.authKeySecret,
    MESH_SECRET: secrets.meshSecret,
    MAIL_DIR: folders.mail,
    OCPP_FILES_DIR: folders.files,
    // Halves what a start computes, from the second on.
    NODE_COMPILE_CACHE: join(folders.root, "node_modules", ".cache", "node"),
    AUTH_GRPC_TARGET: reachable(settings, "AUTH_GRPC_ADDRESS"),
    CHARGER_GRPC_TARGET: reachable(settings, "CHARGER_GRPC_ADDRESS"),
    EMAIL_GRPC_TARGET: reachable(settings, "EMAIL_GRPC_ADDRESS"),
    CHARGER_OCPP_TARGET: reachable(settings, "CHARGER_OCPP_ADDRESS"),
  };
}

/** The authority that signs certificates of chargers, unless the settings name one. It is made once. */
async function authorityOfChargers({ settings, folders }: Plan): Promise<Settings> {
  if (settings.OCPP_CA_CERT !== undefined || settings.OCPP_CA_KEY !== undefined) return {};
  const file = (kind: string): string => join(folders.chargersAuthority, `chargers-ca.${kind}`);
  if (!existsSync(file("key"))) {
    // Loaded only now, for it takes a part of a second that no later start needs.
    const { keepChargersAuthority } = await import("../certs/keep.ts");
    await keepChargersAuthority(folders.chargersAuthority, new Date());
  }
  return { OCPP_CA_CERT: file("crt"), OCPP_CA_KEY: file("key") };
}

function forSimulator(settings: Settings): Settings {
  const gateway = reachable(settings, "GATEWAY_ADDRESS");
  return {
    GATEWAY_URL: `http://${gateway}`,
    OCPP_URL: `ws://${gateway}/ocpp/ws`,
    SIMULATOR_CHARGERS: settings.SIMULATOR_CHARGERS ?? DEMO_CHARGERS,
  };
}
