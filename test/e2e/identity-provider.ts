import { once } from "node:events";
import { createServer } from "node:http";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

/** An identity provider on loopback: a discovery document, keys, and tokens as a test wants them. */
export interface IdentityProvider {
  issuer: string;
  /** A token with these claims beside the usual ones; `header` and the usual ones can be had otherwise. */
  token(claims: { [claim: string]: unknown }, header?: { kid?: string | undefined }): Promise<string>;
  /** Signs with another key from now on, and publishes both. */
  rotate(): Promise<void>;
  /** How often its keys were asked for. */
  asked(): number;
  /** What its discovery document says of itself. */
  claimToBe(issuer: string): void;
  /** Does not answer any more, and does not hang up either. */
  hang(): void;
  stop(): Promise<void>;
}

export async function startIdentityProvider(): Promise<IdentityProvider> {
  const keys: object[] = [];
  let signer: { kid: string; key: CryptoKey };
  let asked = 0;
  let isHanging = false;
  const rotate = async (): Promise<void> => {
    const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
    const kid = `key-${keys.length + 1}`;
    keys.push({ ...(await exportJWK(publicKey)), kid, use: "sig", alg: "RS256" });
    signer = { kid, key: privateKey };
  };
  await rotate();
  const server = createServer((request, response) => {
    if (isHanging) return;
    if (request.url === "/keys") asked++;
    const body = request.url === "/keys" ? { keys } : { issuer: said, jwks_uri: `${issuer}/keys` };
    response.setHeader("content-type", "application/json").end(JSON.stringify(body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the provider has no port");
  const issuer = `http://127.0.0.1:${address.port}`;
  let said = issuer;
  return {
    issuer,
    rotate,
    async token(claims, header) {
      const now = Math.floor(Date.now() / 1000);
      const usual = { iss: issuer, aud: "chargemesh-api", sub: "subject-1", iat: now, nbf: now, exp: now + 600 };
      const { kid } = { kid: signer.kid, ...header };
      const protectedHeader = { alg: "RS256", ...(kid === undefined ? {} : { kid }) };
      return new SignJWT({ ...usual, ...claims }).setProtectedHeader(protectedHeader).sign(signer.key);
    },
    asked: () => asked,
    claimToBe(other) {
      said = other;
    },
    hang() {
      isHanging = true;
    },
    async stop() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
