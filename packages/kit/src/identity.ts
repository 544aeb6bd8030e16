import { Metadata } from "@grpc/grpc-js";
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, type JWTVerifyGetKey, jwtVerify, SignJWT } from "jose";
import { AppError } from "./errors.ts";
import type { Access } from "./rules.ts";

export type Role = "DRIVER" | "OPERATOR" | "ADMIN";

/** A user as their access token says. */
export interface UserCaller {
  kind: "user";
  userId: string;
  username: string;
  role: Role;
  /** When the token ends, in ms since 1970. */
  expireTime: number;
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

/** Hands out the public keys; with `refresh`, asks for them again because one was missing. */
export type KeySource = (refresh: boolean) => Promise<JSONWebKeySet>;

/** Proves callers by their metadata. UNAUTHENTICATED if what they show is not good; anonymous if they show nothing. */
export type Identify = (metadata: Metadata) => Promise<Caller>;

export function makeIdentify(keys: KeySource, meshSecret: string): Identify {
  const meshKey = new TextEncoder().encode(meshSecret);
  return async (metadata) => {
    const mesh = metadata.get(MESH_KEY)[0];
    const authorization = metadata.get("authorization")[0];
    if (authorization === undefined) return mesh === undefined ? { kind: "anonymous" } : serviceCaller(String(mesh), meshKey);
    const token = /^Bearer +(\S+)$/i.exec(String(authorization))?.[1];
    if (token === undefined) throw unauthenticated('The authorization header must be "Bearer" and an access token.');
    return userCaller(token, keys);
  };
}

async function userCaller(token: string, keys: KeySource): Promise<UserCaller> {
  const now = await keys(false);
  const known = verified.get(now)?.get(token);
  if (known !== undefined && known.expireTime > Date.now()) return known;
  const caller = await verifyWith(token, now)
    .catch(async (err: unknown) => {
      if (!(err instanceof errors.JWKSNoMatchingKey)) throw err;
      return verifyWith(token, await keys(true));
    })
    .then(readCaller, asUnauthenticated);
  remember(now, token, caller);
  return caller;
}

function readCaller({ sub, exp, role: said, username }: JWTPayload): UserCaller {
  const role = roles.find((one) => one === said);
  if (sub === undefined || exp === undefined || role === undefined) throw unauthenticated("The access token says too little.");
  return { kind: "user", userId: sub, username: String(username ?? ""), role, expireTime: exp * 1000 };
}

/** Verifying a signature is the dearest part of a call, and a caller shows the same token for minutes. */
const VERIFIED_MAX = 10_000;
/** What tokens have said, as long as the keys are the same that they were verified with. */
const verified = new WeakMap<JSONWebKeySet, Map<string, UserCaller>>();

function remember(keys: JSONWebKeySet, token: string, caller: UserCaller): void {
  const callers = verified.get(keys) ?? new Map<string, UserCaller>();
  if (callers.size >= VERIFIED_MAX) callers.clear();
  verified.set(keys, callers.set(token, caller));
}

type Resolver = JWTVerifyGetKey;
/** Importing keys costs more than using them, so it is done once a set. */
const resolvers = new WeakMap<JSONWebKeySet, Resolver>();

function resolverOf(keys: JSONWebKeySet): Resolver {
  const known = resolvers.get(keys);
  if (known !== undefined) return known;
  const local = createLocalJWKSet(keys);
  const resolver: Resolver = (header, token) => {
    // By itself it takes the only key that there is for a token that names none.
    if (header.kid === undefined) throw new errors.JWSInvalid("the token names no key");
    return local(header, token);
  };
  resolvers.set(keys, resolver);
  return resolver;
}

async function verifyWith(token: string, keys: JSONWebKeySet): Promise<JWTPayload> {
  const options = { issuer: ISSUER, audience: AUDIENCE, algorithms: [TOKEN_ALGORITHM], requiredClaims: ["exp", "sub"] };
  return (await jwtVerify(token, resolverOf(keys), options)).payload;
}

async function serviceCaller(token: string, meshKey: Uint8Array): Promise<Caller> {
  const options = { audience: MESH_AUDIENCE, algorithms: [MESH_ALGORITHM], requiredClaims: ["exp", "iss"] };
  const { payload } = await jwtVerify(token, meshKey, options).catch(asUnauthenticated);
  return { kind: "service", name: String(payload.iss) };
}

function asUnauthenticated(cause: unknown): never {
  if (cause instanceof AppError) throw cause;
  if (cause instanceof errors.JWTExpired)
    throw new AppError("unauthenticated", "TOKEN_EXPIRED", "The access token has expired.", { cause });
  if (cause instanceof errors.JOSEError)
    throw new AppError("unauthenticated", "TOKEN_INVALID", "The access token is not valid.", { cause });
  throw cause;
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

const allowed: Record<Access["level"], readonly Role[]> = {
  PUBLIC: roles,
  DRIVER: roles,
  OPERATOR: ["OPERATOR", "ADMIN"],
  ADMIN: ["ADMIN"],
  SERVICE: [],
};

/** Throws UNAUTHENTICATED or PERMISSION_DENIED unless `caller` may do what needs `access`. */
export function checkAccess(access: Access, caller: Caller): void {
  if (access.level === "PUBLIC") return;
  if (caller.kind === "anonymous")
    throw new AppError("unauthenticated", "TOKEN_MISSING", "This needs an access token: authorization: Bearer …");
  const may =
    caller.kind === "user"
      ? allowed[access.level].includes(caller.role)
      : access.level === "SERVICE" && access.callers.includes(caller.name);
  if (!may) throw new AppError("permissionDenied", "ACCESS_DENIED", `This is for ${audienceOf(access)}.`);
}

function audienceOf({ level }: Access): string {
  return { PUBLIC: "anybody", DRIVER: "users", OPERATOR: "operators", ADMIN: "administrators", SERVICE: "services" }[level];
}

/** The user to whose own things the caller is limited: a driver's id; undefined for operators and administrators. */
export function limitedTo(caller: Caller): string | undefined {
  return caller.kind === "user" && caller.role === "DRIVER" ? caller.userId : undefined;
}
