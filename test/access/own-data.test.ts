import { RPCClient } from "ocpp-rpc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ADMIN, type Env, startEnv } from "../env.ts";
import { type Rest, restOf, signIn } from "../rest.ts";
import { readContract } from "./contract.ts";
import { callRest, type Fields, type GrpcDoor, type Headers, openGrpc } from "./doors.ts";

// What is one driver's is to another as if it were not there: one by one, in lists and in streams, at both doors.

const rpcs = readContract();
const forDrivers = rpcs.filter(({ level }) => level === "DRIVER");
const ABSENT_ID = "00000000-0000-4000-8000-000000000000";

/** What ada has. Bob, another driver, asks for it. */
interface Things {
  userId: string;
  idToken: string;
  transactionId: string;
  commandId: string;
  reservationId: string;
  sessionId: string;
  apiKeyId: string;
}

let env: Env;
let grpc: GrpcDoor;
let charger: RPCClient;
let things: Things;
let ada: Headers;
let bob: Headers;
let bobId: string;
const CHARGER = "CP-OWN";
const START = { connectorId: 1, meterStart: 0 };
const SOON = new Date(Date.now() + 600_000).toISOString();

beforeAll(async () => {
  env = await startEnv();
  grpc = openGrpc(env);
  const admin = await signIn(env.rest, ADMIN);
  const [first, second] = await Promise.all([signUp("ada"), signUp("bob")]);
  ada = first.headers;
  bob = second.headers;
  bobId = second.id;
  charger = await connect(admin);
  things = await fill(first.rest, first.id);
});
afterAll(async () => {
  await charger.close();
  grpc.close();
  await env.stop();
});

async function signUp(username: string): Promise<{ rest: Rest; id: string; headers: Headers }> {
  const { body } = await restOf(env.rest)("POST", "/auth/signup", { username, password: "correct horse battery staple" });
  return { rest: restOf(env.rest, body.accessToken), id: body.id, headers: { authorization: `Bearer ${body.accessToken}` } };
}

async function connect(admin: Rest): Promise<RPCClient> {
  const { body } = await admin("POST", "/ocpp/chargers", { id: CHARGER });
  const client = new RPCClient({
    endpoint: env.ocppDirect,
    identity: CHARGER,
    password: body.password,
    protocols: ["ocpp1.6"],
    reconnect: false,
  });
  for (const action of ["RemoteStartTransaction", "RemoteStopTransaction", "ReserveNow"])
    client.handle(action, () => ({ status: "Accepted" }));
  await client.connect();
  await client.call("BootNotification", { chargePointVendor: "Acme", chargePointModel: "One" });
  return client;
}

/** Makes one of everything that a driver can have. */
async function fill(rest: Rest, userId: string): Promise<Things> {
  const command = await rest("POST", "/ocpp/transactions", { chargerId: CHARGER });
  const idToken = (await rest("GET", "/ocpp/idTokens")).body.idTokens[0].idToken;
  const timestamp = new Date().toISOString();
  const { transactionId } = await charger.call("StartTransaction", { ...START, idTag: idToken, timestamp });
  const meterValue = [{ timestamp, sampledValue: [{ value: "10" }] }];
  await charger.call("MeterValues", { connectorId: 1, transactionId, meterValue });
  const sessions = await rest("GET", "/auth/me/sessions");
  const expireTime = new Date(Date.now() + 3_600_000).toISOString();
  const reservation = await rest("POST", "/ocpp/reservations", { chargerId: CHARGER, connectorId: 2, expireTime });
  const key = { displayName: "a script of ada's", role: "DRIVER", scopes: ["*:*"], expireTime };
  const made = await rest("POST", "/auth/apiKeys", key);
  return {
    userId,
    idToken,
    transactionId: String(transactionId),
    commandId: command.body.id,
    reservationId: reservation.body.id,
    sessionId: sessions.body.sessions[0].id,
    apiKeyId: made.body.apiKey.id,
  };
}

type Ask = (things: Things) => Fields;

