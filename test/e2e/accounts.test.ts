import { RPCClient } from "ocpp-rpc";
import pg from "pg";
import PostalMime from "postal-mime";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ADMIN, type Env, startEnv } from "../env.ts";
import { type Answer, eventually, type Rest, restOf, signIn } from "../rest.ts";

// The life of an account, as people have it: over REST and by mail.

const PASSWORD = "seven purple herons";
const OTHER = "eight yellow otters";
let env: Env;
let anybody: Rest;
let admin: Rest;
beforeAll(async () => {
  env = await startEnv({ PUBLIC_URL: "https://charge.example.org/", AUTH_MAILS_PER_ACCOUNT: "2" });
  anybody = restOf(env.rest);
  admin = await signIn(env.rest, ADMIN);
});
afterAll(() => env?.stop());

const reasonOf = ({ status, body }: Answer) => [status, body?.error?.details[0].reason];
const logIn = (username: string, password: string) => anybody("POST", "/auth/login", { username, password });
const mailsTo = async (address: string) =>
  (await Promise.all((await env.mails()).map((raw) => PostalMime.parse(raw)))).filter(({ to }) => to?.[0]?.address === address);

/** Waits for the newest mail with this subject, and answers the token of its link. */
async function tokenIn(address: string, subject: string, count = 1): Promise<string> {
  const mail = await eventually(async () => (await mailsTo(address)).filter((one) => one.subject === subject)[count - 1]);
  const link = /https:\/\/charge\.example\.org\/account#(?:verify|reset)=([\w-]{43})\s/.exec(mail.text ?? "");
  expect(mail.html).toContain(`href="${link?.[0].trim()}"`);
  return link?.[1] ?? "";
}

/** Looks into the tables, past the services. */
async function query(text: string, values: unknown[]): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: env.database.ownerUrl });
  await client.connect();
  try {
    return await client.query(text, values);
  } finally {
    await client.end();
  }
}

/** Signs somebody up whom no other test knows. */
async function somebody(name: string) {
  const username = name;
  const email = `${name}@example.com`;
  const { status, body } = await anybody("POST", "/auth/signup", { username, password: PASSWORD, email });
  expect(status).toBe(200);
  return { username, email, id: String(body.id), rest: restOf(env.rest, body.accessToken), refreshToken: String(body.refreshToken) };
}

describe("an address", () => {
  test("is verified by a link that is good once", async () => {
    const ada = await somebody("ada");
    expect((await ada.rest("GET", "/auth/me")).body).toMatchObject({ email: ada.email, emailVerified: false, disabled: false });
    const token = await tokenIn(ada.email, "Is this your email address?");
    expect(await anybody("POST", "/auth/email:verify", { token })).toMatchObject({ status: 200, body: {} });
    expect((await ada.rest("GET", "/auth/me")).body).toMatchObject({ emailVerified: true });
    expect(reasonOf(await anybody("POST", "/auth/email:verify", { token }))).toEqual([400, "ONE_TIME_TOKEN_INVALID"]);
    expect(reasonOf(await ada.rest("POST", "/auth/me/email:requestVerification", {}))).toEqual([400, "EMAIL_VERIFIED"]);
  });

  test("gets another link if the first is lost, which then is good no more, and not too many", async () => {
    const bea = await somebody("bea");
    const first = await tokenIn(bea.email, "Is this your email address?");
    const ask = () => bea.rest("POST", "/auth/me/email:requestVerification", {});
    expect((await ask()).status).toBe(200);
    const second = await tokenIn(bea.email, "Is this your email address?", 2);
    expect(second).not.toBe(first);
    expect(reasonOf(await anybody("POST", "/auth/email:verify", { token: first }))).toEqual([400, "ONE_TIME_TOKEN_INVALID"]);
    expect((await ask()).status).toBe(200);
    const refused = await ask();
    expect(reasonOf(refused)).toEqual([429, "TOO_MANY_MAILS"]);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(3_500);
    const third = await tokenIn(bea.email, "Is this your email address?", 3);
    expect((await anybody("POST", "/auth/email:verify", { token: third })).status).toBe(200);
  });

  test("gives way to another when that one is confirmed, and is told", async () => {
    const cem = await somebody("cem");
    const email = "cem@example.net";
    expect(reasonOf(await cem.rest("POST", "/auth/me/email", { email, password: OTHER }))).toEqual([403, "INVALID_PASSWORD"]);
    expect((await cem.rest("POST", "/auth/me/email", { email, password: PASSWORD })).status).toBe(200);
    // Links to the old address die with it.
    await anybody("POST", "/auth/password:requestReset", { username: cem.username });
    const reset = await tokenIn(cem.email, "A new password");
    const token = await tokenIn(email, "Is this your new email address?");
    expect((await cem.rest("GET", "/auth/me")).body.email).toBe(cem.email);
    expect((await anybody("POST", "/auth/email:verify", { token })).status).toBe(200);
    expect((await cem.rest("GET", "/auth/me")).body).toMatchObject({ email, emailVerified: true });
    await eventually(async () => (await mailsTo(cem.email)).find(({ subject }) => subject === "Your email address was changed"));
    expect(reasonOf(await anybody("POST", "/auth/password:reset", { token: reset, newPassword: OTHER }))).toEqual([
      400,
      "ONE_TIME_TOKEN_INVALID",
    ]);
  });
});

