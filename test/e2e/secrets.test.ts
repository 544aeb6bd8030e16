import { makeLogger } from "@chargemesh/kit/log";
import { RPCClient } from "ocpp-rpc";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ADMIN, type Env, startEnv } from "../env.ts";
import { type Answer, eventually, type Rest, restOf, signIn } from "../rest.ts";

// The whole system does what it does with secrets, at the most talkative level of the log. Then every line of every service and the whole
// audit log are searched for each of them.

const lines: string[] = [];
const log = makeLogger("test", "trace", { write: (line) => lines.push(line) });
/** What nobody may find, by what it is. */
const secrets: Record<string, string> = {
  "the administrator's password": ADMIN.password,
  "the user's password": "first-password-of-the-user",
  "a wrong password": "wrong-password-of-the-user",
  "a password typed as the username": "password-in-the-wrong-field",
  "the password after the reset": "second-password-of-the-user",
  "the password after the change": "third-password-of-the-user",
  "a password given to a charger": "given-to-a-charger1",
  "a wrong password of a charger": "wrong-of-a-charger1",
  "the next password of a charger": "next-of-a-charger12",
};
const keep = (what: string, secret: string): string => {
  expect(secret).toMatch(/.{15,}/);
  secrets[what] = secret;
  return secret;
};
const of = (what: string): string => secrets[what] ?? expect.fail(what);

let env: Env;
let anybody: Rest;
let admin: Rest;

beforeAll(async () => {
  env = await startEnv({}, log);
  anybody = restOf(env.rest);
  admin = await signIn(env.rest, ADMIN);
  for (const [name, value] of Object.entries(env.vars)) {
    if (/SECRET/.test(name)) keep(name, value);
    if (/_URL$/.test(name)) keep(`the password in ${name}`, new URL(value).password);
  }
});
afterAll(() => env?.stop());

function keepTokens(whose: string, { status, body }: Answer): { accessToken: string; refreshToken: string } {
  expect(status).toBe(200);
  keep(`an access token ${whose}`, body.accessToken);
  // Its header is the same in all of them and says nothing; what is signed and the signature are what must not be seen.
  keep(`the claims ${whose}`, body.accessToken.split(".")[1]);
  keep(`a refresh token ${whose}`, body.refreshToken);
  return body;
}

/** The token of the link in the newest mail with this subject. */
function mailedToken(subject: string): Promise<string> {
  return eventually(async () => {
    const mails = (await env.mails()).filter((mail) => mail.includes(`Subject: ${subject}`));
    return /\/account#\w+=([\w-]+)/.exec((mails.at(-1) ?? "").replaceAll("=\r\n", "").replaceAll("=3D", "="))?.[1];
  });
}

async function doEverythingWithUsers(): Promise<void> {
  const username = "ada@example.com";
  const logIn = (name: string, password: string) => anybody("POST", "/auth/login", { username: name, password });
  keepTokens("at sign-up", await anybody("POST", "/auth/signup", { username, password: of("the user's password") }));
  keep("the token that verifies an address", await mailedToken("Is this your email address?"));
  await anybody("POST", "/auth/email:verify", { token: of("the token that verifies an address") });
  expect((await anybody("POST", "/auth/email:verify", { token: of("the token that verifies an address") })).status).not.toBe(200);
  expect((await logIn(username, of("a wrong password"))).status).toBe(401);
  expect((await logIn(of("a password typed as the username"), "not-a-secret-but-wrong")).status).toBe(401);
  const first = keepTokens("at sign-in", await logIn(username, of("the user's password")));
  const next = keepTokens("at a refresh", await anybody("POST", "/auth/refresh", { refreshToken: first.refreshToken }));
  await anybody("POST", "/auth/logout", { refreshToken: next.refreshToken });
  expect((await anybody("POST", "/auth/refresh", { refreshToken: next.refreshToken })).status).toBe(401);
  await anybody("POST", "/auth/password:requestReset", { email: username });
  keep("the token that resets a password", await mailedToken("A new password"));
  const reset = { token: of("the token that resets a password"), newPassword: of("the password after the reset") };
  expect((await anybody("POST", "/auth/password:reset", reset)).status).toBe(200);
  expect((await anybody("POST", "/auth/password:reset", reset)).status).not.toBe(200);
  const again = keepTokens("after the reset", await logIn(username, of("the password after the reset")));
  const user = restOf(env.rest, again.accessToken);
  const changes = { password: of("the password after the reset"), newPassword: of("the password after the change") };
  keepTokens("after the change", await user("POST", "/auth/me/password", changes));
  expect((await restOf(env.rest, `${again.accessToken}x`)("GET", "/auth/me")).status).toBe(401);
}

