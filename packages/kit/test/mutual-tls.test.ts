import { copyFile, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { TLSSocket } from "node:tls";
import {
  CheckConnectionRequest,
  type CheckConnectionResponse,
  ConnectionServiceClient,
  ConnectionServiceService,
  ListConnectionsRequest,
} from "@chargemesh/contracts/charger/v1/connection_service";
import { credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { type Identity, issue, makeAuthority, type Validity } from "../../../tools/certs/authority.ts";
import { keepCertificates } from "../../../tools/certs/keep.ts";
import { freshFolder, makeFolder } from "../../../tools/test/folder.ts";
import { callContext } from "../src/call-context.ts";
import { makeRemoteAddressOf } from "../src/forwarding.ts";
import { openClient } from "../src/grpc-client.ts";
import { type Call, serve, serveGrpc } from "../src/grpc-server.ts";
import { watchHealth } from "../src/health.ts";
import { makeIdentify, makeMeshIdentity } from "../src/identity.ts";
import { makeLogger } from "../src/log.ts";
import { Stack } from "../src/main.ts";
import { openTransport } from "../src/transport.ts";

// CheckConnection is for the gateway alone, ListConnections for operators: who comes in with which certificate, and with none.

const SECRET = "a secret of the services of this test";
const log = makeLogger("test", "silent");
const now = Date.now();
const day = 24 * 3_600_000;
const lasting: Validity = { notBefore: new Date(now - day), notAfter: new Date(now + day) };

let certs: string;
let authority: Identity;
let stranger: Identity;

beforeAll(async () => {
  certs = makeFolder();
  await keepCertificates(certs, [], new Date());
  authority = await readAuthority();
  stranger = await makeAuthority(lasting);
});

async function readAuthority(): Promise<Identity> {
  return { certificate: await readFile(join(certs, "ca.crt"), "utf8"), key: await readFile(join(certs, "ca.key"), "utf8") };
}

/** A folder as MESH_CERTS names it, for one service. */
async function folderWith(identity: Identity, ca = authority.certificate): Promise<string> {
  const folder = freshFolder();
  await put(folder, identity, ca);
  return folder;
}

async function put(folder: string, { certificate, key }: Identity, ca = authority.certificate): Promise<void> {
  for (const [name, text] of [
    ["ca.crt", ca],
    ["tls.key", key],
    ["tls.crt", certificate],
  ] as const) {
    await writeFile(join(folder, `${name}.new`), text);
    await rename(join(folder, `${name}.new`), join(folder, name));
  }
}

const keys = await generateKeyPair("ES256");

async function operatorToken(): Promise<string> {
  return new SignJWT({ role: "OPERATOR", username: "ada" })
    .setProtectedHeader({ alg: "ES256", kid: "k" })
    .setIssuer("chargemesh")
    .setAudience("chargemesh")
    .setSubject("1")
    .setNotBefore("0s")
    .setExpirationTime("5m")
    .sign(keys.privateKey);
}

/** Starts charger-service's ConnectionService; CheckConnection answers as whom and from where it was called. */
async function startServer(folder = certs) {
  const stack = new Stack();
  onTestFinished(() => stack.close(log));
  const transport = await openTransport(folder, "charger-service", stack, log);
  const answer = ({ caller }: Call): CheckConnectionResponse => ({
    httpStatus: 0,
    protocol: "",
    message: caller.kind === "service" ? caller.name : caller.kind,
    reason: callContext()?.remoteAddress ?? "",
  });
  const handlers = {
    listConnections: async () => ({ connections: [], nextPageToken: "" }),
    checkConnection: async (_request: CheckConnectionRequest, call: Call) => answer(call),
  };
  const health = await watchHealth([], ["chargemesh.charger.v1.ConnectionService"], stack, log);
  const published = { keys: [{ ...(await exportJWK(keys.publicKey)), kid: "k", alg: "ES256" }] };
  const identify = makeIdentify({
    keys: () => published,
    apiKeys: async () => undefined,
    oidcIssuers: [],
    admitExternal: async () => undefined,
    meshSecret: SECRET,
  });
  return serveGrpc(
    {
      address: "127.0.0.1:0",
      transport,
      protoFiles: ["chargemesh/charger/v1/connection_service.proto"],
      registrations: [serve(ConnectionServiceService, handlers)],
      identify,
      remoteAddressOf: makeRemoteAddressOf(SECRET),
      recordRefusal: () => undefined,
      health: health.implementation,
    },
    stack,
    log,
  );
}

/** A client with the certificate in `folder`, that of `service`. */
async function clientOf(address: string, service: string, folder = certs, callee = "charger-service"): Promise<ConnectionServiceClient> {
  const stack = new Stack();
  onTestFinished(() => stack.close(log));
  const client = openClient(ConnectionServiceClient, address, await openTransport(folder, service, stack, log), callee);
  stack.defer("client", () => client.close());
  return client;
}

/** A client that knows the authority and shows `shown`, or nothing. */
function bareClient(address: string, shown?: Identity): ConnectionServiceClient {
  const { certificate, key } = shown ?? {};
  const ssl = credentials.createSsl(
    Buffer.from(authority.certificate),
    key ? Buffer.from(key) : null,
    certificate ? Buffer.from(certificate) : null,
  );
  const client = new ConnectionServiceClient(address, ssl, { "grpc.ssl_target_name_override": "localhost" });
  onTestFinished(() => client.close());
  return client;
}

type Answer = { caller: string; from: string } | { code: string; reason: string };

const codeOf = ({ code, details }: ServiceError): Answer => ({ code: status[code] ?? "", reason: details });

function check(client: ConnectionServiceClient, metadata: Readonly<Record<string, string>> = {}): Promise<Answer> {
  return new Promise((resolve) => {
    const options = { deadline: Date.now() + 5_000 };
    client.checkConnection(CheckConnectionRequest.fromPartial({}), Metadata.fromHttp2Headers(metadata), options, (err, answer) =>
      resolve(err === null ? { caller: answer.message, from: answer.reason } : codeOf(err)),
    );
  });
}

function list(client: ConnectionServiceClient, metadata: Readonly<Record<string, string>>): Promise<string> {
  return new Promise((resolve) => {
    client.listConnections(ListConnectionsRequest.fromPartial({}), Metadata.fromHttp2Headers(metadata), (err) =>
      resolve(err === null ? "OK" : (status[err.code] ?? "")),
    );
  });
}

const meshToken = async (name: string): Promise<Record<string, string>> => {
  const metadata = (await makeMeshIdentity(name, SECRET)()).getMap();
  return Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, String(value)]));
};

