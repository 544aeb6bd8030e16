import { makeLogger } from "@chargemesh/kit/log";
import { reservationExpiring } from "email-service/test/charger-events.ts";
import { openPublisher, type Publisher, transactionStopped } from "email-service/test/events.ts";
import PostalMime, { type Email } from "postal-mime";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ADMIN, type Env, startEnv } from "../env.ts";
import { eventually, type Rest, restOf, signIn } from "../rest.ts";

// Which mails somebody gets: by what they say over REST, and by a click of their mail program.

const PASSWORD = "correct horse battery staple";
const FORM = { "content-type": "application/x-www-form-urlencoded" };
const ONE_CLICK = "List-Unsubscribe=One-Click";

const lines: string[] = [];

let env: Env;
let admin: Rest;
let publisher: Publisher;

beforeAll(async () => {
  const log = makeLogger("test", "info", { write: (line) => lines.push(line) });
  env = await startEnv({ PUBLIC_URL: "https://charge.example/mesh" }, log);
  admin = await signIn(env.rest, ADMIN);
  publisher = await openPublisher(env.nats.url);
});
afterAll(async () => {
  await publisher.close();
  await env.stop();
});

let users = 0;

/** Somebody whom email-service knows. */
async function somebody(language = "en") {
  users += 1;
  const username = `reader-${users}@example.com`;
  const { body } = await restOf(env.rest)("POST", "/auth/signup", { username, password: PASSWORD, language });
  const rest = restOf(env.rest, body.accessToken);
  await eventually(async () => (await rest("GET", "/email/preferences")).body.email === username);
  return { id: String(body.id), username, rest };
}

type Somebody = Awaited<ReturnType<typeof somebody>>;

async function mailsTo({ username }: Somebody): Promise<Email[]> {
  const mails = await Promise.all((await env.mails()).map((mail) => PostalMime.parse(mail)));
  return mails.filter(({ to }) => to?.[0]?.address === username);
}

/** The mails to a user whose subject fits, once all that has happened is mailed. */
async function mailed(user: Somebody, subject: RegExp): Promise<Email[]> {
  await publisher.allHandled();
  await eventually(async () => (await admin("GET", `/email/messages?to=${user.username}&state=QUEUED`)).body.messages.length === 0);
  return (await mailsTo(user)).filter((mail) => subject.test(mail.subject ?? ""));
}

const charges = (user: Somebody) => publisher.publish(transactionStopped({ userId: user.id }));
const reservationEnds = (user: Somebody) =>
  publisher.publish(reservationExpiring({ userId: user.id, expireTime: new Date(Date.now() + 300_000) }));

/** Where a mail says that one unsubscribes, as it is to be reached from here. */
function unsubscribeUrlOf(mail: Email | undefined): string {
  const header = mail?.headers.find(({ key }) => key === "list-unsubscribe")?.value ?? "";
  expect(header).toMatch(/^<https:\/\/charge\.example\/mesh\/email\/unsubscribe\/[\w-]+>$/);
  return header.slice(1, -1).replace("https://charge.example/mesh", env.rest);
}

