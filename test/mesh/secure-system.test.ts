import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { UserServiceClient } from "@chargemesh/contracts/auth/v1/user_service";
import { CheckConnectionRequest, ConnectionServiceClient } from "@chargemesh/contracts/charger/v1/connection_service";
import { makeLogger } from "@chargemesh/kit/log";
import { Stack } from "@chargemesh/kit/main";
import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { readConfig as readChargerConfig } from "charger-service/src/config.ts";
import { start as startCharger } from "charger-service/src/start.ts";
import { RPCClient } from "ocpp-rpc";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { ADMIN } from "../env.ts";
import { eventually, type Rest, restOf, signIn } from "../rest.ts";
import { type SecureSystem, startSecureSystem } from "./system.ts";

// With certificates between services and a NATS that lets each do nothing but what it is there for, everything works as without.

let env: SecureSystem;
let admin: Rest;

beforeAll(async () => {
  env = await startSecureSystem();
  admin = await signIn(env.rest, ADMIN);
});
afterAll(() => env.stop());

/** By a name: Node does not ask for an address by TLS. */
const local = (address: string): string => address.replace("127.0.0.1", "localhost");

/** What comes in with no certificate, or with that of a service. */
function credentialsOf(service?: string): ReturnType<typeof credentials.createSsl> {
  const read = (name: string): Buffer => readFileSync(join(env.certs, service ?? "", name));
  return service === undefined
    ? credentials.createSsl(read("ca.crt"))
    : credentials.createSsl(read("ca.crt"), read("tls.key"), read("tls.crt"));
}

test("a user signs up, charges and gets mail: REST, gRPC, OCPP through the gateway, events", async () => {
  const { body: user } = await restOf(env.rest)("POST", "/auth/signup", {
    username: "ada@example.com",
    password: "correct horse battery staple",
  });
  await admin("POST", "/ocpp/idTokens", { idToken: "ADA-CARD", userId: user.id });
  const { body: charger } = await admin("POST", "/ocpp/chargers", { id: "CP-1" });
  const station = new RPCClient({
    endpoint: env.ocpp,
    identity: "CP-1",
    password: charger.password,
    protocols: ["ocpp1.6"],
    reconnect: false,
  });
  await station.connect();
  onTestFinished(async () => void (await station.close()));
  await station.call("BootNotification", { chargePointVendor: "Acme", chargePointModel: "One" });
  const start = { connectorId: 1, idTag: "ADA-CARD", meterStart: 0, timestamp: new Date(Date.now() - 60_000).toISOString() };
  const { transactionId } = await station.call("StartTransaction", start);
  await station.call("StopTransaction", { transactionId, meterStop: 4_321, timestamp: new Date().toISOString() });

  const driver = restOf(env.rest, user.accessToken);
  expect((await driver("GET", `/ocpp/transactions/${transactionId}`)).body).toMatchObject({ energyWh: 4_321, userId: user.id });
  await eventually(async () => (await env.mails()).some((mail) => /^To: ada@example\.com\r$/m.test(mail) && mail.includes("4.321 kWh")));
  const audited = await eventually(async () => {
    const { body } = await admin("GET", "/auth/auditEntries?pageSize=200");
    const actions: string[] = body.auditEntries.map(({ action }: { action: string }) => action);
    return actions.includes("chargemesh.charger.v1.ChargerService/CreateCharger") && actions;
  });
  expect(audited).toContain("chargemesh.auth.v1.UserService/SignUp");
});

test("a command crosses from one replica to the one that holds the charger", async () => {
  const log = makeLogger("test", "silent");
  const stack = new Stack();
  onTestFinished(() => stack.close(log));
  const other = await startCharger(readChargerConfig({ ...env.vars, AUTH_GRPC_TARGET: env.grpc.auth }), stack, log);
  const { body: charger } = await admin("POST", "/ocpp/chargers", { id: "CP-2" });
  const endpoint = `ws://${other.ocppAddress}`;
  const station = new RPCClient({ endpoint, identity: "CP-2", password: charger.password, protocols: ["ocpp1.6"], reconnect: false });
  station.handle("ClearCache", () => ({ status: "Accepted" }));
  await station.connect();
  onTestFinished(async () => void (await station.close()));
  await station.call("BootNotification", { chargePointVendor: "Acme", chargePointModel: "One" });
  const { body } = await admin("POST", "/ocpp/chargers/CP-2/commands", { action: "ClearCache", payload: {}, waitSeconds: 5 });
  expect(body).toMatchObject({ state: "ACCEPTED", response: { status: "Accepted" } });
});

test("what happens is told live", async () => {
  const { body: signedIn } = await restOf(env.rest)("POST", "/auth/login", ADMIN);
  const answer = await fetch(`${env.rest}/ocpp/events`, {
    headers: { authorization: `Bearer ${signedIn.accessToken}`, accept: "text/event-stream" },
  });
  const reader = answer.body?.getReader();
  onTestFinished(async () => reader?.cancel());
  await admin("POST", "/ocpp/chargers", { id: "CP-3" });
  let text = "";
  await eventually(async () => {
    text += Buffer.from((await reader?.read())?.value ?? []).toString();
    return text.includes("CP-3");
  });
});

test("health is told for all, and gRPC health and users come in without a certificate", async () => {
  // Services look once a second at what they need.
  const everybody = await eventually(async () => {
    const { body } = await restOf(env.rest)("GET", "/health");
    return body.status === "ok" && body;
  });
  expect(Object.keys(everybody.services).sort()).toEqual(["auth", "email", "ocpp"]);
  const client = new UserServiceClient(local(env.grpc.auth), credentialsOf());
  onTestFinished(() => client.close());
  const tokens = await new Promise<{ accessToken: string }>((resolve, reject) => {
    client.logIn(ADMIN, (err, answer) => (err === null ? resolve({ accessToken: answer.user?.accessToken ?? "" }) : reject(err)));
  });
  expect(tokens.accessToken).not.toBe("");
  const charger = new Client(local(env.grpc.charger), credentialsOf());
  onTestFinished(() => charger.close());
  const raw = (bytes: Buffer): Buffer => bytes;
  const health = await new Promise((resolve, reject) => {
    charger.makeUnaryRequest("/grpc.health.v1.Health/Check", raw, raw, Buffer.alloc(0), (err, answer) =>
      err ? reject(err) : resolve(answer),
    );
  });
  // status: SERVING
  expect(health).toEqual(Buffer.from([0x08, 1]));
  const reflection = charger.makeBidiStreamRequest("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", raw, raw);
  // list_services: "*"
  reflection.end(Buffer.from([0x3a, 1, 0x2a]));
  const [services] = await once(reflection, "data");
  expect(String(services)).toContain("chargemesh.charger.v1.ConnectionService");
});

test.each([
  [undefined, "UNAUTHENTICATED"],
  ["email-service", "PERMISSION_DENIED"],
  ["gateway", "OK"],
])("with the certificate of %s a rpc for the gateway answers %s", async (service, code) => {
  const client = new ConnectionServiceClient(local(env.grpc.charger), credentialsOf(service));
  onTestFinished(() => client.close());
  const err = await new Promise<ServiceError | null>((resolve) =>
    client.checkConnection(CheckConnectionRequest.fromPartial({}), new Metadata(), resolve),
  );
  expect(status[err?.code ?? status.OK]).toBe(code);
});

// The last one: it looks back on the others.
test("NATS has refused nothing of all that", () => {
  expect(env.natsLog().match(/.*(Violation|Authorization).*/gi) ?? []).toEqual([]);
});
