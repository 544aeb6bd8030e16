import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import type { Clock } from "@chargemesh/kit/clock";
import { ConfigError } from "@chargemesh/kit/config";
import { AppError } from "@chargemesh/kit/errors";
import { TOKEN_ALGORITHM } from "@chargemesh/kit/identity";
import type { Logger } from "@chargemesh/kit/log";
import type { Stack } from "@chargemesh/kit/main";
import { transact } from "@chargemesh/kit/postgres";
import { calculateJwkThumbprint } from "jose";
import type { Db } from "../db/schema.ts";
import { lockSetUp } from "../db/set-up-lock.ts";
import { insertKey, keysInUse, type SigningKeyRow } from "../db/signing-key.ts";
import { seal, unseal } from "./sealing.ts";

const CURVE = "P-256";
/** How often the keys are read again, in ms: when a younger key has become active, every replica signs with it this much later. */
const RELOAD_MS = 30_000;

/** The public half of a key, in the words of RFC 7517. */
export interface PublicKey {
  kty: string;
  kid: string;
  use: string;
  alg: string;
  crv: string;
  x: string;
  y: string;
}

export interface SigningKeys {
  /** Reads the keys, and makes the first one if there is none. Throws ConfigError if the secret does not open the one that signs. */
  load(): Promise<void>;
  /** What signs now. UNAVAILABLE before the first load. */
  signer(): { kid: string; key: KeyObject };
  /** All that may still verify. UNAVAILABLE before the first load. */
  published(): { keys: PublicKey[] };
}

/** The keys that sign access tokens: in the database, sealed, the same for all replicas. They are read again every half minute. */
export function makeSigningKeys(db: Db, secret: string, clock: Clock, stack: Stack, log: Logger): SigningKeys {
  let loaded: { signer: { kid: string; key: KeyObject }; published: { keys: PublicKey[] } } | undefined;
  const load = async (): Promise<void> => {
    const now = clock.now();
    const found = await keysInUse(db, now);
    const rows = found.length > 0 ? found : await makeFirstKey(db, secret, now);
    // If the clock of whoever made the only key is ahead of ours, it is still the one.
    const current = rows.findLast(({ activate_time }) => activate_time <= now) ?? rows[0];
    if (current === undefined) throw new Error("no signing key although one was just made");
    const key = current.kid === loaded?.signer.kid ? loaded.signer.key : await openKey(secret, current);
    loaded = { signer: { kid: current.kid, key }, published: { keys: rows.map(toPublicKey) } };
  };
  const reload = (): void => {
    if (loaded !== undefined) load().catch((err: unknown) => log.warn({ err }, "the signing keys could not be read again"));
  };
  const timer = setInterval(reload, RELOAD_MS);
  stack.defer("signing keys", () => clearInterval(timer));
  const afterLoad = (): NonNullable<typeof loaded> => {
    if (loaded === undefined) throw new AppError("unavailable", "NOT_READY", "The service is not ready yet. Try again.");
    return loaded;
  };
  return { load, signer: () => afterLoad().signer, published: () => afterLoad().published };
}

async function makeFirstKey(db: Db, secret: string, now: Date): Promise<SigningKeyRow[]> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: CURVE });
  const { x = "", y = "" } = publicKey.export({ format: "jwk" });
  const kid = await calculateJwkThumbprint({ kty: "EC", crv: CURVE, x, y });
  const sealed = await seal(secret, kid, privateKey.export({ format: "der", type: "pkcs8" }));
  return transact(db, async (tx) => {
    await lockSetUp(tx);
    const found = await keysInUse(tx, now);
    if (found.length > 0) return found;
    const row = { kid, public_x: x, public_y: y, private_key: sealed, create_time: now, activate_time: now, expire_time: null };
    await insertKey(tx, row);
    return [row];
  });
}

async function openKey(secret: string, { kid, private_key }: SigningKeyRow): Promise<KeyObject> {
  const der = await unseal(secret, kid, private_key);
  if (der === undefined) {
    throw new ConfigError(
      `AUTH_KEY_SECRET does not open the signing key ${kid}, which was sealed with another one: set that one, or delete the key from authentication.signing_key and a new one is made`,
    );
  }
  return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
}

function toPublicKey({ kid, public_x, public_y }: SigningKeyRow): PublicKey {
  return { kty: "EC", kid, use: "sig", alg: TOKEN_ALGORITHM, crv: CURVE, x: public_x, y: public_y };
}
