import { createHash } from "node:crypto";
import { decodeJwt, type JSONWebKeySet, type JWTPayload } from "jose";
import { AppError } from "./errors.ts";
import type { Role, UserCaller } from "./identity.ts";
import { cacheKeys } from "./key-cache.ts";
import { makeMemory } from "./memory.ts";
import { isSafeUrl, type OidcIssuer } from "./oidc-settings.ts";
import { isEmail } from "./rules.ts";
import { makeTokenVerifier } from "./token-verifier.ts";

/** Signatures that a third party can make and only the issuer: never none, never a secret that is shared. */
const ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"];
/** By how much the clock of an issuer may differ from ours, in s. */
const CLOCK_SKEW_SECONDS = 10;
/** How long an issuer's keys are used before they are asked for again, in ms. An unknown key asks at once. */
const KEYS_KEEP_MS = 10 * 60_000;
const FETCH_MS = 3_000;
/** What a discovery document or a key set may weigh, in bytes; they are some thousand. */
const FETCH_BYTES_MAX = 1_000_000;
/** How long it is taken for granted that a user may come in, in ms: so long one who has been disabled may still. */
const ADMITTED_KEEP_MS = 30_000;
const ADMITTED_MAX = 10_000;
const roles: readonly Role[] = ["ADMIN", "OPERATOR", "DRIVER"];

/** Somebody whom another identity provider knows, as their token says. */
export interface ExternalPerson {
  issuer: string;
  subject: string;
  username: string;
  /** Empty unless the provider has verified it. */
  email: string;
  role: Role;
}

/** The user that a person is with us; undefined if they may not come in. */
export type AdmitExternal = (person: ExternalPerson) => Promise<{ id: string; username: string } | undefined>;

/** Tells who shows a token of an identity provider that we trust; undefined if it is of none. UNAUTHENTICATED if it is not good. */
export type ExternalTokenReader = (token: string) => Promise<UserCaller> | undefined;

export function makeExternalTokenReader(issuers: readonly OidcIssuer[], admit: AdmitExternal): ExternalTokenReader {
  const remember = makeMemory<{ id: string; username: string }>(ADMITTED_KEEP_MS, ADMITTED_MAX);
  const verifiers = new Map(issuers.map((issuer) => [issuer.issuer, verifierOf(issuer)]));
  const read = async (token: string, verifier: ReturnType<typeof verifierOf>): Promise<UserCaller> => {
    const { person, expireTime } = verifier.known(token) ?? (await verifier.verify(token));
    const user = await remember(JSON.stringify(person), () => admit(person));
    if (user === undefined) throw new AppError("unauthenticated", "TOKEN_INVALID", "The user of this access token may not come in.");
    const credential = { kind: "external", issuer: person.issuer } as const;
    return { kind: "user", userId: user.id, username: user.username, role: person.role, expireTime, credential };
  };
  return (token) => {
    const verifier = verifiers.size === 0 ? undefined : verifiers.get(issuerOf(token));
    return verifier && read(token, verifier);
  };
}

/** Who a token says made it, which nobody has verified yet. */
function issuerOf(token: string): string {
  try {
    return decodeJwt(token).iss ?? "";
  } catch {
    // No token at all is not one of theirs.
    return "";
  }
}

function verifierOf(issuer: OidcIssuer) {
  const away = (cause: unknown): AppError =>
    new AppError("unavailable", "ISSUER_UNAVAILABLE", "The identity provider of this access token cannot be reached. Try again.", {
      cause,
    });
  const options = {
    issuer: issuer.issuer,
    audience: issuer.audience,
    algorithms: ALGORITHMS,
    requiredClaims: ["exp", "sub"],
    clockTolerance: CLOCK_SKEW_SECONDS,
  };
  return makeTokenVerifier(
    cacheKeys(() => fetchKeys(issuer.issuer), KEYS_KEEP_MS, away),
    options,
    (payload) => ({
      person: readPerson(issuer, payload),
      expireTime: ((payload.exp ?? 0) + CLOCK_SKEW_SECONDS) * 1000,
    }),
  );
}

/** The keys of an issuer, by its discovery document (OpenID Connect Discovery 1.0). */
async function fetchKeys(issuer: string): Promise<JSONWebKeySet> {
  const { issuer: says, jwks_uri } = await fetchJson(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`);
  if (says !== issuer) throw new Error(`the discovery document of ${issuer} is that of ${String(says)}`);
  if (typeof jwks_uri !== "string" || !isSafeUrl(jwks_uri)) throw new Error(`${issuer} names no safe place for its keys`);
  const { keys } = await fetchJson(jwks_uri);
  if (!Array.isArray(keys)) throw new Error(`${jwks_uri} is no key set`);
  return { keys };
}

async function fetchJson(url: string): Promise<Record<string, unknown>> {
  const response = await fetch(url, { signal: AbortSignal.timeout(FETCH_MS), redirect: "error", headers: { accept: "application/json" } });
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  const body: unknown = JSON.parse(await textOf(response));
  if (typeof body !== "object" || body === null) throw new Error(`${url} is no JSON object`);
  return { ...body };
}

async function textOf({ url, body }: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body ?? []) {
    bytes += part.length;
    if (bytes > FETCH_BYTES_MAX) throw new Error(`${url} answers with more than ${FETCH_BYTES_MAX} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

function readPerson(issuer: OidcIssuer, claims: JWTPayload): ExternalPerson {
  const role = roleOf(issuer, claims);
  const { sub = "", preferred_username, email } = claims;
  if (sub === "" || sub.length > 255) throw new AppError("unauthenticated", "TOKEN_INVALID", "The access token has no usable subject.");
  if (role === undefined)
    throw new AppError("unauthenticated", "TOKEN_INVALID", "The identity provider gives the user of this access token no role here.");
  const address = claims.email_verified === true && typeof email === "string" && email.length <= 254 && isEmail(email) ? email : "";
  const username = [preferred_username, email, sub].find((name) => typeof name === "string" && name !== "");
  return { issuer: issuer.issuer, subject: sub, username: String(username).slice(0, 254), email: address, role };
}

/** The highest of the roles that a person's claims are mapped to, else the default one. */
function roleOf({ roleClaim, roles: mapping, defaultRole }: OidcIssuer, claims: JWTPayload): Role | undefined {
  const mapped = [claimAt(claims, roleClaim)].flat().flatMap((value) => (typeof value === "string" ? (mapping.get(value) ?? []) : []));
  return roles.find((role) => mapped.includes(role)) ?? defaultRole;
}

/** A claim by its name or, if there is none of it, by the path that the dots in it make: "realm_access.roles". */
function claimAt(claims: JWTPayload, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  return name.split(".").reduce<unknown>((value, key) => {
    return typeof value === "object" && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
  }, claims);
}

/** For ids of users of other identity providers (RFC 9562, 5.5). Never change it: their things hang on it. */
const NAMESPACE = Buffer.from("8f0e5f5c6d0b4a5b9a8b2f7b1a6c3d2e", "hex");

/** The id that a person of another identity provider has with us, always the same: a UUID of version 5. */
export function externalUserId(issuer: string, subject: string): string {
  const hash = createHash("sha1")
    .update(NAMESPACE)
    .update(JSON.stringify([issuer, subject]))
    .digest()
    .subarray(0, 16);
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  return hash.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
