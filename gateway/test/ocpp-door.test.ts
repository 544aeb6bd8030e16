import { once } from "node:events";
import { RPCClient } from "ocpp-rpc";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RawData, WebSocket } from "ws";
import { connectCharger } from "../../simulator/src/charger.ts";
import { ADMIN, type Env, startEnv } from "../../test/env.ts";
import { eventually, type Rest, restOf, signIn } from "../../test/rest.ts";

// The OCPP door of the edge: what comes in at ws://…/ocpp/ws/{identity}, and what does not.

let env: Env;
let admin: Rest;
beforeAll(async () => {
  // Long enough for a busy machine to answer in, short enough to wait for.
  env = await startEnv({ OCPP_PING_SECONDS: "2", TRUSTED_PROXIES: "127.0.0.1" });
  admin = await signIn(env.rest, ADMIN);
});
afterAll(() => env.stop());

const register = async (id: string): Promise<string> => (await admin("POST", "/ocpp/chargers", { id })).body.password;
const basic = (id: string, password: string) => ({ authorization: `Basic ${Buffer.from(`${id}:${password}`).toString("base64")}` });

/** How a handshake that must not succeed is answered. */
async function knock(path: string, headers: Record<string, string> = {}, protocols = ["ocpp1.6"]) {
  const socket = new WebSocket(`${env.ocpp}/${path}`, protocols, { headers });
  socket.on("error", () => undefined);
  const [, response] = await once(socket, "unexpected-response");
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const { error } = JSON.parse(Buffer.concat(chunks).toString());
  return { status: response.statusCode, reason: error.details[0].reason, challenge: response.headers["www-authenticate"] };
}

test.each([
  ["an unknown charger", "NOBODY", {}, 404, "UNKNOWN_CHARGER"],
  ["what is no identity", "no%20spaces", {}, 404, "INVALID_IDENTITY"],
])("%s is refused before the upgrade, and the reason can be listed", async (_who, path, headers, status, reason) => {
  expect(await knock(path, headers)).toMatchObject({ status, reason });
  const { body } = await admin("GET", "/ocpp/connections?state=REFUSED");
  expect(body.connections[0]).toMatchObject({ reason, state: "REFUSED", remoteAddress: "127.0.0.1", offeredProtocols: ["ocpp1.6"] });
});

test("a path that cannot be decoded is refused", async () => {
  expect(await knock("%E0%A4%A")).toMatchObject({ status: 400, reason: "MALFORMED_URL" });
});

test("a password that is missing or wrong is asked for", async () => {
  await register("CP-password");
  const challenge = 'Basic realm="OCPP", charset="UTF-8"';
  expect(await knock("CP-password")).toEqual({ status: 401, reason: "PASSWORD_MISSING", challenge });
  expect(await knock("CP-password", basic("CP-password", "wrong"))).toEqual({ status: 401, reason: "WRONG_PASSWORD", challenge });
});

test("a charger of profile 2 comes in where TLS ends at a proxy that is trusted, and in plaintext not", async () => {
  const { body: charger } = await admin("POST", "/ocpp/chargers", { id: "CP-tls", securityProfile: 2 });
  const headers = basic("CP-tls", charger.password);
  expect(await knock("CP-tls", headers)).toMatchObject({ status: 403, reason: "SECURITY_PROFILE_TOO_LOW", challenge: undefined });
  const forwarded = { "x-forwarded-for": "192.0.2.44", "x-forwarded-proto": "https" };
  const socket = new WebSocket(`${env.ocpp}/CP-tls`, ["ocpp1.6"], { headers: { ...headers, ...forwarded } });
  await once(socket, "open");
  const open = () => admin("GET", "/ocpp/connections?chargerId=CP-tls&state=OPEN");
  await eventually(async () => (await open()).body.connections.length > 0);
  expect((await open()).body.connections[0]).toMatchObject({ securityProfile: 2, tlsVersion: "", remoteAddress: "192.0.2.44" });
  socket.close();
  expect((await admin("PATCH", "/ocpp/chargers/CP-tls", { securityProfile: 1 })).body).toMatchObject({ securityProfile: 1 });
});

