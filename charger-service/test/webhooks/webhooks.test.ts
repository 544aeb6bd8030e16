import { randomUUID } from "node:crypto";
import { UserDeleted, UserUpdated } from "@chargemesh/contracts/auth/v1/events";
import type { NatsConnection } from "nats";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../../test/rest.ts";
import { openNats, openSite, type Site } from "../ocpp/site.ts";
import { refusal } from "../service.ts";
import { isSignedBy } from "./delivery-desk.ts";
import { type Hooks, hooksOf, tell } from "./hooks.ts";
import { openReceiver, type Receiver } from "./receiver.ts";

// Webhooks as a resource: who may do what with them, and what they are told.

const url = "https://receiver.example.com/hook";
const owner = randomUUID();
let site: Site;
let nats: NatsConnection;
let receiver: Receiver;
let operator: Hooks;
let admin: Hooks;

beforeAll(async () => {
  site = await openSite({ WEBHOOK_ALLOWED_NETWORKS: "127.0.0.0/8" });
  nats = await openNats(site.place);
  receiver = await openReceiver();
  operator = hooksOf(site.service, site.place.as("OPERATOR", owner));
  admin = hooksOf(site.service, site.place.as("ADMIN"));
});
afterAll(async () => {
  await nats?.close();
  await receiver?.leave();
  await site?.leave();
});

const time = expect.any(Date);

test("a webhook's secret is shown once, and kept sealed", async () => {
  const made = await operator.create({ url, types: ["TransactionStarted", "chargemesh.charger.v1.ChargerCreated"], chargerId: "CP-1" });
  const { secret, ...rest } = made;
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(rest).toMatchObject({
    url,
    types: ["chargemesh.charger.v1.TransactionStarted", "chargemesh.charger.v1.ChargerCreated"],
    chargerId: "CP-1",
    transactionId: "",
    inOrder: false,
    state: "ENABLED",
    disableReason: "DISABLE_REASON_UNSPECIFIED",
    ownerUserId: owner,
    ownerRole: "OPERATOR",
    etag: "1",
    createTime: time,
  });
  expect(await operator.get(made.id)).toEqual({ ...rest, secret: "" });
  expect(await operator.list("CP-1")).toEqual([{ ...rest, secret: "" }]);
  expect(await operator.list("CP-2")).toEqual([]);
  const [row] = await site.rows("select to_jsonb(webhook)::text as text from webhook where id = $1", [made.id]);
  expect(row?.text).not.toContain(secret.slice(6));
  const told = (await site.told()).filter(({ subject }) => subject === made.id);
  expect(told).toMatchObject([{ type: "WebhookCreated", data: { webhook: { url, ownerRole: "OPERATOR" } } }]);
  expect(JSON.stringify(told)).not.toContain("whsec_");
});

test.each([
  "",
  "receiver.example.com",
  "ftp://receiver.example.com",
  "https://user:word@receiver.example.com",
  `${url}#part`,
  `https://receiver.example.com/${"x".repeat(2_048)}`,
  "http://93.184.215.14/",
  "https://10.0.0.1/",
  "https://192.168.1.1:8443/",
  "https://169.254.169.254/latest",
  "https://0x0a000001/",
  "https://[::1]/",
  "https://[::ffff:10.0.0.1]/",
  "https://[fd00::1]/",
])("a URL is refused: %.40s", async (wrong) => {
  expect(await refusal(operator.create({ url: wrong }))).toEqual({
    code: "INVALID_ARGUMENT",
    reason: "INVALID_FIELD",
    fields: ["webhook.url"],
  });
});

test("who has it allowed reaches loopback, by plain http, too", async () => {
  for (const allowed of ["http://127.0.0.1/", "https://localhost:8443/", "http://127.1/", "https://[::ffff:127.0.0.1]/"]) {
    const { id } = await operator.create({ url: allowed });
    await operator.remove(id);
    expect((await refusal(operator.get(id))).reason).toBe("WEBHOOK_NOT_FOUND");
  }
});

