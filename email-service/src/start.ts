import { keepRefusals } from "@chargemesh/kit/audit-refusals";
import { type Clock, systemClock } from "@chargemesh/kit/clock";
import { streamOf } from "@chargemesh/kit/event-streams";
import { makeRemoteAddressOf } from "@chargemesh/kit/forwarding";
import { serveGrpc, serviceNames } from "@chargemesh/kit/grpc-server";
import { watchHealth } from "@chargemesh/kit/health";
import type { Logger } from "@chargemesh/kit/log";
import type { Stack } from "@chargemesh/kit/main";
import { openNats } from "@chargemesh/kit/nats";
import { runOutbox } from "@chargemesh/kit/outbox";
import { openPostgres, pingPostgres } from "@chargemesh/kit/postgres";
import { makeRemoteIdentify } from "@chargemesh/kit/remote-identity";
import { openTransport as openMesh } from "@chargemesh/kit/transport";
import type { Config } from "./config.ts";
import { type Database, SCHEMA } from "./db/schema.ts";
import { keepTidy } from "./left-behind.ts";
import { keepDigests } from "./mail/digests.ts";
import { makeLinks } from "./mail/links.ts";
import { runSender } from "./mail/sender.ts";
import { openTransport } from "./mail/transport.ts";
import { protoFiles, registrations as registrationsOf } from "./rpc/services.ts";
import { subscribeToAll } from "./subscriptions.ts";

const SERVICE = "email-service";

/** Starts email-service and answers where it listens. Throws ConfigError if a setting of mail is wrong. */
export async function start(config: Config, stack: Stack, log: Logger, clock: Clock = systemClock): Promise<{ grpcAddress: string }> {
  const mesh = await openMesh(config.meshCerts, "email-service", stack, log);
  const transport = openTransport(config, stack);
  const db = openPostgres<Database>(config.databaseUrl, SCHEMA, config.databasePool, stack, log);
  const nats = openNats(config.nats, SERVICE, stack, log);
  runOutbox(db, nats, [streamOf("chargemesh.email.v1"), streamOf("chargemesh.audit.v1")], SERVICE, stack, log);
  const links = makeLinks(config.meshSecret, config.publicUrl);
  const sender = runSender(db, transport, links, clock, stack, log);
  const needs = { ...config, db, clock, sender, links, log };
  subscribeToAll(nats, needs, stack, log);
  keepDigests(needs, stack, log);
  keepTidy({ db, clock, messageDays: config.retentionDays }, stack, log);
  const registrations = registrationsOf(needs);
  const health = await watchHealth(
    [
      { name: "postgres", required: true, check: () => pingPostgres(db) },
      { name: "nats", required: false, check: nats.check },
      { name: transport.name, required: false, check: transport.check },
    ],
    serviceNames(registrations),
    stack,
    log,
  );
  const grpcAddress = await serveGrpc(
    {
      address: config.grpcAddress,
      transport: mesh,
      protoFiles,
      registrations,
      identify: makeRemoteIdentify("email-service", { ...config, transport: mesh }, stack),
      remoteAddressOf: makeRemoteAddressOf(config.meshSecret),
      recordRefusal: keepRefusals(db, stack, log),
      health: health.implementation,
    },
    stack,
    log,
  );
  stack.defer("drain", () => health.drain());
  return { grpcAddress };
}