test("of several subprotocols the one that we speak is chosen, and an identity may be percent-encoded", async () => {
  const id = "CP*1|a@b";
  const headers = basic(id, await register(id));
  const socket = new WebSocket(`${env.ocpp}/${encodeURIComponent(id)}`, ["ocpp2.1", "ocpp1.6", "soap"], { headers });
  await once(socket, "open");
  expect(socket.protocol).toBe("ocpp1.6");
  socket.send('[2,"1","Heartbeat",{}]');
  const [data] = (await once(socket, "message")) as [RawData];
  expect(JSON.parse(data.toString())).toEqual([3, "1", { currentTime: expect.any(String) }]);
  socket.close();
});

test("a charger that leaves as soon as it is let in is gone at once, and what it said is kept", async () => {
  const id = "CP-hasty";
  const socket = new WebSocket(`${env.ocpp}/${id}`, ["ocpp1.6"], { headers: basic(id, await register(id)) });
  await once(socket, "open");
  socket.send('[2,"1","BootNotification",{"chargePointVendor":"Acme","chargePointModel":"Hasty"}]');
  socket.close();
  const connection = await eventually(async () => {
    const [latest] = (await admin("GET", `/ocpp/connections?chargerId=${id}`)).body.connections;
    return latest?.state === "CLOSED" && latest;
  });
  // Not PEER_DEAD: nobody had to wait for a ping.
  expect(connection.reason).toBe("CLOSED_BY_CHARGER");
  expect((await admin("GET", `/ocpp/chargers/${id}`)).body).toMatchObject({ connected: false, model: "Hasty" });
});

test("a password of any bytes is passed on, and a new one is rotated in", async () => {
  const id = "CP-bytes";
  const connect = async (bytes: Buffer): Promise<WebSocket> => {
    const authorization = `Basic ${Buffer.concat([Buffer.from(`${id}:`), bytes]).toString("base64")}`;
    const socket = new WebSocket(`${env.ocpp}/${id}`, ["ocpp1.6"], { headers: { authorization } });
    await once(socket, "open");
    return socket;
  };
  const [old, fresh] = ["00ff3afe0d0a80c3283a7f00ffd8ff3a00010203", "f00dff00e28028a3c30d0a3affee00ddbb99aa88"];
  await admin("POST", "/ocpp/chargers", { id, password: old });
  const socket = await connect(Buffer.from(old, "hex"));
  // The edge opens a connection before charger-service has it; an answer says that it has.
  socket.send('[2,"1","Heartbeat",{}]');
  await once(socket, "message");
  socket.on("message", (data) => {
    const [type, messageId, action, payload] = JSON.parse(data.toString());
    if (type !== 2) return;
    expect([action, payload]).toEqual(["ChangeConfiguration", { key: "AuthorizationKey", value: fresh.toUpperCase() }]);
    socket.send(JSON.stringify([3, messageId, { status: "Accepted" }]));
  });
  const rotated = await admin("POST", `/ocpp/chargers/${id}:rotatePassword`, { password: fresh });
  expect([rotated.status, rotated.body]).toMatchObject([
    200,
    { password: fresh, credential: { state: "ROTATING", rotationState: "ACCEPTED" } },
  ]);
  const again = await connect(Buffer.from(fresh, "hex"));
  await eventually(async () => (await admin("GET", `/ocpp/chargers/${id}`)).body.credential.state === "CURRENT");
  const shown = `Basic ${Buffer.concat([Buffer.from(`${id}:`), Buffer.from(old, "hex")]).toString("base64")}`;
  expect(await knock(id, { authorization: shown })).toMatchObject({ status: 401, reason: "WRONG_PASSWORD" });
  const closed = once(again, "close");
  expect((await admin("POST", `/ocpp/chargers/${id}:revokePassword`, {})).body).toMatchObject({ credential: { state: "REVOKED" } });
  expect((await closed)[0]).toBe(1000);
});