test("a service is who its certificate says, and is let in if it may call", async () => {
  const address = await startServer();
  expect(await check(await clientOf(address, "gateway"))).toEqual({ caller: "gateway", from: "127.0.0.1" });
});

test("only the gateway's certificate makes it believed for whom it calls", async () => {
  const address = await startServer();
  const forwarded = { "x-forwarded-for": "203.0.113.9" };
  expect(await check(await clientOf(address, "gateway"), forwarded)).toEqual({ caller: "gateway", from: "203.0.113.9" });
});

test.each([
  ["no certificate", undefined, "UNAUTHENTICATED"],
  ["a certificate of another authority", () => issue(stranger, "gateway", [], lasting), "UNAUTHENTICATED"],
  [
    "a certificate that has ended",
    () => issue(authority, "gateway", [], { ...lasting, notAfter: new Date(now - 1_000) }),
    "UNAUTHENTICATED",
  ],
  [
    "one that does not hold yet",
    () => issue(authority, "gateway", [], { ...lasting, notBefore: new Date(now + day / 2) }),
    "UNAUTHENTICATED",
  ],
  ["the right authority's for a service that may not call", () => issue(authority, "email-service", [], lasting), "PERMISSION_DENIED"],
  ["one of a name that nobody knows", () => issue(authority, "somebody", ["gateway"], lasting), "PERMISSION_DENIED"],
  ["one whose name only looks like the gateway's", () => issue(authority, "gateway/../gateway", [], lasting), "UNAUTHENTICATED"],
])("%s is refused, whatever token it shows", async (_what, make, code) => {
  const address = await startServer();
  const client = bareClient(address, await make?.());
  expect(await check(client)).toMatchObject({ code });
  expect(await check(client, await meshToken("gateway"))).toMatchObject({ code });
});

test("users need no certificate, and whose connection they come over makes them no other", async () => {
  const address = await startServer();
  const user = { authorization: `Bearer ${await operatorToken()}` };
  expect(await list(bareClient(address), user)).toBe("OK");
  expect(await list(await clientOf(address, "gateway"), user)).toBe("OK");
  expect(await list(await clientOf(address, "gateway"), {})).toBe("UNAUTHENTICATED");
  expect(await check(await clientOf(address, "gateway"), user)).toMatchObject({ code: "PERMISSION_DENIED" });
});

