import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import type { NatsPasswords } from "../servers/nats.ts";
import { makePassword, type Passwords } from "../servers/roles.ts";
import { StartError } from "../servers/start-error.ts";

/** What `make up` makes up once for a folder and keeps. */
export type Secrets = {
  /** Of the first administrator, if the settings name none; it is shown once. */
  readonly adminPassword: string;
  readonly adminPasswordShown: boolean;
  /** Encrypts the keys that sign access tokens. */
  readonly authKeySecret: string;
  /** Signs what services say of themselves to each other. */
  readonly meshSecret: string;
  /** Of our own servers. */
  readonly postgres: string;
  readonly roles: Passwords;
  readonly nats: NatsPasswords;
};

/** Those in `file`, which is made if it is not there. Throws StartError if it is spoilt. */
export function keepSecrets(file: string): Secrets {
  if (!existsSync(file)) writeSecrets(file, makeSecrets());
  try {
    const kept = JSON.parse(readFileSync(file, "utf8")) as Partial<Secrets>;
    const made = makeSecrets();
    // An older version had but one user of NATS.
    const nats = typeof kept.nats === "object" ? kept.nats : made.nats;
    const secrets = { ...made, ...kept, nats };
    // What an older version did not know is kept from now on.
    if (Object.keys(secrets).length > Object.keys(kept).length || nats === made.nats) writeSecrets(file, secrets);
    return secrets;
  } catch (err) {
    throw new StartError(
      `${file} cannot be read (${err instanceof Error ? err.message : err}): repair it, or start anew with \`make reset\`.`,
    );
  }
}

/** Writes them whole or not at all, for the owner's eyes only. */
export function writeSecrets(file: string, secrets: Secrets): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

function makeSecrets(): Secrets {
  return {
    adminPassword: makePassword(),
    adminPasswordShown: false,
    authKeySecret: makePassword(),
    meshSecret: makePassword(),
    postgres: makePassword(),
    roles: { owner: makePassword(), auth: makePassword(), charger: makePassword(), email: makePassword() },
    nats: { auth: makePassword(), charger: makePassword(), email: makePassword() },
  };
}
