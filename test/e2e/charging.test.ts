import { RPCClient } from "ocpp-rpc";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ADMIN, type Env, startEnv } from "../env.ts";
import { eventually, type Rest, restOf, signIn } from "../rest.ts";

// The whole path with a charger that nobody here wrote: RPCClient of ocpp-rpc, strict about every frame of ours.

let env: Env;
let admin: Rest;

beforeAll(async () => {
  env = await startEnv();
  admin = await signIn(env.rest, ADMIN);
});
afterAll(() => env.stop());

async function connect(id: string, endpoint = env.ocpp): Promise<RPCClient> {
  const { body } = await admin("POST", "/ocpp/chargers", { id });
  const client = new RPCClient({
    endpoint,
    identity: id,
    password: body.password,
    protocols: ["ocpp1.6"],
    strictMode: true,
    reconnect: false,
  });
  await client.connect();
  return client;
}

async function makeDriver(username: string): Promise<{ rest: Rest; id: string }> {
  const { body } = await restOf(env.rest)("POST", "/auth/signup", { username, password: "correct horse battery staple" });
  return { rest: restOf(env.rest, body.accessToken), id: body.id };
}

const minutesAgo = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString();

test("a driver charges: from sign-up over boot, authorize, start, meter values and stop to the receipt", async () => {
  const driver = await makeDriver("ada@example.com");
  await admin("POST", "/ocpp/idTokens", { idToken: "ADA-CARD", userId: driver.id });
  const charger = await connect("CP-1");
  const boot = await charger.call("BootNotification", { chargePointVendor: "Acme", chargePointModel: "One", firmwareVersion: "1.2" });
  expect(boot).toMatchObject({ status: "Accepted", interval: 300 });
  await charger.call("StatusNotification", { connectorId: 1, errorCode: "NoError", status: "Preparing" });
  expect(await charger.call("Authorize", { idTag: "ada-card" })).toEqual({ idTagInfo: { status: "Accepted" } });

  const startTime = minutesAgo(0.5);
  const start = { connectorId: 1, idTag: "ADA-CARD", meterStart: 1_000, timestamp: startTime };
  const { transactionId, idTagInfo } = await charger.call("StartTransaction", start);
  expect(idTagInfo).toEqual({ status: "Accepted" });
  // ocpp-rpc gives every call a new message id.
  expect(await charger.call("StartTransaction", start)).toEqual({ transactionId, idTagInfo });

  const sampledValue = [
    { value: "1.75", unit: "kWh" },
    { value: "7400", measurand: "Power.Active.Import", unit: "W" },
  ];
  const reading = { connectorId: 1, transactionId, meterValue: [{ timestamp: minutesAgo(0.25), sampledValue }] };
  await charger.call("MeterValues", reading);
  await charger.call("MeterValues", reading);
  const live = await driver.rest("GET", `/ocpp/transactions/${transactionId}`);
  expect(live.body).toMatchObject({ state: "ACTIVE", meterLastWh: 1_750, energyWh: 750, powerW: 7_400, userId: driver.id, flags: [] });

  const stop = { transactionId, idTag: "ADA-CARD", meterStop: 5_321, timestamp: new Date().toISOString(), reason: "EVDisconnected" };
  expect(await charger.call("StopTransaction", stop)).toEqual({ idTagInfo: { status: "Accepted" } });
  expect(await charger.call("StopTransaction", stop)).toEqual({ idTagInfo: { status: "Accepted" } });

  const { body } = await admin("GET", "/ocpp/transactions?chargerId=CP-1");
  expect(body.transactions).toHaveLength(1);
  expect(body.transactions[0]).toMatchObject({
    id: String(transactionId),
    chargerId: "CP-1",
    connectorId: 1,
    idToken: "ADA-CARD",
    state: "STOPPED",
    startTime,
    energyWh: 4_321,
    meterStartWh: 1_000,
    meterStopWh: 5_321,
    stopReason: "EVDisconnected",
    flags: [],
  });
  const meterValues = await driver.rest("GET", `/ocpp/transactions/${transactionId}/meterValues`);
  expect(meterValues.body.meterValues).toHaveLength(1);
  expect(meterValues.body.meterValues[0].sampledValues[0]).toMatchObject({
    value: "1.75",
    unit: "kWh",
    measurand: "Energy.Active.Import.Register",
  });

  const mails = await eventually(async () => {
    const all = await env.mails();
    return all.length >= 4 && all;
  });
  expect(mails.filter((mail) => /^To: ada@example\.com\r$/m.test(mail))).toHaveLength(4);
  expect(mails.some((mail) => mail.includes("4.321 kWh"))).toBe(true);
  const sent = await eventually(async () => {
    const { body } = await admin("GET", "/email/messages?to=ada@example.com");
    return body.messages.every(({ state }: { state: string }) => state === "SENT") && body.messages;
  });
  expect(sent.map(({ template }: { template: string }) => template).toSorted()).toEqual([
    "charging-started",
    "receipt",
    "verify-email",
    "welcome",
  ]);
  await charger.close();
});