test("a client of the mesh calls nobody but the service that it means", async () => {
  const address = await startServer();
  expect(await check(await clientOf(address, "gateway", certs, "auth-service"))).toMatchObject({
    code: "UNAVAILABLE",
    reason: expect.stringContaining("is not for auth-service but for URI:spiffe://chargemesh/charger-service"),
  });
  const impostor = await startServer(
    await folderWith(await issue(stranger, "charger-service", ["localhost"], lasting), stranger.certificate),
  );
  expect(await check(await clientOf(impostor, "gateway"))).toMatchObject({ code: "UNAVAILABLE" });
});

test("plaintext does not come in where there is TLS", async () => {
  const client = new ConnectionServiceClient(await startServer(), credentials.createInsecure());
  onTestFinished(() => client.close());
  expect(await check(client, await meshToken("gateway"))).toMatchObject({ code: "UNAVAILABLE" });
});

test("a certificate is read once a connection", async () => {
  const read = vi.spyOn(TLSSocket.prototype, "getPeerCertificate");
  onTestFinished(() => read.mockRestore());
  const address = await startServer();
  const client = await clientOf(address, "gateway");
  await check(client);
  const before = read.mock.calls.length;
  for (let i = 0; i < 10; i++) expect(await check(client)).toMatchObject({ caller: "gateway" });
  expect(read.mock.calls.length).toBe(before);
});

test("no connection outlives the certificate that it was made with, and no call fails before", async () => {
  const address = await startServer();
  const notAfter = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 1_000);
  const client = await clientOf(address, "gateway", await folderWith(await issue(authority, "gateway", [], { ...lasting, notAfter })));
  const answers = [];
  while (Date.now() < notAfter.getTime()) answers.push({ at: Date.now(), answer: await check(client) });
  // The clock of the test and that of TLS need not be of one mind about the last moment.
  const before = answers.filter(({ at }) => at < notAfter.getTime() - 100);
  expect(before.length).toBeGreaterThan(0);
  expect(before.map(({ answer }) => answer)).toEqual(before.map(() => ({ caller: "gateway", from: "127.0.0.1" })));
  await vi.waitFor(async () => expect(await check(client)).toMatchObject({ code: "UNAUTHENTICATED" }), { timeout: 3_000, interval: 50 });
});

test("new certificates are taken up without a restart, and what does not fit together leaves the old ones", async () => {
  const serverFolder = await folderWith(await issue(authority, "charger-service", ["localhost"], lasting));
  const address = await startServer(serverFolder);
  const before = await clientOf(address, "gateway");
  expect(await check(before)).toMatchObject({ caller: "gateway" });

  // Half of a renewal, and then all of it, by another authority.
  const renewed = await issue(stranger, "charger-service", ["localhost"], lasting);
  await writeFile(join(serverFolder, "tls.crt"), renewed.certificate);
  const gatewayFolder = await folderWith(await issue(stranger, "gateway", [], lasting), stranger.certificate);
  const after = await clientOf(address, "gateway", gatewayFolder);
  expect(await check(after)).toMatchObject({ code: "UNAVAILABLE" });
  await put(serverFolder, renewed, stranger.certificate);
  await vi.waitFor(async () => expect(await check(after)).toMatchObject({ caller: "gateway" }), { timeout: 10_000, interval: 100 });

  // The connection of before is as it was.
  expect(await check(before)).toMatchObject({ caller: "gateway" });
});

test.each([
  ["nothing in it", async (_folder: string) => undefined, "MESH_CERTS: ENOENT"],
  [
    "a certificate for another",
    async (folder: string) => put(folder, await issue(authority, "gateway", [], lasting)),
    "it is not for auth-service but for URI:spiffe://chargemesh/gateway",
  ],
  [
    "one that has ended",
    async (folder: string) => put(folder, await issue(authority, "auth-service", [], { ...lasting, notAfter: new Date(now - day / 2) })),
    "it ended on",
  ],
  [
    "a key of another",
    async (folder: string) => {
      await put(folder, await issue(authority, "auth-service", [], lasting));
      await copyFile(join(certs, "auth-service", "tls.key"), join(folder, "tls.key"));
    },
    "cannot be used",
  ],
])("a service does not start on a folder with %s", async (_what, fill, sentence) => {
  const folder = freshFolder();
  await fill(folder);
  await expect(openTransport(folder, "auth-service", new Stack(), log)).rejects.toThrow(sentence);
});
