import { randomUUID } from "node:crypto";
import type { AuditEntry } from "@chargemesh/contracts/audit/v1/audit_entry";
import { AuditServiceClient, ListAuditEntriesRequest } from "@chargemesh/contracts/audit/v1/audit_service";
import { AuditEntryRecorded } from "@chargemesh/contracts/audit/v1/events";
import { User } from "@chargemesh/contracts/auth/v1/user";
import type { CloudEvent } from "@chargemesh/kit/cloud-event";
import { subjectOf } from "@chargemesh/kit/outbox";
import { credentials } from "@grpc/grpc-js";
import { AckPolicy, connect, type NatsConnection } from "nats";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../test/rest.ts";
import { ADMIN, call, freshPlace, logIn, type Place, refusal, type Service, signUp, startService } from "./service.ts";

let place: Place;
let service: Service;
let nats: NatsConnection;
let audit: AuditServiceClient;
let token: string;

beforeAll(async () => {
  place = await freshPlace();
  await restart();
  const { hostname, port, username, password } = new URL(place.nats.url);
  nats = await connect({ servers: `${hostname}:${port}`, user: username, pass: password });
});
afterAll(async () => {
  await nats?.close();
  audit?.close();
  await service?.stop();
  await place?.leave();
});

async function restart(): Promise<void> {
  audit?.close();
  await service?.stop();
  service = await startService(place);
  audit = new AuditServiceClient(service.address, credentials.createInsecure());
  ({ accessToken: token } = await logIn(service, ADMIN));
}

const list = (request: Partial<ListAuditEntriesRequest>, accessToken = token) =>
  call(audit, audit.listAuditEntries, ListAuditEntriesRequest.fromPartial(request), accessToken);

/** Says, as another service would, that somebody did something. */
async function tell(entry: Partial<AuditEntry>, event: Partial<CloudEvent> = {}): Promise<CloudEvent> {
  const type = AuditEntryRecorded.$type;
  const whole = { actor: { kind: "USER", id: "u-1", name: "ada", apiKeyId: "" }, action: "a/A", result: "OK", count: 1, ...entry } as const;
  const told: CloudEvent = {
    specversion: "1.0",
    id: randomUUID(),
    source: "charger-service",
    type,
    subject: whole.action,
    time: new Date().toISOString(),
    datacontenttype: "application/json",
    data: AuditEntryRecorded.toJSON(AuditEntryRecorded.fromPartial({ auditEntry: whole })),
    requestid: "request-1",
    ...event,
  };
  await nats.jetstream().publish(subjectOf(type, told.subject), JSON.stringify(told));
  return told;
}

/** What there is of one request once there is as much as is expected. */
const settled = (request: Partial<ListAuditEntriesRequest>, count: number) =>
  eventually(async () => {
    const { auditEntries } = await list({ pageSize: 200, ...request });
    return auditEntries.length >= count && auditEntries;
  });

/** As the service's own role. */
async function asService(statement: string): Promise<string | unknown[]> {
  const client = new pg.Client({ connectionString: place.vars.AUTH_DATABASE_URL, options: "-c search_path=authentication" });
  await client.connect();
  return client
    .query(statement)
    .then(
      ({ rows }) => rows,
      (err: unknown) => String(err),
    )
    .finally(() => client.end());
}

