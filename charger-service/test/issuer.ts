import { generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { SigningKeyServiceService } from "@chargemesh/contracts/auth/v1/signing_key_service";
import { AUDIENCE, ISSUER, type Role } from "@chargemesh/kit/identity";
import { Metadata, Server, ServerCredentials, type sendUnaryData } from "@grpc/grpc-js";

/** Issues access tokens, and hands out the key that verifies them, as auth-service does. */
export interface Issuer {
  /** Where the key is to be had. */
  target: string;
  /** What a user of this role shows with a call; `seconds` is how long it is good for. */
  as(role: Role, userId?: string, seconds?: number): Metadata;
  stop(): Promise<void>;
}

export async function serveKeys(): Promise<Issuer> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { kty = "", crv = "", x = "", y = "" } = publicKey.export({ format: "jwk" });
  const kid = randomUUID();
  const server = new Server();
  server.addService(SigningKeyServiceService, {
    listSigningKeys: (_call: unknown, callback: sendUnaryData<object>) =>
      callback(null, { keys: [{ kty, crv, x, y, kid, use: "sig", alg: "ES256" }] }),
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (err, bound) => (err === null ? resolve(bound) : reject(err)));
  });
  return {
    target: `127.0.0.1:${port}`,
    as(role, userId = randomUUID(), seconds = 300) {
      const now = Math.floor(Date.now() / 1000);
      const claims = { iss: ISSUER, aud: AUDIENCE, sub: userId, username: `a ${role}`, role, iat: now, nbf: now, exp: now + seconds };
      const text = [{ alg: "ES256", kid }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
      const signature = sign("sha256", Buffer.from(text), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url");
      const metadata = new Metadata();
      metadata.set("authorization", `Bearer ${text}.${signature}`);
      return metadata;
    },
    stop: () => new Promise((resolve) => server.tryShutdown(() => resolve())),
  };
}