/** What a driver may call, and what of another's it would lead to. An rpc that is added must be put under one of these. */
const theirs: Record<string, Ask> = {
  "TransactionService/GetTransaction": ({ transactionId }) => ({ id: transactionId }),
  "TransactionService/StopTransaction": ({ transactionId }) => ({ id: transactionId }),
  "TransactionService/ListMeterValues": ({ transactionId }) => ({ transactionId }),
  "TransactionService/StartTransaction": ({ idToken }) => ({ chargerId: CHARGER, idToken }),
  "IdTokenService/GetIdToken": ({ idToken }) => ({ idToken }),
  "CommandService/GetCommand": ({ commandId }) => ({ chargerId: CHARGER, id: commandId }),
  "ReservationService/GetReservation": ({ reservationId }) => ({ id: reservationId }),
  "ReservationService/CancelReservation": ({ reservationId }) => ({ id: reservationId }),
  "ReservationService/CreateReservation": ({ idToken }) => ({ chargerId: CHARGER, idToken, expireTime: SOON }),
  "SessionService/DeleteMySession": ({ sessionId }) => ({ id: sessionId }),
  "ApiKeyService/GetApiKey": ({ apiKeyId }) => ({ id: apiKeyId }),
  "ApiKeyService/DeleteApiKey": ({ apiKeyId }) => ({ id: apiKeyId }),
};
const lists: Record<string, Ask[]> = {
  "TransactionService/ListTransactions": [() => ({}), ({ idToken }) => ({ idToken }), () => ({ chargerId: CHARGER })],
  "IdTokenService/ListIdTokens": [() => ({}), ({ userId }) => ({ userId })],
  "CommandService/ListCommands": [() => ({ chargerId: CHARGER })],
  "ReservationService/ListReservations": [() => ({}), ({ idToken }) => ({ idToken }), () => ({ chargerId: CHARGER })],
  "SessionService/ListMySessions": [() => ({})],
  "ApiKeyService/ListApiKeys": [() => ({}), ({ userId }) => ({ userId })],
};
/** These name nothing that belongs to a driver, or nothing but who calls. */
const nobodys = [
  "ChargerService/GetCharger",
  "ChargerService/ListChargers",
  "UserService/GetMe",
  "UserService/UpdateMe",
  "PreferenceService/GetMyPreferences",
  "PreferenceService/UpdateMyPreferences",
  "SessionService/RevokeMySessions",
  "ApiKeyService/CreateApiKey",
  "AccountService/RequestEmailVerification",
  "AccountService/ChangeEmail",
  "AccountService/ChangePassword",
  "AccountService/DeleteMe",
];

const nameOf = (path: string): string => path.split(".").at(-1) ?? "";
const rpcNamed = (name: string) => {
  const found = forDrivers.find(({ path }) => nameOf(path) === name);
  if (found === undefined) throw new Error(`no rpc ${name} for drivers`);
  return found;
};

/** Streams, each of which has a test of its own below. */
const streams = ["EventService/WatchEvents"];

test("of every rpc that a driver may call it is said what it leads to", () => {
  const said = [...Object.keys(theirs), ...Object.keys(lists), ...nobodys, ...streams];
  expect(forDrivers.map(({ path }) => nameOf(path)).toSorted()).toEqual(said.toSorted());
});

const absent: Things = {
  userId: ABSENT_ID,
  idToken: "NEVER-WAS",
  transactionId: "2147483647",
  commandId: ABSENT_ID,
  reservationId: ABSENT_ID,
  sessionId: ABSENT_ID,
  apiKeyId: ABSENT_ID,
};

describe.each(Object.keys(theirs))("%s", (name) => {
  const rpc = rpcNamed(name);
  const ask: Ask = theirs[name] ?? (() => ({}));

  test("another's is not found at the service's own port, as what is not there", async () => {
    const [another, none] = await Promise.all([things, absent].map((of) => grpc.call(rpc, bob, rpc.encode(ask(of)))));
    expect(another).toEqual(none);
    expect(another?.code).toMatch(/^NOT_FOUND [A-Z_]+_NOT_FOUND$/);
  });

  test.each(rpc.bindings)("nor over REST, and in the same words", async (binding) => {
    const [another, none] = await Promise.all([things, absent].map((of) => callRest(env.rest, binding, bob, ask(of))));
    expect(another?.code).toMatch(/^NOT_FOUND [A-Z_]+_NOT_FOUND$/);
    const words = (answer: Buffer, of: Things): string =>
      Object.values(ask(of)).reduce((text, id) => text.replaceAll(id, "…"), String(answer));
    expect(words(another?.answer ?? Buffer.of(), things)).toBe(words(none?.answer ?? Buffer.of(), absent));
  });

  test("whose it is finds it", async () => {
    if (!rpc.isSafe) return;
    expect((await grpc.call(rpc, ada, rpc.encode(ask(things)))).code).toBe("OK");
  });
});

