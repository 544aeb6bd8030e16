import { readFileSync } from "node:fs";
import { join } from "node:path";
import { keepCertificates } from "../../tools/certs/keep.ts";
import { type NatsPasswords, startNats } from "../../tools/servers/nats.ts";
import { makePassword } from "../../tools/servers/roles.ts";
import { makeFolder } from "../../tools/test/folder.ts";
import { startEnv } from "../env.ts";

/** The whole system as it is across hosts: certificates between services, NATS by deploy/nats.conf and over TLS. */
export type SecureSystem = Awaited<ReturnType<typeof startSecureSystem>>;

export async function startSecureSystem() {
  const dir = makeFolder();
  const certs = join(dir, "certs");
  await keepCertificates(certs, [], new Date());
  const nats = await startShippedNats(dir, join(certs, "nats"));
  const env = await startEnv({ MESH_CERTS: certs, NATS_CA: join(certs, "ca.crt"), ...nats.settings });
  return {
    ...env,
    certs,
    natsLog: nats.log,
    natsUrl: nats.url,
    async stop() {
      await env.stop();
      await nats.stop();
    },
  };
}

/** A NATS server with the configuration that we ship; with `certs`, the folder of its certificate, over TLS. */
export async function startShippedNats(dir: string, certs?: string) {
  const passwords: NatsPasswords = { auth: makePassword(), charger: makePassword(), email: makePassword() };
  const logFile = join(dir, "nats.log");
  const options = { dir: join(dir, "nats"), port: 0, password: passwords, logFile, note: () => undefined };
  const server = await startNats({ ...options, ...(certs !== undefined && { certs }) });
  const scheme = certs === undefined ? "nats" : "tls";
  const url = (user: keyof NatsPasswords): string => `${scheme}://${user}-service:${passwords[user]}@localhost:${server.port}`;
  return {
    url,
    /** What the services need to know. */
    settings: { AUTH_NATS_URL: url("auth"), CHARGER_NATS_URL: url("charger"), EMAIL_NATS_URL: url("email") },
    log: () => readFileSync(logFile, "utf8"),
    stop: () => server.stop(),
  };
}