test("an operator looks at mails before anybody gets them", async () => {
  const { body } = await admin("GET", "/email/templates");
  expect(body.templates).toContainEqual({
    id: "receipt",
    category: "CHARGING",
    description: "To the user who charged, once the charge has ended.",
    languages: ["en", "de"],
  });
  expect((await admin("GET", "/email/templates/receipt")).body).toEqual(body.templates.find(({ id }: { id: string }) => id === "receipt"));
  const { accessToken } = (await restOf(env.rest)("POST", "/auth/login", ADMIN)).body;
  const preview = async (query: string, id = "receipt") => {
    const answer = await fetch(`${env.rest}/email/templates/${id}:preview${query}`, {
      headers: { authorization: `Bearer ${accessToken}` },
    });
    return {
      status: answer.status,
      type: answer.headers.get("content-type"),
      policy: answer.headers.get("content-security-policy"),
      text: await answer.text(),
    };
  };
  const html = await preview("?language=de");
  expect(html).toMatchObject({
    status: 200,
    type: "text/html; charset=utf-8",
    policy: expect.stringContaining("style-src 'unsafe-inline'"),
  });
  expect(html.text).toMatch(
    /^<!DOCTYPE html>\n<html lang="de">[\s\S]*>8,412 kWh<\/td>[\s\S]*href="https:\/\/example\.invalid\/unsubscribe"/,
  );
  expect(await preview("?format=text")).toMatchObject({
    type: "text/plain; charset=utf-8",
    text: expect.stringMatching(/^Hello ada,\n[\s\S]*8\.412 kWh\n/),
  });
  expect((await preview("", "welcome")).text).not.toContain("unsubscribe");
  for (const query of ["?language=fr", "?format=pdf"])
    expect(JSON.parse((await preview(query)).text).error.status).toBe("INVALID_ARGUMENT");
  for (const id of ["none", "constructor"])
    expect(JSON.parse((await preview("", id)).text).error.details[0].reason).toBe("TEMPLATE_NOT_FOUND");
});