describe.each(Object.keys(lists))("%s", (name) => {
  const rpc = rpcNamed(name);
  const own = (text: string): string[] =>
    Object.entries(things).flatMap(([what, id]) => (what !== "userId" && text.includes(JSON.stringify(id)) ? [what] : []));

  test("holds what is one's own, and nothing of another's", async () => {
    for (const ask of lists[name] ?? []) {
      const fields = ask(things);
      const request = rpc.encode(fields);
      const listed = async (headers: Headers): Promise<string> => {
        const { code, answer } = await grpc.call(rpc, headers, request);
        expect(code).toBe("OK");
        return JSON.stringify(rpc.decode(answer));
      };
      const listedOverRest = async (headers: Headers): Promise<string> => {
        const answers = await Promise.all(rpc.bindings.map((binding) => callRest(env.rest, binding, headers, fields)));
        return answers.map(({ answer }) => JSON.stringify(JSON.parse(answer.toString()))).join();
      };
      for (const list of [listed, listedOverRest]) {
        expect(own(await list(ada)).length, `${name} of ada with ${JSON.stringify(fields)}`).toBeGreaterThan(0);
        expect(own(await list(bob)), `${name} of bob with ${JSON.stringify(fields)}`).toEqual([]);
      }
    }
  });
});

test("every stream that drivers may open is named", () => {
  expect(forDrivers.filter((rpc) => rpc.streams).map(({ path }) => nameOf(path))).toEqual(streams);
});

test("a stream of events shows each driver what is theirs, from the first event on", async () => {
  const admin = await signIn(env.rest, ADMIN);
  /** What somebody sees until a last id token of theirs was made. */
  const follow = async (headers: Headers, userId: string, idToken: string): Promise<string[]> => {
    expect((await admin("POST", "/ocpp/idTokens", { idToken, userId })).status).toBe(200);
    const answer = await fetch(`${env.rest}/ocpp/events?cursor=0`, { headers: { ...headers, accept: "application/x-ndjson" } });
    const subjects: string[] = [];
    let text = "";
    for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const lines = (text + chunk).split("\n");
      text = lines.pop() ?? "";
      subjects.push(...lines.filter((line) => line !== "").map((line) => JSON.parse(line).subject));
      if (subjects.includes(idToken)) break;
    }
    return subjects;
  };
  expect(await follow(bob, bobId, "of-bob")).toEqual(["of-bob"]);
  const adas = await follow(ada, things.userId, "of-ada");
  expect(adas).toEqual(expect.arrayContaining([things.idToken.toLowerCase(), things.transactionId, things.reservationId]));
  expect(adas).not.toContain("of-bob");
});

test("an idempotency key of another's is told nothing", async () => {
  const key = "the-key-of-ada";
  const start = rpcNamed("TransactionService/StartTransaction");
  const first = await grpc.call(start, ada, start.encode({ chargerId: CHARGER, idempotencyKey: key }));
  const repeat = await grpc.call(start, bob, start.encode({ chargerId: CHARGER, idempotencyKey: key }));
  // Ada's token charges already; that is hers to know.
  expect(first.code).toBe("FAILED_PRECONDITION ID_TOKEN_IN_USE");
  expect(repeat.code).toBe("OK");
  // Bob's use of it is not hers to know.
  expect(await grpc.call(start, ada, start.encode({ chargerId: CHARGER, idempotencyKey: key }))).toEqual(first);
});

test("what is asked for later finds everything as it was", async () => {
  const rest = restOf(env.rest, ada.authorization?.slice("Bearer ".length));
  expect((await rest("GET", `/ocpp/transactions/${things.transactionId}`)).body.state).toBe("ACTIVE");
  expect((await rest("GET", `/auth/apiKeys/${things.apiKeyId}`)).status).toBe(200);
  expect((await rest("GET", "/auth/me/sessions")).body.sessions.map(({ id }: { id: string }) => id)).toContain(things.sessionId);
});