describe("a password", () => {
  test.each(["username", "email"])("is reset by a link, asked for by %s", async (by) => {
    const dan = await somebody(`dan-${by}`);
    const known = { username: dan.username, email: dan.email }[by];
    const answer = await anybody("POST", "/auth/password:requestReset", { [by]: known?.toUpperCase() });
    expect(answer).toMatchObject({ status: 200, body: {} });
    const unknown = await anybody("POST", "/auth/password:requestReset", { [by]: `nobody-${known}` });
    expect([unknown.status, unknown.body]).toEqual([answer.status, answer.body]);
    const token = await tokenIn(dan.email, "A new password");
    expect(reasonOf(await anybody("POST", "/auth/password:reset", { token, newPassword: "passwordpassword" }))).toEqual([
      400,
      "PASSWORD_TOO_EASY",
    ]);
    expect((await anybody("POST", "/auth/password:reset", { token, newPassword: OTHER })).status).toBe(200);
    expect(reasonOf(await anybody("POST", "/auth/password:reset", { token, newPassword: OTHER }))).toEqual([400, "ONE_TIME_TOKEN_INVALID"]);
    expect(reasonOf(await logIn(dan.username, PASSWORD))).toEqual([401, "INVALID_CREDENTIALS"]);
    expect((await logIn(dan.username, OTHER)).status).toBe(200);
    expect((await anybody("POST", "/auth/refresh", { refreshToken: dan.refreshToken })).status).toBe(401);
    // Who has the mail has the address.
    expect((await dan.rest("GET", "/auth/me")).body.emailVerified).toBe(true);
    await eventually(async () => (await mailsTo(dan.email)).find(({ subject }) => subject === "Your password was changed"));
    expect((await mailsTo(`nobody-${dan.email}`)).length).toBe(0);
  });

  test("is changed by who knows the one before it, and all sessions end", async () => {
    const eve = await somebody("eve");
    const change = (password: string, newPassword: string) => eve.rest("POST", "/auth/me/password", { password, newPassword });
    expect(reasonOf(await change(OTHER, OTHER))).toEqual([403, "INVALID_PASSWORD"]);
    expect(reasonOf(await change(PASSWORD, "eve@example.com 12"))).toEqual([400, "PASSWORD_TOO_EASY"]);
    const { status, body } = await change(PASSWORD, OTHER);
    expect([status, body.username]).toEqual([200, "eve"]);
    expect((await anybody("POST", "/auth/refresh", { refreshToken: eve.refreshToken })).status).toBe(401);
    expect((await anybody("POST", "/auth/refresh", { refreshToken: body.refreshToken })).status).toBe(200);
    expect((await logIn("eve", OTHER)).status).toBe(200);
  });
});

