import { User } from "@chargemesh/contracts/auth/v1/user";
import { forwardUserAgent, makeForwarding } from "@chargemesh/kit/forwarding";
import { makeSealedTexts } from "@chargemesh/kit/sealed-text";
import { Metadata, type ServiceError } from "@grpc/grpc-js";
import { AckPolicy, connect, DeliverPolicy, type NatsConnection } from "nats";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type MovableClock, movableClock } from "./clock.ts";
import { ADMIN, call, freshPlace, logIn, type Place, refusal, type Service, signedIn, startService } from "./service.ts";
import { openTables } from "./tables.ts";

// What is told of accounts, read where everybody reads it: in the stream.

const PASSWORD = "correct horse battery staple";
const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
const NEWER_FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0.2";
const SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/604.1";
const HOME = { address: "198.51.100.7", agent: FIREFOX };
type Device = typeof HOME;

let place: Place;
let clock: MovableClock;
let service: Service;
let nats: NatsConnection;
let forwarded: (address: string) => Readonly<Record<string, string>>;

beforeAll(async () => {
  place = await freshPlace();
  clock = movableClock();
  service = await startService(place, {}, clock);
  forwarded = makeForwarding(place.vars.MESH_SECRET ?? "");
  const { host, username, password } = new URL(place.nats.url);
  nats = await connect({ servers: host, user: username, pass: password });
});
afterAll(async () => {
  await nats?.close();
  await service?.stop();
  await place?.leave();
});

type Method<Req, Res> = (
  request: Req,
  metadata: Metadata,
  options: { deadline: number },
  callback: (err: ServiceError | null, response: Res) => void,
) => unknown;

/** Calls as somebody would by way of the gateway. */
function from<Req, Res>({ address, agent }: Device, client: object, method: Method<Req, Res>, request: Req): Promise<Res> {
  const metadata = Metadata.fromHttp2Headers({ ...forwarded(address), ...forwardUserAgent(agent) });
  return new Promise((resolve, reject) => {
    method.call(client, request, metadata, { deadline: Date.now() + 20_000 }, (err, response) =>
      err === null ? resolve(response) : reject(err),
    );
  });
}

const signUp = async (username: string, language = "", at = HOME) =>
  signedIn(await from(at, service.users, service.users.signUp, { username, password: PASSWORD, email: "", language }));
const signIn = (username: string, at = HOME, password = PASSWORD) => from(at, service.users, service.users.logIn, { username, password });
const setLanguage = (language: string, token: string, updateMask = ["language"]) =>
  call(service.users, service.users.updateMe, { user: User.fromPartial({ language }), updateMask }, token);
const me = async (token: string) => (await call(service.users, service.users.getMe, {}, token)).user;
const change = async (user: Partial<User>, updateMask: string[]) => {
  const { accessToken } = await logIn(service, ADMIN);
  return call(service.users, service.users.updateUser, { user: User.fromPartial(user), updateMask }, accessToken);
};

interface Told {
  type: string;
  subject: string;
  // biome-ignore lint/suspicious/noExplicitAny: JSON of any event.
  data: any;
}

/** What the stream tells, from the first event to the last. */
async function toldUntil(isLast: (event: Told) => boolean): Promise<Told[]> {
  const manager = await nats.jetstreamManager();
  const { name } = await manager.consumers.add("chargemesh_auth_v1", {
    deliver_policy: DeliverPolicy.All,
    ack_policy: AckPolicy.None,
    mem_storage: true,
  });
  const consumer = await nats.jetstream().consumers.get("chargemesh_auth_v1", name);
  const told: Told[] = [];
  for await (const message of await consumer.consume()) {
    const { type, ...event } = message.json<Told>();
    const next = { ...event, type: type.slice("chargemesh.auth.v1.".length) };
    told.push(next);
    if (isLast(next)) break;
  }
  return told;
}

/** All that was told of a user, up to their deletion, which this has done. */
async function storyOf(id: string): Promise<Told[]> {
  const { accessToken } = await logIn(service, ADMIN);
  await call(service.users, service.users.deleteUser, { id }, accessToken);
  const told = await toldUntil(({ type, subject }) => type === "UserDeleted" && subject === id);
  return told.filter(({ subject }) => subject === id).slice(0, -1);
}

test("a language is named at sign-up and changed, and told with each event of the user", async () => {
  const { id, accessToken } = await signUp("ada", "de-CH");
  expect(await me(accessToken)).toMatchObject({ username: "ada", language: "de" });
  expect((await setLanguage("en-GB", accessToken)).user).toMatchObject({ id, username: "ada", role: "DRIVER", language: "en" });
  // The second time nothing changes, so nothing is told.
  await setLanguage("en", accessToken);
  expect((await change({ id, language: "DE" }, ["language"])).user?.language).toBe("de");
  expect((await setLanguage("", accessToken)).user?.language).toBe("en");
  expect((await storyOf(id)).map(({ type, data }) => [type, data.user?.language])).toEqual([
    ["UserCreated", "de"],
    ["UserUpdated", "en"],
    ["UserUpdated", "de"],
    ["UserUpdated", "en"],
  ]);
});

test.each([
  ["no tag at all", "deutsch!"],
  ["a tag with an underscore", "de_CH"],
  ["a language that is not offered", "fr"],
])("%s is refused by the name of the field", async (_what, language) => {
  const invalid = (field: string) => ({ code: "INVALID_ARGUMENT", reason: "INVALID_FIELD", fields: [field] });
  expect(await refusal(signUp("bob", language))).toEqual(invalid("language"));
  const { id, accessToken } = await logIn(service, ADMIN);
  expect(await refusal(setLanguage(language, accessToken))).toEqual(invalid("user.language"));
  expect(await refusal(change({ id, language }, ["language"]))).toEqual(invalid("user.language"));
  expect((await me(accessToken))?.language).toBe("en");
});