test("what services tell is kept once each, whole, and listed newest first in pages", async () => {
  const resource = "chargers/A-1";
  const at = (second: number) => ({ time: `2026-11-03T10:00:0${second}.000Z` });
  const first = await tell({ resource, details: { command: "c-1" }, remoteAddress: "192.0.2.1" }, at(1));
  const later = [
    await tell({ resource }, at(3)),
    await tell({ resource }, at(2)),
    await tell({ resource }, at(2)),
    await tell({ resource }, at(4)),
  ];
  await nats.jetstream().publish(subjectOf(first.type, first.subject), JSON.stringify(first));
  await tell({ resource: "chargers/A-2" });
  await settled({ resource: "chargers/A-2" }, 1);
  const seen: AuditEntry[] = [];
  let pageToken = "";
  do {
    const page = await list({ resource, pageSize: 2, pageToken });
    expect(page.auditEntries.length).toBeLessThanOrEqual(2);
    seen.push(...page.auditEntries);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  expect(seen.map(({ time }) => time?.getUTCSeconds())).toEqual([4, 3, 2, 2, 1]);
  expect(new Set(seen.map(({ id }) => id))).toEqual(new Set([first, ...later].map(({ id }) => id)));
  expect(seen.at(-1)).toEqual({
    id: first.id,
    time: new Date(first.time),
    actor: { kind: "USER", id: "u-1", name: "ada", apiKeyId: "" },
    action: "a/A",
    resource,
    result: "OK",
    remoteAddress: "192.0.2.1",
    requestId: "request-1",
    details: { command: "c-1" },
    count: 1,
  });
});

test("a list holds only what is asked for", async () => {
  const byKey = { kind: "USER", id: "u-2", name: "bob", apiKeyId: "k-1" } as const;
  const time = "2026-10-01T12:00:00.000Z";
  const told = {
    plain: await tell({ resource: "r/1", action: "b/B" }, { time: "2026-10-01T11:59:59.999Z" }),
    byKey: await tell({ actor: byKey, resource: "r/1" }, { time }),
    refused: await tell({ resource: "r/1", action: "b/B", result: "ACCESS_DENIED", count: 7 }, { time: "2026-10-01T12:00:00.001Z" }),
  };
  await settled({ resource: "r/1" }, 3);
  const idsOf = async (request: Partial<ListAuditEntriesRequest>) => (await list(request)).auditEntries.map(({ id }) => id);
  expect(await idsOf({ resource: "r/1", actorId: "u-1" })).toEqual([told.refused.id, told.plain.id]);
  expect(await idsOf({ actorId: "u-2" })).toEqual([told.byKey.id]);
  expect(await idsOf({ apiKeyId: "k-1" })).toEqual([told.byKey.id]);
  expect(await idsOf({ action: "b/B" })).toEqual([told.refused.id, told.plain.id]);
  expect(await idsOf({ result: "ACCESS_DENIED", resource: "r/1" })).toEqual([told.refused.id]);
  expect(await idsOf({ resource: "r/1", startTime: new Date(time) })).toEqual([told.refused.id, told.byKey.id]);
  expect(await idsOf({ resource: "r/1", endTime: new Date(time) })).toEqual([told.plain.id]);
  expect(await idsOf({ resource: "r" })).toEqual([]);
});

test("a service that does something by itself is named by the event", async () => {
  await tell({ actor: { kind: "SERVICE", id: "", name: "", apiKeyId: "" }, resource: "r/2" }, { source: "email-service" });
  const [entry] = await settled({ resource: "r/2" }, 1);
  expect(entry?.actor).toEqual({ kind: "SERVICE", id: "email-service", name: "", apiKeyId: "" });
});

test("the list is for administrators", async () => {
  const { accessToken } = await signUp(service, "not-an-admin");
  expect(await refusal(list({}, accessToken))).toMatchObject({ code: "PERMISSION_DENIED", reason: "ACCESS_DENIED" });
  expect(await refusal(list({ pageToken: "garbage" }))).toMatchObject({ code: "INVALID_ARGUMENT", fields: ["page_token"] });
  expect(await refusal(list({ pageSize: -1 }))).toMatchObject({ code: "INVALID_ARGUMENT", fields: ["page_size"] });
});

test("the service may add entries and read them, and not change or remove any", async () => {
  await tell({ resource: "r/3" });
  await settled({ resource: "r/3" }, 1);
  const denied = expect.stringContaining("permission denied for table audit_entry");
  expect(await asService("update audit_entry set result = 'OK'")).toEqual(denied);
  expect(await asService("update audit_entry set details = '{}' where false")).toEqual(denied);
  expect(await asService("delete from audit_entry")).toEqual(denied);
  expect(await asService("truncate audit_entry")).toEqual(denied);
  expect(await asService("select resource from audit_entry for update")).toEqual(denied);
  expect(await asService("drop table audit_entry")).toContain("must be owner");
  expect(await asService("alter table audit_entry add column x text")).toContain("must be owner");
  expect(
    await asService("create or replace function forget_audit_entries(days integer) returns bigint language sql as 'select 1'"),
  ).toContain("permission denied");
  expect(await asService("select resource from audit_entry where resource = 'r/3'")).toEqual([{ resource: "r/3" }]);
});

test("what is old is removed, and nothing of the last 90 days, whoever asks", async () => {
  const aged = (days: number) => ({ time: new Date(Date.now() - days * 86_400_000).toISOString() });
  await tell({ resource: "r/4", action: "old" }, aged(401));
  await tell({ resource: "r/4", action: "older than 90 days" }, aged(91));
  await tell({ resource: "r/4", action: "younger" }, aged(89));
  await settled({ resource: "r/4" }, 3);
  const actions = async () => (await list({ resource: "r/4" })).auditEntries.map(({ action }) => action);
  await restart();
  await eventually(async () => (await actions()).length < 3);
  expect(await actions()).toEqual(["younger", "older than 90 days"]);
  await asService("select forget_audit_entries(0)");
  expect(await actions()).toEqual(["younger"]);
});

test("refusals alike are kept at once and then together; a flood of others ends at a limit", async () => {
  const someone = (id: string) => call(service.users, service.users.updateUser, { user: User.fromPartial({ id }), updateMask: [] });
  const ids = Array.from({ length: 150 }, () => randomUUID());
  for (let i = 0; i < 20; i++) expect(await refusal(someone("not-there"))).toMatchObject({ reason: "TOKEN_MISSING" });
  const [entry, ...others] = await settled({ resource: "users/not-there" }, 1);
  expect(others).toEqual([]);
  expect(entry).toMatchObject({
    actor: { kind: "ANONYMOUS", id: "" },
    action: "chargemesh.auth.v1.UserService/UpdateUser",
    result: "TOKEN_MISSING",
    remoteAddress: "127.0.0.1",
    count: 1,
  });
  for (const id of ids) await refusal(someone(id));
  // What was counted is written when the service stops, too.
  await restart();
  const [total] = await settled({ resource: "users/not-there" }, 2);
  expect(total?.count).toBe(19);
  const all = await settled({ result: "TOKEN_MISSING", action: "chargemesh.auth.v1.UserService/UpdateUser" }, 103);
  expect(all.filter(({ resource }) => resource === "").map(({ count }) => count)).toEqual([50, 1]);
  expect(all.reduce((sum, { count }) => sum + count, 0)).toBe(170);
});

test("what the request itself has wrong is no matter for the log", async () => {
  await refusal(call(service.users, service.users.logIn, { username: "", password: "" }));
  await restart();
  expect((await list({ result: "INVALID_FIELD" })).auditEntries).toEqual([]);
});

test("nobody else can read what services tell", async () => {
  const manager = await nats.jetstreamManager();
  const second = manager.consumers.add("chargemesh_audit_v1", { durable_name: "curious", ack_policy: AckPolicy.Explicit });
  await expect(second).rejects.toThrow(/filtered consumer not unique|multiple non-filtered consumers/);
  // What has been read is gone.
  await eventually(async () => (await manager.streams.info("chargemesh_audit_v1")).state.messages === 0);
});