test("a driver starts and stops over REST, and the command leads to the transaction", async () => {
  const driver = await makeDriver("bob@example.com");
  const charger = await connect("CP-2");
  const asked: object[] = [];
  charger.handle("RemoteStartTransaction", ({ params }) => {
    asked.push(params);
    return { status: "Accepted" };
  });
  charger.handle("RemoteStopTransaction", ({ params }) => {
    asked.push(params);
    return { status: "Accepted" };
  });
  await charger.call("BootNotification", { chargePointVendor: "Acme", chargePointModel: "One" });

  const command = await driver.rest("POST", "/ocpp/transactions", { chargerId: "CP-2", connectorId: 1 });
  expect([command.status, command.body.state, command.body.transactionId]).toEqual([200, "ACCEPTED", ""]);
  const { idTag } = asked[0] as { idTag: string };
  expect(asked).toEqual([{ connectorId: 1, idTag }]);
  const { transactionId } = await charger.call("StartTransaction", {
    connectorId: 1,
    idTag,
    meterStart: 0,
    timestamp: new Date().toISOString(),
  });

  const linked = await driver.rest("GET", `/ocpp/chargers/CP-2/commands/${command.body.id}`);
  expect(linked.body).toMatchObject({ transactionId: String(transactionId), state: "ACCEPTED", status: "Accepted" });
  const other = await makeDriver("mallory@example.com");
  expect((await other.rest("GET", `/ocpp/transactions/${transactionId}`)).status).toBe(404);
  expect((await other.rest("POST", `/ocpp/transactions/${transactionId}:stop`)).status).toBe(404);

  const stop = await driver.rest("POST", `/ocpp/transactions/${transactionId}:stop`);
  expect([stop.status, stop.body.state]).toEqual([200, "ACCEPTED"]);
  expect(asked[1]).toEqual({ transactionId });
  await charger.close();
});

test("a charger that is made unavailable stops what charges there, then closes", async () => {
  const charger = await connect("CP-3", env.ocppDirect);
  const asked: [string, object][] = [];
  for (const action of ["RemoteStopTransaction", "ChangeAvailability"]) {
    charger.handle(action, ({ params }) => {
      asked.push([action, params]);
      return { status: action === "ChangeAvailability" ? "Scheduled" : "Accepted" };
    });
  }
  await charger.call("BootNotification", { chargePointVendor: "Acme", chargePointModel: "One" });
  const { transactionId, idTagInfo } = await charger.call("StartTransaction", {
    connectorId: 1,
    idTag: "NOBODY",
    meterStart: 0,
    timestamp: new Date().toISOString(),
  });
  expect(idTagInfo).toEqual({ status: "Invalid" });
  const { body } = await admin("PATCH", "/ocpp/chargers/CP-3", { availability: "UNAVAILABLE" });
  expect(body).toMatchObject({ id: "CP-3", availability: "UNAVAILABLE", connected: true });
  await eventually(async () => asked.length === 2);
  expect(asked).toEqual([
    ["RemoteStopTransaction", { transactionId }],
    ["ChangeAvailability", { connectorId: 0, type: "Inoperative" }],
  ]);
  const kept = await admin("GET", `/ocpp/transactions/${transactionId}`);
  expect(kept.body).toMatchObject({ idToken: "NOBODY", flags: ["ID_TOKEN_UNKNOWN"], state: "ACTIVE" });
  const commands = await eventually(async () => {
    const all = (await admin("GET", "/ocpp/chargers/CP-3/commands")).body.commands as { state: string; status: string }[];
    return all.every(({ state }) => state === "ACCEPTED") && all;
  });
  expect(commands.map(({ status }) => status)).toEqual(["Scheduled", "Accepted"]);
  await charger.close();
});

test("what happens is streamed as it happens", async () => {
  const { body } = await restOf(env.rest)("POST", "/auth/login", ADMIN);
  const response = await fetch(`${env.rest}/ocpp/events`, {
    headers: { authorization: `Bearer ${body.accessToken}`, accept: "text/event-stream" },
  });
  expect([response.status, response.headers.get("content-type")]).toEqual([200, expect.stringContaining("text/event-stream")]);
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  const charger = await connect("CP-4");
  let text = "";
  while (!/^event: chargemesh\.charger\.v1\.ChargerConnected$/m.test(text))
    text += decoder.decode((await reader?.read())?.value, { stream: true });
  const event = JSON.parse(/^data: (.*"ChargerConnected".*|.*ChargerConnected.*)$/m.exec(text)?.[1] ?? "null");
  expect(event).toMatchObject({
    type: "chargemesh.charger.v1.ChargerConnected",
    subject: "CP-4",
    data: { "@type": "type.googleapis.com/chargemesh.charger.v1.ChargerConnected", chargerId: "CP-4", protocol: "ocpp1.6" },
  });
  await reader?.cancel();
  await charger.close();
});