test("users change nothing but their language, and only who has signed in does", async () => {
  const { accessToken } = await signUp("carol");
  const refused = { code: "INVALID_ARGUMENT", reason: "INVALID_FIELD", fields: ["update_mask"] };
  for (const mask of [[], ["role"], ["language", "email"]]) expect(await refusal(setLanguage("de", accessToken, mask))).toEqual(refused);
  expect(await me(accessToken)).toMatchObject({ role: "DRIVER", language: "en" });
  const nobody = call(service.users, service.users.updateMe, { user: User.fromPartial({ language: "de" }), updateMask: ["language"] });
  expect(await refusal(nobody)).toMatchObject({ code: "UNAUTHENTICATED", reason: "TOKEN_MISSING" });
});

test("a user who is disabled and enabled again is told of so, beside the change", async () => {
  const { id } = await signUp("dora");
  await change({ id, disabled: true }, ["disabled"]);
  await change({ id, disabled: true, role: "OPERATOR" }, ["disabled", "role"]);
  await change({ id, disabled: false }, ["disabled"]);
  expect((await storyOf(id)).slice(1).map(({ type, data }) => [type, data.user.disabled ?? false, data.user.role])).toEqual([
    ["UserUpdated", true, "DRIVER"],
    ["UserDisabled", true, "DRIVER"],
    ["UserUpdated", true, "OPERATOR"],
    ["UserUpdated", false, "OPERATOR"],
    ["UserEnabled", false, "OPERATOR"],
  ]);
});

test("an address that was shown to be theirs is told of, and a reset that was asked for, without what was typed", async () => {
  const { id } = await signUp("erin@example.org");
  const issued = (await toldUntil(({ type, subject }) => type === "OneTimeTokenIssued" && subject === id)).at(-1);
  const token = makeSealedTexts(place.vars.MESH_SECRET ?? "", "one-time token").open(issued?.data.sealedToken) ?? "";
  await call(service.accounts, service.accounts.verifyEmail, { token });
  const { requestPasswordReset } = service.accounts;
  await from(HOME, service.accounts, requestPasswordReset, { username: "erin@example.org", email: "" });
  await from(HOME, service.accounts, requestPasswordReset, { username: "my-secret-passphrase", email: "" });
  const story = await storyOf(id);
  expect(story.map(({ type }) => type)).toEqual([
    "UserCreated",
    "OneTimeTokenIssued",
    "UserUpdated",
    "UserVerified",
    "PasswordResetRequested",
    "OneTimeTokenIssued",
  ]);
  expect(story[3]?.data.user).toMatchObject({ id, email: "erin@example.org", emailVerified: true });
  expect(story[4]?.data).toEqual({ userId: id, remoteAddress: HOME.address });
  const all = await toldUntil(({ type, subject }) => type === "UserDeleted" && subject === id);
  // For somebody who is nobody as many events are told, about nobody.
  const nobodys = all.filter(({ type, data }) => type === "PasswordResetRequested" && data.userId === undefined);
  expect(nobodys.map(({ data }) => data)).toEqual([{ remoteAddress: HOME.address }]);
  const nobodysTokens = all.filter(({ type, data }) => type === "OneTimeTokenIssued" && data.userId === undefined);
  expect(nobodysTokens).toHaveLength(1);
  expect(JSON.stringify(all)).not.toContain("my-secret-passphrase");
});

const noticesIn = (story: Told[]) => story.filter(({ type }) => type === "SecurityNoticeRaised").map(({ data }) => data);

test("a sign-in with another kind of program or from another network is told, once for each", async () => {
  const { id, username } = await signUp("fay@example.org");
  await signIn(username);
  await signIn(username, { address: "198.51.100.200", agent: NEWER_FIREFOX });
  await signIn(username, { ...HOME, agent: SAFARI });
  await signIn(username, { ...HOME, agent: SAFARI });
  const abroad = { address: "2001:db8:7:1::1", agent: FIREFOX };
  await signIn(username, abroad);
  await signIn(username, { ...abroad, address: "2001:db8:7:2::9" });
  expect(await refusal(signIn(username, { ...HOME, agent: "curl/8.0" }, "a wrong password"))).toMatchObject({
    reason: "INVALID_CREDENTIALS",
  });
  const news = { userId: id, email: username, username, kind: "NEW_SIGN_IN", language: "en", time: expect.any(String) };
  expect(noticesIn(await storyOf(id))).toEqual([
    { ...news, remoteAddress: HOME.address, userAgent: SAFARI },
    { ...news, remoteAddress: abroad.address, userAgent: FIREFOX },
  ]);
});

test("the first sign-in of somebody who never signed in is no news, and a device is forgotten after half a year unless it is the last", async () => {
  const tables = await openTables(place);
  const { id, username } = await signUp("gus@example.org");
  const count = async (): Promise<number> =>
    Number((await tables.query("select count(*) from device where user_id = $1", [id])).rows[0].count);
  await tables.query("delete from device where user_id = $1", [id]);
  await signIn(username);
  await signIn(username, { ...HOME, agent: SAFARI });
  expect(await count()).toBe(2);
  clock.aheadMs += 181 * 24 * 3_600_000;
  const later = await startService(place, {}, clock);
  await expect.poll(count).toBe(1);
  await later.stop();
  // The last one is known, whatever its age; the other is news again.
  await signIn(username, { ...HOME, agent: SAFARI });
  await signIn(username);
  clock.aheadMs = 0;
  const agents = noticesIn(await storyOf(id)).map(({ userAgent }) => userAgent);
  expect(agents).toEqual([SAFARI, FIREFOX]);
  expect(await count()).toBe(0);
  await tables.end();
});
