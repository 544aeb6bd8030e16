import { Metadata } from "@grpc/grpc-js";
import { type JWTPayload, jwtVerify, SignJWT } from "jose";
import { API_KEY_PREFIX, type IdentifyApiKey, makeApiKeyReader } from "./api-keys.ts";
import { AppError } from "./errors.ts";
import { type AdmitExternal, makeExternalTokenReader } from "./oidc.ts";
import type { OidcIssuer } from "./oidc-settings.ts";
import { asUnauthenticated, type KeySource, makeTokenVerifier } from "./token-verifier.ts";

export type Role = "DRIVER" | "OPERATOR" | "ADMIN";

/** By what a user is known: a session with us, an API key, or a token of another identity provider. */
export type Credential =
  | { kind: "session"; sessionId: string }
  | { kind: "apiKey"; id: string; scopes: readonly string[]; chargerIds: readonly string[] }
  | { kind: "external"; issuer: string };

/** A user, or a program that acts for one by an API key. */
export interface UserCaller {
  kind: "user";
  userId: string;
  username: string;
  role: Role;
  /** When what they show ends, or must be looked at again, in ms since 1970. */
  expireTime: number;
  credential: Credential;
}

/** Who calls an rpc. */
export type Caller = { kind: "anonymous" } | UserCaller | { kind: "service"; name: string };

export const ISSUER = "chargemesh";
export const AUDIENCE = "chargemesh";
export const TOKEN_ALGORITHM = "ES256";
const MESH_AUDIENCE = "chargemesh-mesh";
const MESH_ALGORITHM = "HS256";
/** Long enough for clocks that differ a little, short enough to be of no use to a thief. */
const MESH_TOKEN_SECONDS = 60;
/** The metadata key with which a service says who it is. */
const MESH_KEY = "x-chargemesh-service";
const roles: readonly Role[] = ["DRIVER", "OPERATOR", "ADMIN"];

/** Proves callers by their metadata, at once if they are known. UNAUTHENTICATED if what they show is not good; anonymous if they show nothing. */
export type Identify = (metadata: Metadata) => Caller | Promise<Caller>;

/** By what callers are known. */
export interface IdentifyOptions {
  /** The public keys of auth-service. */
  keys: KeySource;
  /** What an API key stands for. */
  apiKeys: IdentifyApiKey;
  /** The identity providers whose tokens are taken, and the users that their people are with us. */
  oidcIssuers: readonly OidcIssuer[];
  admitExternal: AdmitExternal;
  meshSecret: string;
}

export function makeIdentify({ keys, apiKeys, oidcIssuers, admitExternal, meshSecret }: IdentifyOptions): Identify {
  const meshKey = new TextEncoder().encode(meshSecret);
  const ours = makeTokenVerifier(keys, tokenRules, readCaller);
  const callerOfKey = makeApiKeyReader(apiKeys);
  const external = makeExternalTokenReader(oidcIssuers, admitExternal);
  return (metadata) => {
    const authorization = metadata.get("authorization")[0];
    if (authorization === undefined) {
      const mesh = metadata.get(MESH_KEY)[0];
      return mesh === undefined ? { kind: "anonymous" } : serviceCaller(String(mesh), meshKey);
    }
    const token = /^Bearer +(\S+)$/i.exec(String(authorization))?.[1];
    if (token === undefined) throw unauthenticated('The authorization header must be "Bearer" and an access token or an API key.');
    if (token.startsWith(API_KEY_PREFIX)) return callerOfKey(token);
    return ours.known(token) ?? external(token) ?? ours.verify(token);
  };
}

/** What holds of every access token of ours; that it names its key, too. */
const tokenRules = { issuer: ISSUER, audience: AUDIENCE, algorithms: [TOKEN_ALGORITHM], requiredClaims: ["exp", "nbf", "sub"] };

function readCaller({ sub, exp, role: said, username, sid }: JWTPayload): UserCaller {
  const role = roles.find((one) => one === said);
  if (sub === undefined || exp === undefined || role === undefined) throw unauthenticated("The access token says too little.");
  const credential = { kind: "session", sessionId: String(sid ?? "") } as const;
  return { kind: "user", userId: sub, username: String(username ?? ""), role, expireTime: exp * 1000, credential };
}

async function serviceCaller(token: string, meshKey: Uint8Array): Promise<Caller> {
  const options = { audience: MESH_AUDIENCE, algorithms: [MESH_ALGORITHM], requiredClaims: ["exp", "iss"] };
  const { payload } = await jwtVerify(token, meshKey, options).catch(asUnauthenticated);
  return { kind: "service", name: String(payload.iss) };
}

function unauthenticated(message: string): AppError {
  return new AppError("unauthenticated", "TOKEN_INVALID", message);
}

/** Makes the metadata with which the service `name` proves itself to another. */
export function makeMeshIdentity(name: string, meshSecret: string): () => Promise<Metadata> {
  const key = new TextEncoder().encode(meshSecret);
  return async () => {
    const token = await new SignJWT({})
      .setProtectedHeader({ alg: MESH_ALGORITHM })
      .setIssuer(name)
      .setAudience(MESH_AUDIENCE)
      .setIssuedAt()
      .setExpirationTime(`${MESH_TOKEN_SECONDS}s`)
      .sign(key);
    const metadata = new Metadata();
    metadata.set(MESH_KEY, token);
    return metadata;
  };
}

/** The user to whose own things the caller is limited: a driver's id; undefined for operators and administrators. */
export function limitedTo(caller: Caller): string | undefined {
  return caller.kind === "user" && caller.role === "DRIVER" ? caller.userId : undefined;
}