describe("who reads the mails of others", () => {
  test("sees no link, neither before nor after it is sent", async () => {
    const flo = await somebody("flo");
    await tokenIn(flo.email, "Is this your email address?");
    const { body } = await admin("GET", `/email/messages?to=${flo.email}`);
    const message = body.messages.find(({ template }: { template: string }) => template === "verify-email");
    expect(message.text).toContain("[a link that only the recipient sees]");
    expect(JSON.stringify(body)).not.toMatch(/account#|[\w-]{43}/);
    const { rows } = await query("select sealed_link, html, text from email.message where to_address = $1 and state = 'SENT'", [flo.email]);
    expect(rows.length).toBeGreaterThan(0);
    expect(JSON.stringify(rows)).not.toMatch(/account#/);
    for (const row of rows) expect(row.sealed_link).toBeNull();
  });
});

describe("a user who is disabled", () => {
  test("cannot go on, and is told so only with the right password", async () => {
    const gus = await somebody("gus");
    const disable = (disabled: boolean) => admin("PATCH", `/auth/users/${gus.id}`, { disabled });
    expect((await disable(true)).body).toMatchObject({ disabled: true, role: "DRIVER" });
    expect(reasonOf(await logIn("gus", OTHER))).toEqual([401, "INVALID_CREDENTIALS"]);
    expect(reasonOf(await logIn("gus", PASSWORD))).toEqual([403, "USER_DISABLED"]);
    expect((await anybody("POST", "/auth/refresh", { refreshToken: gus.refreshToken })).status).toBe(401);
    expect((await anybody("POST", "/auth/password:requestReset", { username: "gus" })).status).toBe(200);
    expect((await disable(false)).body).toMatchObject({ disabled: false });
    expect((await logIn("gus", PASSWORD)).status).toBe(200);
    expect((await mailsTo(gus.email)).filter(({ subject }) => subject === "A new password")).toEqual([]);
  });

  test("is never the last administrator", async () => {
    const { body } = await admin("GET", "/auth/me");
    expect(reasonOf(await admin("PATCH", `/auth/users/${body.id}`, { disabled: true }))).toEqual([400, "LAST_ADMIN"]);
    expect(reasonOf(await admin("DELETE", `/auth/users/${body.id}`))).toEqual([400, "LAST_ADMIN"]);
    expect(reasonOf(await admin("POST", "/auth/me:delete", { password: ADMIN.password }))).toEqual([400, "LAST_ADMIN"]);
  });
});

describe("a user who is deleted", () => {
  test.each(["by themselves", "by an administrator"])("%s leaves nothing but the books", async (by) => {
    const hal = await somebody(by === "by themselves" ? "hal" : "hugo");
    await admin("POST", "/ocpp/idTokens", { idToken: `CARD-${hal.username}`, userId: hal.id });
    await eventually(async () => (await mailsTo(hal.email)).length === 2);
    if (by === "by themselves") {
      expect(reasonOf(await hal.rest("POST", "/auth/me:delete", { password: OTHER }))).toEqual([403, "INVALID_PASSWORD"]);
      expect((await hal.rest("POST", "/auth/me:delete", { password: PASSWORD })).status).toBe(200);
    } else expect((await admin("DELETE", `/auth/users/${hal.id}`)).status).toBe(200);
    expect(reasonOf(await admin("GET", `/auth/users/${hal.id}`))).toEqual([404, "USER_NOT_FOUND"]);
    expect(reasonOf(await logIn(hal.username, PASSWORD))).toEqual([401, "INVALID_CREDENTIALS"]);
    expect((await anybody("POST", "/auth/refresh", { refreshToken: hal.refreshToken })).status).toBe(401);
    await eventually(async () => (await mailsTo(hal.email)).find(({ subject }) => subject === "Your account was deleted"));
    const card = await eventually(async () => {
      const { body } = await admin("GET", `/ocpp/idTokens/CARD-${hal.username}`);
      return body.status === "BLOCKED" && body;
    });
    expect(card.userId).toBe("");
    await eventually(async () => (await admin("GET", `/email/messages?to=${hal.email}`)).body.messages.length === 0);
    const kept = await query("select username, email from email.recipient where user_id = $1", [hal.id]);
    expect(kept.rows).toEqual([{ username: "", email: "" }]);
    for (const table of ["session", "one_time_token"])
      expect((await query(`select 1 from authentication.${table} where user_id = $1`, [hal.id])).rows).toEqual([]);
    // The name is free.
    expect((await anybody("POST", "/auth/signup", { username: hal.username, password: PASSWORD })).status).toBe(200);
  });

  test("charges no more, and what was charged stays in the books as nobody's", async () => {
    const ida = await somebody("ida");
    const idTag = "IDA-CARD";
    await admin("POST", "/ocpp/idTokens", { idToken: idTag, userId: ida.id });
    const { body } = await admin("POST", "/ocpp/chargers", { id: "CP-1" });
    const charger = new RPCClient({
      endpoint: env.ocpp,
      identity: "CP-1",
      password: body.password,
      protocols: ["ocpp1.6"],
      strictMode: true,
      reconnect: false,
    });
    await charger.connect();
    await charger.call("BootNotification", { chargePointVendor: "Acme", chargePointModel: "One" });
    const timestamp = new Date().toISOString();
    const { transactionId } = await charger.call("StartTransaction", { connectorId: 1, idTag, meterStart: 1_000, timestamp });
    const transaction = async () => (await admin("GET", `/ocpp/transactions/${transactionId}`)).body;
    expect(await transaction()).toMatchObject({ userId: ida.id, state: "ACTIVE" });
    await ida.rest("POST", "/auth/me:delete", { password: PASSWORD });
    await eventually(async () => (await transaction()).userId === "");
    expect(await charger.call("Authorize", { idTag })).toEqual({ idTagInfo: { status: "Blocked" } });
    await charger.call("StopTransaction", { transactionId, idTag, meterStop: 3_000, timestamp: new Date().toISOString() });
    expect(await transaction()).toMatchObject({ userId: "", state: "STOPPED", energyWh: 2_000, idToken: idTag });
    await charger.close();
  });
});
