import { IdentityServiceClient } from "@chargemesh/contracts/auth/v1/identity_service";
import { SigningKeyServiceClient } from "@chargemesh/contracts/auth/v1/signing_key_service";
import type { User_Role } from "@chargemesh/contracts/auth/v1/user";
import { AppError } from "./errors.ts";
import { callUnary, openClient } from "./grpc-client.ts";
import { type Identify, type IdentifyOptions, makeIdentify, makeMeshIdentity, type Role } from "./identity.ts";
import { cacheKeys } from "./key-cache.ts";
import type { Stack } from "./main.ts";
import type { Transport } from "./transport.ts";

const DEADLINE_MS = 3_000;

/** The settings of services that ask auth-service who calls. */
export interface RemoteIdentityConfig extends Pick<IdentifyOptions, "oidcIssuers" | "meshSecret"> {
  authTarget: string;
  transport: Transport;
  signingKeyCacheSeconds: number;
}

/**
 * Proves callers as auth-service would, for the service `name`. Access tokens are verified here, by keys that are asked for now and then;
 * API keys and people of other identity providers are asked about, and the answer kept for half a minute.
 */
export function makeRemoteIdentify(name: string, config: RemoteIdentityConfig, stack: Stack): Identify {
  const keysClient = openClient(SigningKeyServiceClient, config.authTarget, config.transport, "auth-service");
  const client = openClient(IdentityServiceClient, config.authTarget, config.transport, "auth-service");
  stack.defer("auth clients", () => {
    keysClient.close();
    client.close();
  });
  const meshIdentity = makeMeshIdentity(name, config.meshSecret);
  const options = async () => ({ deadline: Date.now() + DEADLINE_MS, metadata: await meshIdentity() });
  return makeIdentify({
    ...config,
    keys: cacheKeys(
      async () => ({
        keys: (await callUnary(keysClient.listSigningKeys.bind(keysClient), {}, { deadline: Date.now() + DEADLINE_MS })).keys,
      }),
      config.signingKeyCacheSeconds * 1000,
      away,
    ),
    async apiKeys(secretHash) {
      const { apiKey, username } = await callUnary(client.identifyApiKey.bind(client), { secretHash }, await options()).catch(asAway);
      if (apiKey?.expireTime === undefined) return undefined;
      return { ...apiKey, username, role: roleOf(apiKey.role), expireTime: apiKey.expireTime.getTime() };
    },
    async admitExternal(person) {
      return (await callUnary(client.admitExternalUser.bind(client), person, await options()).catch(asAway)).user;
    },
  });
}

function roleOf(role: User_Role): Role {
  if (role === "DRIVER" || role === "OPERATOR" || role === "ADMIN") return role;
  throw new Error(`auth-service says an unknown role: ${role}`);
}

/** Whatever keeps auth-service from answering is not the fault of whoever calls. */
function asAway(cause: unknown): never {
  throw away(cause);
}

function away(cause: unknown): AppError {
  return new AppError("unavailable", "AUTH_UNAVAILABLE", "Who calls cannot be verified at the moment. Try again.", { cause });
}