test("types must be some that the webhook's owner may see", async () => {
  const wrong = async (hooks: Hooks, types: string[]) => (await refusal(hooks.create({ url, types }))).fields;
  expect(await wrong(operator, ["TransactionStarted", "Nonsense"])).toEqual(["webhook.types[1]"]);
  expect(await wrong(admin, ["OneTimeTokenIssued"])).toEqual(["webhook.types[0]"]);
  expect(await wrong(operator, ["UserCreated"])).toEqual(["webhook.types[0]"]);
  const { id } = await operator.create({ url });
  expect((await refusal(admin.update({ id, types: ["UserCreated"] }, ["types"]))).fields).toEqual(["webhook.types[0]"]);
  expect((await admin.create({ url, types: ["UserCreated", "UserCreated"] })).types).toEqual(["chargemesh.auth.v1.UserCreated"]);
});

test("only what the mask names is changed, over nothing that nobody has read", async () => {
  const { id } = await operator.create({ url, chargerId: "CP-1", description: "one" });
  const changed = await operator.update({ id, url: `${url}/2`, etag: "1", description: "two" }, ["url"]);
  expect(changed).toMatchObject({ url: `${url}/2`, chargerId: "CP-1", description: "one", etag: "2", secret: "" });
  expect((await refusal(operator.update({ id, inOrder: true, etag: "1" }, ["in_order"]))).reason).toBe("ETAG_STALE");
  expect((await refusal(operator.update({ id }, ["state"]))).fields).toEqual(["update_mask"]);
  expect((await refusal(operator.update({ id, url: "https://10.0.0.1" }, ["url"]))).fields).toEqual(["webhook.url"]);
  expect(await operator.update({ id, inOrder: true }, ["in_order", "charger_id"])).toMatchObject({ inOrder: true, chargerId: "" });
  expect((await refusal(operator.update({ id: randomUUID() }, ["url"]))).reason).toBe("WEBHOOK_NOT_FOUND");
});

test("operators see an administrator's webhook, and do nothing with it", async () => {
  const { id } = await admin.create({ url: receiver.url, types: ["ChargerDeleted"] });
  const { id: deliveryId } = await admin.test(id);
  expect(await operator.get(id)).toMatchObject({ id, ownerRole: "ADMIN" });
  const startTime = new Date(0);
  const refusals = [
    operator.update({ id, url }, ["url"]),
    operator.remove(id),
    operator.rotate(id),
    operator.disable(id),
    operator.enable(id),
    operator.test(id),
    operator.replay({ id, startTime }),
    operator.deliveries(id),
    operator.delivery(id, deliveryId),
    operator.redeliver(id, deliveryId),
  ].map(refusal);
  for (const refused of await Promise.all(refusals)) expect(refused).toMatchObject({ code: "PERMISSION_DENIED", reason: "ACCESS_DENIED" });
  expect(await admin.get(id)).toMatchObject({ url: receiver.url, state: "ENABLED", etag: "1" });
});

test("a test is sent to that webhook alone, whatever it asks for, and signed by both secrets after a rotation", async () => {
  const { id, secret } = await operator.create({ url: receiver.url, types: ["ChargerDeleted"] });
  const rotated = await operator.rotate(id);
  expect(rotated.secret).toMatch(/^whsec_/);
  expect(rotated.secret).not.toBe(secret);
  expect(rotated.previousSecretExpireTime?.getTime()).toBeGreaterThan(Date.now() + 86_000_000);
  const queued = await operator.test(id);
  expect(queued).toMatchObject({ webhookId: id, type: "chargemesh.charger.v1.WebhookTested", subject: id, cursor: "", attempts: [] });
  const delivered = await eventually(async () => {
    const now = await operator.delivery(id, queued.id);
    return now.state === "DELIVERED" && now;
  });
  expect(delivered).toMatchObject({
    attemptCount: 1,
    attempts: [{ number: 1, httpStatus: 200, error: "", response: "thanks" }],
    endTime: time,
  });
  const [came] = receiver.received.filter(({ headers }) => headers["webhook-id"] === queued.eventId);
  if (came === undefined) throw new Error("it never came");
  expect([isSignedBy(came, secret), isSignedBy(came, rotated.secret)]).toEqual([true, true]);
  expect(JSON.parse(came.body)).toEqual(delivered.event);
  expect(delivered.event).toMatchObject({ type: queued.type, data: { webhookId: id, userId: owner } });
  const again = await operator.redeliver(id, queued.id);
  expect(again).toMatchObject({ state: "PENDING", id: queued.id });
  await eventually(async () => (await operator.delivery(id, queued.id)).attempts.length === 2);
  expect(receiver.ids().filter((one) => one === queued.eventId)).toHaveLength(2);
  const idsOf = async (filter: object) => (await operator.deliveries(id, filter)).map((one) => one.id);
  expect(await idsOf({ type: "WebhookTested", state: "DELIVERED" })).toEqual([queued.id]);
  expect(await idsOf({ state: "FAILED" })).toEqual([]);
  expect(await idsOf({ type: "ChargerDeleted" })).toEqual([]);
  expect((await refusal(operator.delivery(id, "999999"))).reason).toBe("WEBHOOK_DELIVERY_NOT_FOUND");
});