async function doEverythingWithApiKeys(): Promise<void> {
  const expireTime = new Date(Date.now() + 3_600_000).toISOString();
  const { body } = await admin("POST", "/auth/apiKeys", { displayName: "a program", role: "OPERATOR", scopes: ["*:*"], expireTime });
  const program = restOf(env.rest, keep("an API key", body.secret));
  expect((await program("POST", "/ocpp/idTokens", { idToken: "MADE-BY-A-PROGRAM" })).status).toBe(200);
  await admin("DELETE", `/auth/apiKeys/${body.apiKey.id}`);
  expect((await restOf(env.rest, `${body.secret}x`)("GET", "/auth/me")).status).toBe(401);
}

async function connect(identity: string, password: string): Promise<RPCClient> {
  const credentials = Buffer.from(`${identity}:${password}`).toString("base64");
  keep(`what ${identity} shows with ${password.slice(0, 5)}`, credentials);
  const client = new RPCClient({ endpoint: env.ocpp, identity, password, protocols: ["ocpp1.6"], reconnect: false });
  await client.connect();
  return client;
}

async function doEverythingWithChargers(): Promise<void> {
  expect((await admin("POST", "/ocpp/chargers", { id: "CP-GIVEN", password: of("a password given to a charger") })).status).toBe(200);
  keep("a password made for a charger", (await admin("POST", "/ocpp/chargers", { id: "CP-MADE" })).body.password);
  await expect(connect("CP-GIVEN", of("a wrong password of a charger"))).rejects.toThrow();
  const made = await connect("CP-MADE", of("a password made for a charger"));
  await made.close();
  const charger = await connect("CP-GIVEN", of("a password given to a charger"));
  charger.handle("ChangeConfiguration", () => ({ status: "Accepted" }));
  charger.handle("ClearCache", () => ({ status: "Accepted" }));
  await charger.call("BootNotification", { chargePointVendor: "Acme", chargePointModel: "One" });
  const rotated = await admin("POST", "/ocpp/chargers/CP-GIVEN:rotatePassword", { password: of("the next password of a charger") });
  expect(rotated.status).toBe(200);
  keep("the hex of the next password", Buffer.from(of("the next password of a charger")).toString("hex"));
  const command = await admin("POST", "/ocpp/chargers/CP-GIVEN/commands", { action: "ClearCache", payload: {} });
  expect(command.body.state).toBe("ACCEPTED");
  await charger.close();
  const back = await connect("CP-GIVEN", of("the next password of a charger"));
  await back.close();
  await admin("PATCH", "/ocpp/chargers/CP-GIVEN", { password: of("a password given to a charger") });
}

/** The whole audit log, once the last thing that was done is in it. */
async function auditLog(): Promise<string> {
  await admin("DELETE", "/ocpp/chargers/CP-MADE");
  await eventually(async () => (await admin("GET", "/auth/auditEntries?resource=chargers/CP-MADE")).body.auditEntries.length === 2);
  const entries: unknown[] = [];
  let pageToken = "";
  do {
    const { body } = await admin("GET", `/auth/auditEntries?pageSize=200&pageToken=${pageToken}`);
    entries.push(...body.auditEntries);
    pageToken = body.nextPageToken;
  } while (pageToken);
  return JSON.stringify(entries, undefined, 1);
}

test("no secret is in any line of any log, nor in the audit log", async () => {
  await doEverythingWithUsers();
  await doEverythingWithApiKeys();
  await doEverythingWithChargers();
  await admin("POST", "/email/messages", { to: "ada@example.com", subject: "Hello", text: "Hello." });
  const audit = await auditLog();
  await env.stop();
  expect(lines.length).toBeGreaterThan(80);
  const found = Object.entries(secrets).flatMap(([what, secret]) => {
    const inLines = lines.filter((line) => line.includes(secret)).map((line) => `${what}, in the log: ${line}`);
    return audit.includes(secret) ? [...inLines, `${what}, in the audit log`] : inLines;
  });
  expect(found).toEqual([]);
  // Nor does anything rely on its being struck out at the last moment.
  expect(lines.filter((line) => line.includes("[Redacted]"))).toEqual([]);
}, 60_000);
