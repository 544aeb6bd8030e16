import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

// What is not in the code, and where alone some things may be.

const root = join(import.meta.dirname, "../..");
const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*/src/*.ts", "packages/*/src/*.ts"], {
  cwd: root,
  encoding: "utf8",
})
  .trim()
  .split("\n")
  .filter((file) => /^(packages|gateway|[a-z]+-service)\//.test(file));

function filesWith(pattern: RegExp): string[] {
  return files.filter((file) => pattern.test(readFileSync(join(root, file), "utf8").replaceAll(/^\s*(\/\/|\*|\/\*).*$/gm, "")));
}

test("who may call is decided in the kit and nowhere else", () => {
  expect(filesWith(/\bcheckAccess\(/)).toEqual(["packages/kit/src/access.ts", "packages/kit/src/grpc-server.ts"]);
  // That neither a key nor a webhook may do or see more than who makes it is no question of who may call.
  expect(filesWith(/\bcaller\.role\b/)).toEqual([
    "auth-service/src/domain/api-key.ts",
    "charger-service/src/rpc/webhook-facts.ts",
    "packages/kit/src/access.ts",
    "packages/kit/src/identity.ts",
  ]);
});

test("what callers show is read in the kit and nowhere else", () => {
  // The gateway passes both headers on; charger-service reads what chargers show at the OCPP door.
  expect(filesWith(/metadata\.get\(\s*["']?(authorization|MESH_KEY)/)).toEqual(["packages/kit/src/identity.ts"]);
  expect(filesWith(/\b(jwtVerify|decodeJwt|createRemoteJWKSet)\(/).filter((file) => !file.startsWith("packages/kit/"))).toEqual([]);
});

test("nothing is asked of an address but the documents of the identity providers in the settings, and webhooks", () => {
  const clients = /\bfetch\(["'`a-z]|\bhttps?\.(get|request)\(|from "(undici|axios|got|node:https)"|\bcreateRemoteJWKSet\(/;
  // What reads from NATS or of a client is another fetch; who imports no more than a server asks nobody.
  const harmless = /consumer\.fetch\(|fetched\(|import { createServer, type Server } from "node:https"/;
  const own = filesWith(clients).filter((file) => !harmless.test(readFileSync(join(root, file), "utf8")));
  expect(own.filter((file) => !file.startsWith("gateway/src/plugins/"))).toEqual([
    "charger-service/src/webhooks/send.ts",
    "packages/kit/src/oidc.ts",
  ]);
});

test("no SQL is put together of texts", () => {
  // Migrations are texts of their own.
  expect(filesWith(/\bsql\.raw\(|\bsql`[^`]*'\$\{/).filter((file) => !file.includes("/migrations/"))).toEqual([]);
});

test("nothing in the code turns a check off", () => {
  // The door for chargers looks at the certificates of all who come, so that those whom it refuses are told why.
  expect(
    filesWith(/rejectUnauthorized: false|insecureHTTPParser: true|NODE_TLS_REJECT|checkServerIdentity: \(\) =>|\beval\(|new Function\(/),
  ).toEqual(["charger-service/src/ocpp/tls.ts"]);
});