test("a charger that obeys comes back with its new password by itself, also after one that it was not there for", async () => {
  const id = "CP-obeys";
  const password = await register(id);
  const credential = async () => (await admin("GET", `/ocpp/chargers/${id}`)).body.credential;
  const charger = await connectCharger({ url: env.ocpp, id, password, reconnect: { minMs: 10, maxMs: 100 } });
  await charger.next("booted");
  const rotate = () => admin("POST", `/ocpp/chargers/${id}:rotatePassword`, {});
  const fresh = await rotate();
  const first = await eventually(async () => {
    const now = await credential();
    return now.state === "CURRENT" && now;
  });
  expect(first).toMatchObject({ rotationState: "ACCEPTED", rotationCommandId: fresh.body.credential.rotationCommandId });
  expect(await knock(id, basic(id, password))).toMatchObject({ status: 401 });
  charger.drop();
  await eventually(async () => !(await admin("GET", `/ocpp/chargers/${id}`)).body.connected);
  expect((await rotate()).body.credential).toMatchObject({ state: "ROTATING", rotationState: "QUEUED" });
  await charger.reconnect();
  // What waits for a charger is sent once it has said something: here, that a vehicle has come.
  await charger.plugIn(1);
  await eventually(async () => (await credential()).state === "CURRENT");
  expect(await knock(id, basic(id, fresh.body.password))).toMatchObject({ status: 401 });
  await charger.close();
});

test("without a common subprotocol the handshake is completed and the connection closed", async () => {
  const headers = basic("CP-protocol", await register("CP-protocol"));
  const socket = new WebSocket(`${env.ocpp}/CP-protocol`, ["soap"], { headers });
  const [err] = await once(socket, "error");
  expect(String(err)).toContain("Server sent no subprotocol");
  await eventually(async () => (await admin("GET", "/ocpp/connections?chargerId=CP-protocol")).body.connections.length > 0);
  const { body } = await admin("GET", "/ocpp/connections?chargerId=CP-protocol");
  expect(body.connections[0]).toMatchObject({ state: "REFUSED", reason: "NO_COMMON_SUBPROTOCOL" });
});

test("pings go all the way: a charger that does not answer them is dead, one that does is not", async () => {
  const [ofSilent, ofAlive] = [basic("CP-silent", await register("CP-silent")), basic("CP-alive", await register("CP-alive"))];
  // Both opened in one turn: what is not listened for is missed.
  const silent = new WebSocket(`${env.ocpp}/CP-silent`, ["ocpp1.6"], { headers: ofSilent, autoPong: false });
  const alive = new WebSocket(`${env.ocpp}/CP-alive`, ["ocpp1.6"], { headers: ofAlive });
  await Promise.all([once(silent, "open"), once(alive, "open")]);
  // The charger's own ping is answered by charger-service.
  const pong = once(alive, "pong");
  const closed = once(silent, "close");
  alive.ping();
  await Promise.all([pong, closed]);
  const connected = async (id: string): Promise<boolean> => (await admin("GET", `/ocpp/chargers/${id}`)).body.connected;
  await eventually(async () => !(await connected("CP-silent")));
  expect(await connected("CP-alive")).toBe(true);
  alive.close();
});

test("the newest of two connections holds the charger", async () => {
  const password = await register("CP-twice");
  const options = { endpoint: env.ocpp, identity: "CP-twice", password, protocols: ["ocpp1.6"], reconnect: false };
  const first = new RPCClient(options);
  await first.connect();
  const closed = new Promise<{ code: number }>((resolve) => first.on("close", resolve));
  const second = new RPCClient(options);
  await second.connect();
  expect((await closed).code).toBe(1001);
  expect(await second.call("Heartbeat", {})).toEqual({ currentTime: expect.any(String) });
  const { body } = await admin("GET", "/ocpp/connections?chargerId=CP-twice");
  expect(body.connections.map(({ state, reason }: { state: string; reason: string }) => [state, reason])).toEqual([
    ["OPEN", ""],
    ["CLOSED", "SUPERSEDED"],
  ]);
  await second.close();
});

test("who does not want a WebSocket is told so", async () => {
  const { status, headers, body } = await restOf(env.rest)("GET", "/ocpp/ws/CP-1");
  expect([status, headers.get("upgrade"), body.error.details[0].reason]).toEqual([426, "websocket", "UPGRADE_REQUIRED"]);
});
