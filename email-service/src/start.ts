import { OneTimeTokenIssued, SecurityNoticeRaised, UserCreated, UserDeleted, UserUpdated } from "@chargemesh/contracts/auth/v1/events";
import { TransactionStopped } from "@chargemesh/contracts/charger/v1/events";
import { MessageServiceService } from "@chargemesh/contracts/email/v1/message_service";
import { TemplateServiceService } from "@chargemesh/contracts/email/v1/template_service";
import { keepRefusals } from "@chargemesh/kit/audit-refusals";
import { type Clock, systemClock } from "@chargemesh/kit/clock";
import { streamOf } from "@chargemesh/kit/event-streams";
import { makeRemoteAddressOf } from "@chargemesh/kit/forwarding";
import { serve, serveGrpc, serviceNames } from "@chargemesh/kit/grpc-server";
import { watchHealth } from "@chargemesh/kit/health";
import type { Logger } from "@chargemesh/kit/log";
import type { Stack } from "@chargemesh/kit/main";
import { openNats } from "@chargemesh/kit/nats";
import { runOutbox } from "@chargemesh/kit/outbox";
import { openPostgres, pingPostgres } from "@chargemesh/kit/postgres";
import { makeRemoteIdentify } from "@chargemesh/kit/remote-identity";
import { subscribe } from "@chargemesh/kit/subscribe";
import { openTransport as openMesh } from "@chargemesh/kit/transport";
import type { Config } from "./config.ts";
import { type Database, SCHEMA } from "./db/schema.ts";
import { makeLinks } from "./mail/links.ts";
import { runSender } from "./mail/sender.ts";
import { openTransport } from "./mail/transport.ts";
import { createMessage } from "./rpc/create-message.ts";
import { getMessage } from "./rpc/get-message.ts";
import { getTemplate } from "./rpc/get-template.ts";
import { listMessages } from "./rpc/list-messages.ts";
import { listTemplates } from "./rpc/list-templates.ts";
import { previewTemplate } from "./rpc/preview-template.ts";
import { retryMessage } from "./rpc/retry-message.ts";
import { oneTimeTokenIssued } from "./subscribers/one-time-token-issued.ts";
import { securityNoticeRaised } from "./subscribers/security-notice-raised.ts";
import { transactionStopped } from "./subscribers/transaction-stopped.ts";
import { userCreated } from "./subscribers/user-created.ts";
import { userDeleted } from "./subscribers/user-deleted.ts";
import { userUpdated } from "./subscribers/user-updated.ts";

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
  const needs = { db, clock, sender, links, log };
  subscribe(nats, "email-user-created", UserCreated.$type, userCreated(needs), stack, log);
  subscribe(nats, "email-user-updated", UserUpdated.$type, userUpdated(needs), stack, log);
  subscribe(nats, "email-user-deleted", UserDeleted.$type, userDeleted(needs), stack, log);
  subscribe(nats, "email-one-time-token-issued", OneTimeTokenIssued.$type, oneTimeTokenIssued(needs), stack, log);
  subscribe(nats, "email-security-notice-raised", SecurityNoticeRaised.$type, securityNoticeRaised(needs), stack, log);
  subscribe(nats, "email-transaction-stopped", TransactionStopped.$type, transactionStopped(needs), stack, log);
  const registrations = [
    serve(MessageServiceService, {
      createMessage: createMessage(needs),
      getMessage: getMessage(needs),
      listMessages: listMessages(needs),
      retryMessage: retryMessage(needs),
    }),
    serve(TemplateServiceService, { listTemplates, getTemplate, previewTemplate }),
  ];
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
      protoFiles: ["chargemesh/email/v1/message_service.proto", "chargemesh/email/v1/template_service.proto"],
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
