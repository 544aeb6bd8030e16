import { AuditServiceService } from "@chargemesh/contracts/audit/v1/audit_service";
import { AuditEntryRecorded } from "@chargemesh/contracts/audit/v1/events";
import { AccountServiceService } from "@chargemesh/contracts/auth/v1/account_service";
import { SigningKeyServiceService } from "@chargemesh/contracts/auth/v1/signing_key_service";
import { UserServiceService } from "@chargemesh/contracts/auth/v1/user_service";
import { keepRefusals } from "@chargemesh/kit/audit-refusals";
import { type Clock, systemClock } from "@chargemesh/kit/clock";
import { streamOf } from "@chargemesh/kit/event-streams";
import { makeRemoteAddressOf } from "@chargemesh/kit/forwarding";
import { serve, serveGrpc, serviceNames } from "@chargemesh/kit/grpc-server";
import { watchHealth } from "@chargemesh/kit/health";
import { makeIdentify } from "@chargemesh/kit/identity";
import type { Logger } from "@chargemesh/kit/log";
import type { Stack } from "@chargemesh/kit/main";
import { openNats } from "@chargemesh/kit/nats";
import { runOutbox } from "@chargemesh/kit/outbox";
import { openPostgres, pingPostgres } from "@chargemesh/kit/postgres";
import { makeSealedTexts } from "@chargemesh/kit/sealed-text";
import { subscribe } from "@chargemesh/kit/subscribe";
import { openTransport } from "@chargemesh/kit/transport";
import type { Config } from "./config.ts";
import { type Database, SCHEMA } from "./db/schema.ts";
import { identifyApiKey } from "./domain/api-key.ts";
import { deviceKeyOf } from "./domain/device.ts";
import { admitExternalUser } from "./domain/external-user.ts";
import { makeFirstAdmin } from "./domain/first-admin.ts";
import type { OneTimeTokens } from "./domain/one-time-token.ts";
import { makePasswords } from "./domain/passwords.ts";
import { refreshKeyOf } from "./domain/refresh-token.ts";
import { makeSigningKeys } from "./domain/signing-keys.ts";
import { forgetOldAuditEntries } from "./forget-audit-entries.ts";
import { forgetExpired } from "./forget-expired.ts";
import { accountRpcs, auditRpcs, signingKeyRpcs, userRpcs } from "./rpc/index.ts";
import { tokenProtoFiles, tokenRegistrations } from "./rpc/token-services.ts";
import { auditEntryRecorded } from "./subscribers/audit-entry-recorded.ts";
import { untilDatabaseIsThere } from "./until-database-is-there.ts";

const SERVICE = "auth-service";

/**
 * Starts the service, and answers where it listens once it can sign in. While the database is away it listens, says NOT_SERVING,
 * answers UNAVAILABLE and tries again. Throws ConfigError if AUTH_KEY_SECRET or ADMIN_USERNAME do not go with what is stored.
 */
export async function start(config: Config, stack: Stack, log: Logger, clock: Clock = systemClock): Promise<{ grpcAddress: string }> {
  const transport = await openTransport(config.meshCerts, SERVICE, stack, log);
  const db = openPostgres<Database>(config.databaseUrl, SCHEMA, config.databasePool, stack, log);
  const nats = openNats(config.nats, SERVICE, stack, log);
  const passwords = makePasswords(config.argon2, config.hashesAtOnce);
  const keys = makeSigningKeys(db, config, clock, stack, log);
  // Nobody can sign up before there are keys, so nobody can take the administrator's name before the administrator has it.
  const ready = untilDatabaseIsThere(stack, log, async (signal) => {
    await makeFirstAdmin({ db, passwords, clock, log }, config, signal);
    await keys.load();
  });
  const sessions = { ...config, keys, clock, refreshKey: refreshKeyOf(config.keySecret), deviceKey: deviceKeyOf(config.keySecret) };
  const accounts = { db, passwords, sessions, clock, limits: config.limits, tokens: oneTimeTokens(config, clock) };
  const registrations = [
    serve(UserServiceService, userRpcs(accounts)),
    serve(AccountServiceService, accountRpcs(accounts)),
    serve(AuditServiceService, auditRpcs({ db })),
    serve(SigningKeyServiceService, signingKeyRpcs(keys)),
    ...tokenRegistrations({ db, passwords, clock, apiKeyDaysMax: config.apiKeyDaysMax }),
  ];
  const health = await watchHealth(
    [
      { name: "postgres", required: true, check: () => pingPostgres(db) },
      { name: "signing-keys", required: true, check: () => ready },
      { name: "nats", required: false, check: () => nats.check() },
    ],
    serviceNames(registrations),
    stack,
    log,
  );
  runOutbox(db, nats, [streamOf("chargemesh.auth.v1"), streamOf("chargemesh.audit.v1")], SERVICE, stack, log);
  subscribe(nats, "auth-audit", AuditEntryRecorded.$type, auditEntryRecorded({ db, log }), stack, log);
  const grpcAddress = await serveGrpc(
    {
      address: config.grpcAddress,
      transport,
      protoFiles: [
        "chargemesh/audit/v1/audit_service.proto",
        "chargemesh/auth/v1/user_service.proto",
        "chargemesh/auth/v1/account_service.proto",
        "chargemesh/auth/v1/signing_key_service.proto",
        ...tokenProtoFiles,
      ],
      registrations,
      identify: makeIdentify({
        ...config,
        keys: () => keys.published(),
        apiKeys: (secretHash) => identifyApiKey({ db, clock }, secretHash),
        admitExternal: (person) => admitExternalUser({ db, passwords, clock }, person),
      }),
      remoteAddressOf: makeRemoteAddressOf(config.meshSecret),
      recordRefusal: keepRefusals(db, stack, log),
      health: health.implementation,
    },
    stack,
    log,
  );
  stack.defer("health drain", () => health.drain());
  await ready;
  forgetExpired(db, clock, stack, log);
  forgetOldAuditEntries(db, config.auditRetentionDays, stack, log);
  return { grpcAddress };
}

function oneTimeTokens({ meshSecret, verifyEmailHours, resetPasswordMinutes }: Config, clock: Clock): OneTimeTokens {
  const sealed = makeSealedTexts(meshSecret, "one-time token");
  return { clock, sealed, verifyEmailMs: verifyEmailHours * 3_600_000, resetPasswordMs: resetPasswordMinutes * 60_000 };
}
