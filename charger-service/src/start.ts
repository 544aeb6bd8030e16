import { randomUUID } from "node:crypto";
import { UserDeleted, UserUpdated } from "@chargemesh/contracts/auth/v1/events";
import { keepRefusals } from "@chargemesh/kit/audit-refusals";
import { type Clock, systemClock } from "@chargemesh/kit/clock";
import { keepJournal, streamOf } from "@chargemesh/kit/event-streams";
import { makeIsForwarder, makeRemoteAddressOf } from "@chargemesh/kit/forwarding";
import { serveGrpc, serviceNames } from "@chargemesh/kit/grpc-server";
import { watchHealth } from "@chargemesh/kit/health";
import type { Logger } from "@chargemesh/kit/log";
import type { Stack } from "@chargemesh/kit/main";
import { type Nats, openNats } from "@chargemesh/kit/nats";
import { runOutbox } from "@chargemesh/kit/outbox";
import { openPostgres, pingPostgres } from "@chargemesh/kit/postgres";
import { makeRemoteIdentify } from "@chargemesh/kit/remote-identity";
import { makeSealedTexts } from "@chargemesh/kit/sealed-text";
import { subscribe } from "@chargemesh/kit/subscribe";
import { openTransport } from "@chargemesh/kit/transport";
import type { Kysely } from "kysely";
import { openCertification } from "./certification.ts";
import type { Config } from "./config.ts";
import { type Database, SCHEMA } from "./db/schema.ts";
import { makeAfterBoot } from "./domain/after-boot.ts";
import { makeTolerance } from "./domain/tolerance.ts";
import { openFiles } from "./files.ts";
import { keepTidy } from "./left-behind.ts";
import { adminTypes } from "./live/event-types.ts";
import { keepLocalLists } from "./local-lists.ts";
import { makeCommander, makeRunner } from "./ocpp/commands.ts";
import { chooseDialect } from "./ocpp/dialects.ts";
import { makeFileDoor } from "./ocpp/file-door.ts";
import { keepFrames } from "./ocpp/frame-log.ts";
import { makeLimitsOf } from "./ocpp/limits.ts";
import { keepOwnerships } from "./ocpp/ownership.ts";
import { makeRegistry } from "./ocpp/registry.ts";
import { linkReplicas } from "./ocpp/replicas.ts";
import { type OcppAddresses, serveOcpp } from "./ocpp/server.ts";
import { makeWheel } from "./ocpp/wheel.ts";
import { keepPartitions } from "./partitions.ts";
import { protoFiles, registrations as registrationsOf } from "./rpc/services.ts";
import { userDeleted } from "./subscribers/user-deleted.ts";
import { userUpdated } from "./subscribers/user-updated.ts";
import { openWebhooks } from "./webhooks/open.ts";

const SERVICE = "charger-service";

/** Starts the service, and answers where it listens. While the database or NATS is away it listens all the same, and says so. */
export async function start(
  config: Config,
  stack: Stack,
  log: Logger,
  clock: Clock = systemClock,
): Promise<{ grpcAddress: string } & OcppAddresses> {
  const replicaId = randomUUID();
  const transport = await openTransport(config.meshCerts, SERVICE, stack, log);
  const db = openPostgres<Database>(config.databaseUrl, SCHEMA, config.databasePool, stack, log);
  const nats = openNats(config.nats, SERVICE, stack, log);
  const wheel = makeWheel();
  stack.defer("wheel", () => wheel.stop());
  keepPartitions(db, config.messageRetentionDays, clock, stack, log);
  linkEvents(db, nats, stack, log);

  const registry = makeRegistry();
  const tolerance = makeTolerance(db, clock, stack, log);
  const sealed = makeSealedTexts(config.meshSecret, "commands");
  const runner = makeRunner(db, registry, tolerance, sealed, log);
  const replicas = linkReplicas(nats, replicaId, runner.run, stack, log);
  const commander = makeCommander(db, replicas, sealed, clock, log);
  const certification = await openCertification(config, { db, commander, clock }, stack, log);
  const ownerships = await keepOwnerships(db, replicaId, registry, runner, clock, stack, log);
  let addresses: OcppAddresses = { ocppAddress: config.ocppAddress, ocppTlsAddress: config.ocppTls?.address };
  const filing = await openFiles(config.files, () => addresses, db, clock, stack, log);
  keepLocalLists({ db, commander }, replicaId, stack, log);
  keepTidy({ ...config, db, clock, replicaId }, stack, log);
  const frameLog = keepFrames(db, config, clock, stack, log);
  const afterBoot = makeAfterBoot({ ...config, db, commander, clock }, log);
  const chooseProtocol = (offered: readonly string[]): string => chooseDialect(offered)?.version.subprotocol ?? "";
  const registrations = registrationsOf({
    db,
    commander,
    certification,
    ...filing,
    limitsOf: makeLimitsOf(db),
    nats,
    clock,
    unknownChargers: config.unknownChargers,
    chooseProtocol,
    ...openWebhooks(config, { db, nats, clock }, stack, log),
    log,
  });
  const health = await watchHealth(
    [
      { name: "postgres", required: true, check: () => pingPostgres(db) },
      { name: "nats", required: false, check: () => nats.check() },
    ],
    serviceNames(registrations),
    stack,
    log,
  );
  const identify = makeRemoteIdentify(SERVICE, { ...config, transport }, stack);
  const remoteAddressOf = makeRemoteAddressOf(config.meshSecret);
  const recordRefusal = keepRefusals(db, stack, log);
  const grpcAddress = await serveGrpc(
    {
      address: config.grpcAddress,
      transport,
      protoFiles,
      registrations,
      identify,
      remoteAddressOf,
      recordRefusal,
      health: health.implementation,
    },
    stack,
    log,
  );
  const isGateway = makeIsForwarder(config.meshSecret);
  addresses = await serveOcpp(
    {
      ...config,
      address: config.ocppAddress,
      tls: config.ocppTls,
      isGateway,
      requestHandlers: [makeFileDoor({ db, clock, ...filing }, log)],
    },
    { db, clock, wheel, registry, ownerships, runner, commander, certification, replicas, frameLog, tolerance, afterBoot },
    stack,
    log,
  );
  stack.defer("health drain", () => health.drain());
  return { grpcAddress, ...addresses };
}

/** What it says to others, and hears of them. */
function linkEvents(db: Kysely<Database>, nats: Nats, stack: Stack, log: Logger): void {
  keepJournal(nats, SERVICE, stack, log);
  runOutbox(db, nats, [streamOf("chargemesh.charger.v1"), streamOf("chargemesh.audit.v1")], SERVICE, stack, log);
  subscribe(nats, "charger-user-deleted", UserDeleted.$type, userDeleted({ db, adminTypes }), stack, log);
  subscribe(nats, "charger-user-updated", UserUpdated.$type, userUpdated({ db, adminTypes }), stack, log);
}