test("what is disabled is neither tested, nor replayed, nor sent anything again", async () => {
  const { id } = await operator.create({ url: receiver.url, types: ["ChargerDeleted"] });
  const { id: deliveryId } = await operator.test(id);
  await eventually(async () => (await operator.delivery(id, deliveryId)).state === "DELIVERED");
  expect(await operator.disable(id)).toMatchObject({ state: "DISABLED", disableReason: "REQUESTED", etag: "2" });
  expect(await operator.disable(id)).toMatchObject({ etag: "2" });
  const refusals = [operator.test(id), operator.redeliver(id, deliveryId), operator.replay({ id, startTime: new Date(0) })].map(refusal);
  for (const refused of await Promise.all(refusals))
    expect(refused).toMatchObject({ code: "FAILED_PRECONDITION", reason: "WEBHOOK_DISABLED" });
  const enabled = await admin.enable(id);
  expect(enabled).toMatchObject({ state: "ENABLED", disableReason: "DISABLE_REASON_UNSPECIFIED", ownerUserId: owner });
});

test("a webhook sees no more than its owner may, who may become less and less", async () => {
  const [userId, other] = [randomUUID(), randomUUID()];
  const theirs = hooksOf(site.service, site.place.as("ADMIN", userId));
  const { id } = await theirs.create({ url });
  const kept = await hooksOf(site.service, site.place.as("ADMIN", other)).create({ url });
  const become = (role: string, disabled = false) => tell(nats, UserUpdated.$type, userId, { user: { id: userId, role, disabled } });
  const reasonOf = async () => (await admin.get(id)).disableReason;
  await become("OPERATOR");
  await eventually(async () => (await admin.get(id)).ownerRole === "OPERATOR");
  expect(await reasonOf()).toBe("DISABLE_REASON_UNSPECIFIED");
  await become("DRIVER");
  await eventually(async () => (await reasonOf()) === "OWNER_DEMOTED");
  await become("OPERATOR");
  await become("OPERATOR", true);
  await eventually(async () => (await reasonOf()) === "OWNER_DISABLED");
  await tell(nats, UserDeleted.$type, userId, { userId });
  await eventually(async () => (await reasonOf()) === "OWNER_DELETED");
  expect(await admin.get(kept.id)).toMatchObject({ state: "ENABLED", ownerRole: "ADMIN", etag: "1" });
  expect(await operator.enable(id)).toMatchObject({ state: "ENABLED", ownerUserId: owner, ownerRole: "OPERATOR" });
  const told = (await site.told()).filter(({ subject }) => subject === id).map(({ type }) => type);
  expect(told).toEqual(["WebhookCreated", "WebhookUpdated", "WebhookDisabled", "WebhookUpdated"]);
});