/** What a mail program or a browser does, without following anybody. */
async function send(url: string, init: RequestInit) {
  const response = await fetch(url, { redirect: "manual", ...init });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

describe("unsubscribing by a click", () => {
  test("ends mails of exactly that kind, without signing in, and as often as one likes", async () => {
    const user = await somebody("de");
    await charges(user);
    const [receipt] = await mailed(user, /^Ihr Ladevorgang/);
    expect(receipt?.headers).toContainEqual(expect.objectContaining({ key: "list-unsubscribe-post", value: ONE_CLICK }));
    const url = unsubscribeUrlOf(receipt);
    for (let i = 0; i < 2; i++) {
      const { status, headers, text } = await send(url, { method: "POST", headers: FORM, body: ONE_CLICK });
      expect([status, headers.get("content-type"), headers.get("set-cookie")]).toEqual([200, "text/html; charset=utf-8", null]);
      expect(text).toContain("Erledigt.");
      expect(text).toContain('<a href="https://charge.example/mesh/account#mails">Auswählen');
    }
    expect((await user.rest("GET", "/email/preferences")).body).toEqual({
      userId: user.id,
      email: user.username,
      language: "de",
      charging: false,
      reservation: true,
      operation: true,
    });
    await charges(user);
    await reservationEnds(user);
    expect(await mailed(user, /^Ihre Reservierung/)).toHaveLength(1);
    expect(await mailed(user, /^Ihr Ladevorgang/)).toHaveLength(1);
  });

  test("is done by a form of any kind, and by nothing else", async () => {
    const user = await somebody();
    await charges(user);
    const url = unsubscribeUrlOf((await mailed(user, /^Your charge/))[0]);
    const page = await send(url, {});
    expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
    expect(page.text).toContain('<form method="post"><button name="List-Unsubscribe" value="One-Click">');
    expect(page.text).not.toContain(user.username);
    expect(page.headers.get("content-security-policy")).toContain("form-action 'self'");
    const json = { "content-type": "application/json" };
    for (const init of [
      { headers: FORM, body: "" },
      { headers: FORM, body: "List-Unsubscribe=Later" },
      { headers: json, body: '{"List-Unsubscribe":"One-Click"}' },
      { headers: { "content-type": "multipart/form-data; boundary=x" }, body: "no form" },
    ]) {
      const { status, text } = await send(url, { method: "POST", ...init });
      expect([status, JSON.parse(text).error.details[1].fieldViolations[0].field]).toEqual([400, "form"]);
    }
    expect((await send(url, { method: "HEAD" })).status).toBe(200);
    expect((await user.rest("GET", "/email/preferences")).body.charging).toBe(true);
    const form = new FormData();
    form.set("List-Unsubscribe", "One-Click");
    expect((await send(url, { method: "POST", body: form })).status).toBe(200);
    expect((await user.rest("GET", "/email/preferences")).body.charging).toBe(false);
  });

  test("wants a token that is ours", async () => {
    const user = await somebody();
    await charges(user);
    const url = unsubscribeUrlOf((await mailed(user, /^Your charge/))[0]);
    const token = url.slice(url.lastIndexOf("/") + 1);
    const others = ["x", `${token.slice(0, -4)}AAAA`, Buffer.from(`0123456789abcdefCHARGING ${user.id}`).toString("base64url")];
    for (const other of others) {
      for (const init of [{}, { method: "POST", headers: FORM, body: ONE_CLICK }]) {
        const { status, text } = await send(url.replace(token, other), init);
        expect([status, JSON.parse(text).error.details[0].reason]).toEqual([404, "UNSUBSCRIBE_TOKEN_INVALID"]);
      }
    }
    expect((await user.rest("GET", "/email/preferences")).body.charging).toBe(true);
    expect(lines.filter((line) => line.includes("/email/unsubscribe/…"))).not.toEqual([]);
    expect(lines.filter((line) => line.includes(token))).toEqual([]);
  });

  test("is nothing that mails about the account offer", async () => {
    const user = await somebody();
    const mails = await mailed(user, /Welcome|email address/);
    expect(mails).toHaveLength(2);
    for (const { headers } of mails) expect(headers.filter(({ key }) => key.startsWith("list-"))).toEqual([]);
  });
});

describe("preferences", () => {
  test("are changed by the user, and bring mails back", async () => {
    const user = await somebody();
    const all = { charging: false, reservation: false, operation: false };
    expect((await user.rest("PATCH", "/email/preferences", all)).body).toMatchObject(all);
    await charges(user);
    expect(await mailed(user, /^Your charge/)).toEqual([]);
    expect((await user.rest("PATCH", "/email/preferences", { charging: true })).body).toMatchObject({ ...all, charging: true });
    await charges(user);
    expect(await mailed(user, /^Your charge/)).toHaveLength(1);
  });

  test.each([[{ email: "other@example.com" }], [{ language: "de" }], [{}]])("cannot be changed by %j", async (change) => {
    const user = await somebody();
    const { status, body } = await user.rest("PATCH", "/email/preferences", change);
    expect([status, body.error.details[1].fieldViolations[0].field]).toEqual([400, "updateMask"]);
  });

  test("of others are for administrators", async () => {
    const user = await somebody();
    const path = `/email/users/${user.id}/preferences`;
    expect((await user.rest("GET", path)).status).toBe(403);
    expect((await user.rest("PATCH", path, { charging: false })).status).toBe(403);
    expect((await admin("PATCH", path, { reservation: false })).body).toMatchObject({
      userId: user.id,
      charging: true,
      reservation: false,
    });
    expect((await admin("GET", path)).body).toEqual((await user.rest("GET", "/email/preferences")).body);
    for (const method of ["GET", "PATCH"]) {
      const nobodys = "/email/users/00000000-0000-4000-8000-000000000000/preferences";
      const { status, body } = await admin(method, nobodys, method === "GET" ? undefined : { charging: false });
      expect([status, body.error.details[0].reason]).toEqual([404, "USER_NOT_FOUND"]);
    }
  });

  test("follow the user's language, and go with the user", async () => {
    const user = await somebody("de");
    await charges(user);
    const url = unsubscribeUrlOf((await mailed(user, /^Ihr Ladevorgang/))[0]);
    await user.rest("PATCH", "/auth/me", { language: "en" });
    await eventually(async () => (await user.rest("GET", "/email/preferences")).body.language === "en");
    await charges(user);
    expect(await mailed(user, /^Your charge/)).toHaveLength(1);
    await user.rest("PATCH", "/email/preferences", { charging: false });
    await user.rest("POST", "/auth/me:delete", { password: PASSWORD });
    const path = `/email/users/${user.id}/preferences`;
    await eventually(async () => (await admin("GET", path)).status === 404);
    // A mail that lies in a mailbox somewhere.
    expect((await send(url, { method: "POST", headers: FORM, body: ONE_CLICK })).status).toBe(200);
    expect((await admin("GET", path)).status).toBe(404);
  });
});
