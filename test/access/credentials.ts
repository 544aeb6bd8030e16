import { createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomUUID, sign } from "node:crypto";
import { AUDIENCE, ISSUER } from "@chargemesh/kit/identity";
import { unseal } from "auth-service/src/domain/sealing.ts";
import pg from "pg";
import type { Env } from "../env.ts";

/** The key with which the system signs its access tokens. A test that has it makes tokens in which just one thing is wrong. */
export interface SigningKey {
  kid: string;
  key: KeyObject;
}

/** Takes it from the table, as somebody could who has both the table and the secret. */
export async function stealSigningKey({ database, vars }: Env): Promise<SigningKey> {
  const client = new pg.Client(database.ownerUrl);
  await client.connect();
  const { rows } = await client.query("select kid, private_key from authentication.signing_key order by activate_time limit 1");
  await client.end();
  const [{ kid, private_key }] = rows;
  const der = await unseal(vars.AUTH_KEY_SECRET, kid, private_key);
  if (der === undefined) throw new Error("the signing key does not open");
  return { kid, key: createPrivateKey({ key: der, format: "der", type: "pkcs8" }) };
}

const now = (): number => Math.floor(Date.now() / 1000);

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}

/** A JWT signed with ES256. */
export function signed(header: object, claims: object, key: KeyObject): string {
  const text = `${encoded(header)}.${encoded(claims)}`;
  return `${text}.${sign("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

/** A JWT signed with HS256. */
export function signedByHmac(header: object, claims: object, secret: string | Buffer): string {
  const text = `${encoded({ ...header, alg: "HS256" })}.${encoded(claims)}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

/** What a good access token says, of an administrator whom nobody else is. */
export function claims(changed: object = {}): object {
  const time = now();
  const times = { iat: time, nbf: time - 30, exp: time + 300 };
  return { iss: ISSUER, aud: AUDIENCE, sub: randomUUID(), jti: randomUUID(), username: "mallory", role: "ADMIN", ...times, ...changed };
}

/** Everything that somebody may show instead of a good access token, and the reason for which it is refused, whatever the rpc. */
export function faultyTokens({ kid, key }: SigningKey): Record<string, { token: string; reason: string }> {
  const header = { alg: "ES256", typ: "JWT", kid };
  const other = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = createPublicKey(key).export({ format: "pem", type: "spki" });
  const { x = "" } = createPublicKey(key).export({ format: "jwk" });
  const good = signed(header, claims(), key);
  const [head = "", , signature = ""] = good.split(".");
  const ownKey = { jwk: other.publicKey.export({ format: "jwk" }) };
  const tokens = {
    garbage: "abc.def.ghi",
    "no JWT": "opaque-and-long-enough-to-be-something",
    "not yet valid": signed(header, claims({ nbf: now() + 600 }), key),
    "wrong audience": signed(header, claims({ aud: "chargemesh-mesh" }), key),
    "no audience": signed(header, claims({ aud: undefined }), key),
    "wrong issuer": signed(header, claims({ iss: "https://issuer.example.org" }), key),
    "no issuer": signed(header, claims({ iss: undefined }), key),
    "no expiry": signed(header, claims({ exp: undefined }), key),
    "no subject": signed(header, claims({ sub: undefined }), key),
    "no role": signed(header, claims({ role: undefined }), key),
    "a role that is none": signed(header, claims({ role: "SERVICE" }), key),
    "no kid": signed({ alg: "ES256", typ: "JWT" }, claims(), key),
    "a key that nobody knows": signed({ ...header, kid: randomUUID() }, claims(), other.privateKey),
    "the kid of a known key, signed with another": signed(header, claims(), other.privateKey),
    "a key of its own in the header": signed({ ...header, ...ownKey }, claims(), other.privateKey),
    "a link to a key in the header": signed({ ...header, jku: "https://issuer.example.org/jwks.json" }, claims(), other.privateKey),
    "alg none": `${encoded({ alg: "none", typ: "JWT", kid })}.${encoded(claims())}.`,
    "alg none, with a signature": `${encoded({ alg: "none", typ: "JWT", kid })}.${encoded(claims())}.${signature}`,
    "HS256 with the public key as PEM": signedByHmac(header, claims(), pem),
    "HS256 with the public key as it is published": signedByHmac(header, claims(), x),
    "other claims under a good signature": `${head}.${encoded(claims())}.${signature}`,
    "no signature": good.slice(0, good.lastIndexOf(".") + 1),
    "a header that nobody understands": signed({ ...header, crit: ["b64"], b64: false }, claims(), key),
  };
  const refused = Object.entries(tokens).map(([name, token]) => [name, { token, reason: "TOKEN_INVALID" }]);
  const expired = { token: signed(header, claims({ exp: now() - 1 }), key), reason: "TOKEN_EXPIRED" };
  return { ...Object.fromEntries(refused), expired };
}
