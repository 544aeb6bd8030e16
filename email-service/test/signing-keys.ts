import type { SigningKey } from "@chargemesh/contracts/auth/v1/signing_key";
import { SigningKeyServiceService } from "@chargemesh/contracts/auth/v1/signing_key_service";
import { AUDIENCE, ISSUER, type Role, TOKEN_ALGORITHM } from "@chargemesh/kit/identity";
import { Server, ServerCredentials, type ServiceDefinition } from "@grpc/grpc-js";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

/** An auth-service that only has keys, and signs what a test asks for. */
export interface SigningKeys {
  target: string;
  /** An access token of somebody with this role. */
  token(role: Role): Promise<string>;
  stop(): void;
}

export async function startSigningKeys(): Promise<SigningKeys> {
  const { publicKey, privateKey } = await generateKeyPair(TOKEN_ALGORITHM);
  const { kty = "", crv = "", x = "", y = "" } = await exportJWK(publicKey);
  const key: SigningKey = { kty, crv, x, y, kid: "test", use: "sig", alg: TOKEN_ALGORITHM };
  const server = new Server();
  server.addService(SigningKeyServiceService as ServiceDefinition, {
    listSigningKeys: (_call: unknown, answer: (err: null, response: object) => void) => answer(null, { keys: [key] }),
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (err, bound) => (err ? reject(err) : resolve(bound)));
  });
  return {
    target: `127.0.0.1:${port}`,
    token: (role) =>
      new SignJWT({ role, username: role.toLowerCase() })
        .setProtectedHeader({ alg: TOKEN_ALGORITHM, kid: key.kid })
        .setSubject("6f1f0a49-7d0e-4c8e-9a54-0f1f5f3f8a11")
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setIssuedAt()
        .setNotBefore("0s")
        .setExpirationTime("5m")
        .sign(privateKey),
    stop: () => server.forceShutdown(),
  };
}
