import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { recordAudit } from "@chargemesh/kit/audit";
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
import { expireKeys, insertKey, keysInUse, type SigningKeyRow } from "../db/signing-key.ts";
import { seal, unseal } from "./sealing.ts";

const CURVE = "P-256";
const DAY_MS = 24 * 3_600_000;
/** How often the keys are read again at most, in ms; more often where services keep them for less long. */
const RELOAD_MAX_MS = 5_000;

/** How keys come and go. */
export interface SigningKeySettings {
  /** What opens them. */
  keySecret: string;
  /** How long one signs. */
  signingKeyDays: number;
  /** How long a service uses those that it has asked for. */
  signingKeyCacheSeconds: number;
  accessTokenSeconds: number;
}

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
  /** Reads the keys, and makes one if there is none or the one that signs is old. Throws ConfigError if the secret does not open them. */
  load(): Promise<void>;
  /** What signs now. UNAVAILABLE before the first load. */
  signer(): { kid: string; key: KeyObject };
  /** All that may still verify; the same object while they are the same. UNAVAILABLE before the first load. */
  published(): { keys: PublicKey[] };
  /** Makes the next key, unless one is on its way already, and says from when on it signs. */
  rotate(): Promise<{ kid: string; activateTime: Date }>;
}

/** What a replica has read. */
interface Loaded {
  /** By when they become active. */
  rows: readonly SigningKeyRow[];
  /** Those that sign now or will. */
  keys: ReadonlyMap<string, KeyObject>;
  published: { keys: PublicKey[] };
}

/**
 * The keys that sign access tokens: in the database, sealed, the same for all replicas, which read them again every few seconds. Which of
 * them signs is a matter of the time alone, so that no replica must tell another (docs/adr/0011).
 */
export function makeSigningKeys(db: Db, settings: SigningKeySettings, clock: Clock, stack: Stack, log: Logger): SigningKeys {
  const { keySecret, signingKeyDays, signingKeyCacheSeconds } = settings;
  const leadMs = leadOf(settings);
  let loaded: Loaded | undefined;
  const load = async (): Promise<void> => {
    const now = clock.now();
    let rows = await keysInUse(db, now);
    const newest = rows.at(-1);
    const isOld = newest === undefined || newest.activate_time.getTime() + signingKeyDays * DAY_MS - leadMs <= now.getTime();
    if (isOld) rows = await addKey(db, settings, now, newest?.kid);
    loaded = await openKeys(keySecret, rows, now, loaded);
  };
  const rotate = async (): Promise<{ kid: string; activateTime: Date }> => {
    const now = clock.now();
    const rows = await keysInUse(db, now);
    const newest = rows.at(-1);
    const isPending = newest !== undefined && newest.activate_time > now;
    const next = isPending ? newest : (await addKey(db, settings, now, newest?.kid)).at(-1);
    if (next === undefined) throw new Error("no signing key although one was just made");
    await load();
    return { kid: next.kid, activateTime: next.activate_time };
  };
  const reload = (): void => {
    if (loaded !== undefined) load().catch((err: unknown) => log.warn({ err }, "the signing keys could not be read again"));
  };
  const timer = setInterval(reload, Math.min(RELOAD_MAX_MS, signingKeyCacheSeconds * 500));
  stack.defer("signing keys", () => clearInterval(timer));
  const afterLoad = (): Loaded => {
    if (loaded === undefined) throw new AppError("unavailable", "NOT_READY", "The service is not ready yet. Try again.");
    return loaded;
  };
  const signer = (): { kid: string; key: KeyObject } => {
    const { rows, keys } = afterLoad();
    const kid = signerOf(rows, clock.now())?.kid ?? "";
    const key = keys.get(kid);
    if (key === undefined) throw new Error(`the signing key ${kid} is not open`);
    return { kid, key };
  };
  return { load, signer, published: () => afterLoad().published, rotate };
}

/**
 * How long before it signs a key is published, in ms: as long as services use the keys that they have, and as long again for a replica
 * that reads late or whose clock is off.
 */
function leadOf({ signingKeyCacheSeconds }: SigningKeySettings): number {
  return 2 * signingKeyCacheSeconds * 1000;
}

/** The youngest that is active. If the clock of whoever made the only key is ahead of ours, it is still the one. */
function signerOf(rows: readonly SigningKeyRow[], now: Date): SigningKeyRow | undefined {
  return rows.findLast(({ activate_time }) => activate_time <= now) ?? rows[0];
}

async function openKeys(secret: string, rows: readonly SigningKeyRow[], now: Date, before: Loaded | undefined): Promise<Loaded> {
  const first = signerOf(rows, now);
  if (first === undefined) throw new Error("no signing key although one was just made");
  const keys = new Map<string, KeyObject>();
  for (const row of rows.slice(rows.indexOf(first))) keys.set(row.kid, before?.keys.get(row.kid) ?? (await openKey(secret, row)));
  const published = { keys: rows.map(toPublicKey) };
  const isSame = before !== undefined && isDeepStrictEqual(before.published, published);
  return { rows, keys, published: isSame ? before.published : published };
}

/**
 * Makes a key and has the others end when their last tokens have; answers all. Of several replicas that try at once, one does: the one
 * that still finds `newest`, or none, at the end of the list. The first key signs at once, a later one when everybody has it.
 */
async function addKey(db: Db, settings: SigningKeySettings, now: Date, newest: string | undefined): Promise<SigningKeyRow[]> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: CURVE });
  const { x = "", y = "" } = publicKey.export({ format: "jwk" });
  const kid = await calculateJwkThumbprint({ kty: "EC", crv: CURVE, x, y });
  const sealed = await seal(settings.keySecret, kid, privateKey.export({ format: "der", type: "pkcs8" }));
  const leadMs = leadOf(settings);
  return transact(db, async (tx) => {
    await lockSetUp(tx);
    const found = await keysInUse(tx, now);
    if (found.at(-1)?.kid !== newest) return found;
    const activateTime = newest === undefined ? now : new Date(now.getTime() + leadMs);
    // As much again as before it signs, for a replica whose clock is off.
    await expireKeys(tx, new Date(activateTime.getTime() + settings.accessTokenSeconds * 1000 + leadMs));
    const row = { kid, public_x: x, public_y: y, private_key: sealed, create_time: now, activate_time: activateTime, expire_time: null };
    await insertKey(tx, row);
    await recordAudit(tx, { resource: `signingKeys/${kid}`, actionByItself: "auth-service/MakeSigningKey" });
    return keysInUse(tx, now);
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