test("what an administrator's webhook had of administrators' events, is nobody's once its owner is an operator", async () => {
  const userId = randomUUID();
  const { id } = await hooksOf(site.service, site.place.as("ADMIN", userId)).create({ url: receiver.url });
  const other = await admin.create({ url: receiver.url });
  const eventId = await tell(nats, UserUpdated.$type, userId, { user: { id: userId, role: "ADMIN", email: "somebody@example.com" } });
  const typesOf = async (webhookId: string) => (await admin.deliveries(webhookId)).map(({ type }) => type);
  await eventually(async () => (await typesOf(id)).includes(UserUpdated.$type) && (await typesOf(other.id)).includes(UserUpdated.$type));
  await eventually(async () => receiver.ids().filter((one) => one === eventId).length === 2);
  await tell(nats, UserUpdated.$type, userId, { user: { id: userId, role: "OPERATOR" } });
  await eventually(async () => (await admin.get(id)).ownerRole === "OPERATOR");
  await operator.test(id);
  expect(await typesOf(id)).not.toContain(UserUpdated.$type);
  expect(await typesOf(id)).toContain("chargemesh.charger.v1.WebhookTested");
  expect(await typesOf(other.id)).toContain(UserUpdated.$type);
  await Promise.all([admin.remove(id), admin.remove(other.id)]);
});

test("nobody gets or keeps a webhook by a token that says more of them than they are", async () => {
  const userId = randomUUID();
  const [asAdmin, asOperator] = (["ADMIN", "OPERATOR"] as const).map((role) => hooksOf(site.service, site.place.as(role, userId)));
  if (asAdmin === undefined || asOperator === undefined) throw new Error("there are two");
  const { id } = await asOperator.create({ url });
  const { id: theirs } = await operator.create({ url });
  await operator.disable(theirs);
  const become = (role: string, disabled = false) => tell(nats, UserUpdated.$type, userId, { user: { id: userId, role, disabled } });
  const refused = { code: "PERMISSION_DENIED", reason: "ACCESS_DENIED" };
  await become("OPERATOR");
  await eventually(async () => (await refusal(asAdmin.disable(id)))?.reason === "ACCESS_DENIED");
  expect(await refusal(asAdmin.create({ url }))).toMatchObject(refused);
  expect(await asOperator.update({ id: theirs, url: `${url}/moved` }, ["url"])).toMatchObject({
    ownerUserId: userId,
    ownerRole: "OPERATOR",
  });
  expect(await asOperator.update({ id, description: "same place" }, ["description"])).toMatchObject({ ownerUserId: userId });
  await become("OPERATOR", true);
  await eventually(async () => (await admin.get(theirs)).disableReason === "OWNER_DISABLED");
  const late = [asOperator.create({ url }), asOperator.enable(id), asOperator.update({ id, url }, ["url"])].map(refusal);
  for (const one of await Promise.all(late)) expect(one).toMatchObject(refused);
  expect(await admin.get(id)).toMatchObject({ state: "DISABLED", disableReason: "OWNER_DISABLED" });
  await become("OPERATOR");
  await eventually(async () => (await asOperator.enable(id).catch(() => undefined))?.state === "ENABLED");
  await Promise.all([admin.remove(id), admin.remove(theirs)]);
});

test("what was sent is forgotten after so many days, and what waits is not", async () => {
  const { id } = await operator.create({ url: receiver.url, types: ["ChargerDeleted"] });
  const [old, young] = [await operator.test(id), await operator.test(id)];
  await eventually(async () => (await operator.deliveries(id, { state: "DELIVERED" })).length === 2);
  await site.rows("update webhook_delivery set end_time = now() - interval '31 days' where id = $1", [old.id]);
  await eventually(async () => (await operator.deliveries(id)).length === 1);
  expect((await operator.deliveries(id)).map((one) => one.id)).toEqual([young.id]);
});

test("there are not more than a hundred", async () => {
  await site.rows(`insert into webhook (url, sealed_secret, owner_user_id, owner_role, state, disable_reason)
    select 'https://example.com', 'x', gen_random_uuid(), 'OPERATOR', 'DISABLED', 'REQUESTED'
    from generate_series(1, 100 - (select count(*)::integer from webhook))`);
  expect(await refusal(operator.create({ url }))).toMatchObject({ code: "FAILED_PRECONDITION", reason: "TOO_MANY_WEBHOOKS" });
  expect(await operator.list()).toHaveLength(50);
});
