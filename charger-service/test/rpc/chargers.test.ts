import { Charger, Credential } from "@chargemesh/contracts/charger/v1/charger";
import { Metadata } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../../test/rest.ts";
import { openSite, type Site } from "../ocpp/site.ts";
import { asService, call, given, type Place, refusal, type Service } from "../service.ts";

let site: Site;
let place: Place;
let service: Service;
let operator: Metadata;

beforeAll(async () => {
  site = await openSite();
  ({ place, service } = site);
  operator = place.as("OPERATOR");
});
afterAll(async () => {
  await site?.leave();
});

type Fields = Partial<Charger>;

const create = async (fields: Fields, as = operator) =>
  given((await call(service.chargers, service.chargers.createCharger, { charger: Charger.fromPartial(fields) }, as)).charger);
const get = async (id: string, as = operator) => given((await call(service.chargers, service.chargers.getCharger, { id }, as)).charger);
const list = (pageSize: number, pageToken = "", connected?: boolean, as = operator) =>
  call(service.chargers, service.chargers.listChargers, { pageSize, pageToken, connected }, as);
const update = async (fields: Fields, updateMask: string[] | undefined, as = operator) => {
  const request = { charger: Charger.fromPartial(fields), updateMask };
  return given((await call(service.chargers, service.chargers.updateCharger, request, as)).charger);
};
const remove = (id: string, as = operator) => call(service.chargers, service.chargers.deleteCharger, { id }, as);
const commandsOf = async (chargerId: string) =>
  (await call(service.commands, service.commands.listCommands, { chargerId, pageSize: 0, pageToken: "" }, operator)).commands;
const knock = async (chargerId: string, password = "") => {
  const authorization = `Basic ${Buffer.from(`${chargerId}:${password}`).toString("base64")}`;
  const request = { chargerId, authorization, protocols: ["ocpp1.6"], remoteAddress: "192.0.2.1", secure: false };
  const gateway = await asService("gateway");
  return (await call(service.connections, service.connections.checkConnection, request, gateway)).reason;
};

const invalid = (...fields: string[]) => ({ code: "INVALID_ARGUMENT", reason: "INVALID_FIELD", fields });
const notFound = { code: "NOT_FOUND", reason: "CHARGER_NOT_FOUND", fields: [] };
const denied = { code: "PERMISSION_DENIED", reason: "ACCESS_DENIED", fields: [] };
const stale = { code: "ABORTED", reason: "ETAG_STALE", fields: [] };

test("a charger is created with what was left out made up, and its password is answered once", async () => {
  const created = await create({ id: "CP-made-up" });
  expect(created).toEqual({
    ...Charger.fromPartial({
      id: "CP-made-up",
      password: expect.stringMatching(/^[\w-]{20}$/),
      registration: "ACCEPTED",
      availability: "AVAILABLE",
      securityProfile: 1,
      createTime: expect.any(Date),
      updateTime: expect.any(Date),
      etag: "1",
    }),
    credential: { ...Credential.fromPartial({ state: "CURRENT" }), setTime: created.createTime },
  });
  expect(await get("CP-made-up")).toEqual({ ...created, password: undefined });
  expect(await knock("CP-made-up", created.password)).toBe("");
});

test("a charger is created as it is given", async () => {
  const fields = {
    id: "a*_=+|@.-Z9",
    displayName: "Hof, hinten links",
    password: "a password of the operator".replaceAll(" ", "-"),
    registration: "PENDING",
    availability: "UNAVAILABLE",
  } as const;
  // What only we may say is not taken from the request.
  const created = await create({ ...fields, connected: true, vendor: "me", etag: "7", createTime: new Date(0) });
  expect(created).toMatchObject({ ...fields, connected: false, vendor: "", etag: "1" });
  expect(created.createTime?.getTime()).toBeGreaterThan(0);
  expect(await knock(fields.id, fields.password)).toBe("");
  expect(await knock(fields.id, "another-password-of-20")).toBe("WRONG_PASSWORD");
});

test.each<[string, Fields, string]>([
  ["no id", {}, "charger.id"],
  ["an id with a space", { id: "a b" }, "charger.id"],
  ["an id of 49", { id: "x".repeat(49) }, "charger.id"],
  ["a long name", { id: "CP-bad", displayName: "x".repeat(101) }, "charger.display_name"],
  ["a name that Postgres cannot hold", { id: "CP-bad", displayName: "a\0b" }, "charger.display_name"],
  ["a short password", { id: "CP-bad", password: "x".repeat(15) }, "charger.password"],
  ["a long password", { id: "CP-bad", password: "x".repeat(41) }, "charger.password"],
  ["a password with a space", { id: "CP-bad", password: "with a space in it" }, "charger.password"],
  ["a password of few characters", { id: "CP-bad", password: "abcdefg".repeat(3) }, "charger.password"],
  ["a password of few bytes", { id: "CP-bad", password: "00112233445566".repeat(3).slice(0, 40) }, "charger.password"],
  ["a relaxation that says nothing", { id: "CP-bad", relaxations: ["RELAXATION_UNSPECIFIED"] }, "charger.relaxations[0]"],
])("a charger with %s is refused", async (_what, fields, field) => {
  expect(await refusal(create(fields))).toEqual(invalid(field));
  expect(await refusal(get("CP-bad"))).toEqual(notFound);
});

test("no charger at all is refused", async () => {
  const { chargers } = service;
  expect(await refusal(call(chargers, chargers.createCharger, { charger: undefined }, operator))).toEqual(invalid("charger"));
  expect(await refusal(call(chargers, chargers.updateCharger, { charger: undefined, updateMask: ["display_name"] }, operator))).toEqual(
    invalid("charger"),
  );
});

test("an id is given once, and case counts", async () => {
  const { password } = await create({ id: "CP-once", displayName: "first" });
  expect(await refusal(create({ id: "CP-once", displayName: "second" }))).toEqual({
    code: "ALREADY_EXISTS",
    reason: "CHARGER_EXISTS",
    fields: [],
  });
  expect(await get("CP-once")).toMatchObject({ displayName: "first" });
  expect(await knock("CP-once", password)).toBe("");
  expect(await create({ id: "cp-once" })).toMatchObject({ id: "cp-once" });
});

test("who may do what", async () => {
  await create({ id: "CP-access" });
  const driver = place.as("DRIVER");
  expect(await get("CP-access", driver)).toMatchObject({ id: "CP-access" });
  expect((await list(200, "", undefined, driver)).chargers.map(({ id }) => id)).toContain("CP-access");
  // How chargers prove themselves is for operators.
  await update({ id: "CP-access", relaxations: ["ANY_BASIC_USER"] }, ["relaxations"]);
  expect(await get("CP-access")).toMatchObject({ credential: { state: "CURRENT" }, relaxations: ["ANY_BASIC_USER"] });
  for (const one of [await get("CP-access", driver), ...(await list(200, "", undefined, driver)).chargers]) {
    expect([one.credential, one.relaxations]).toEqual([undefined, []]);
  }
  expect(await refusal(create({ id: "CP-driver" }, driver))).toEqual(denied);
  expect(await refusal(update({ id: "CP-access" }, ["display_name"], driver))).toEqual(denied);
  expect(await refusal(remove("CP-access", driver))).toEqual(denied);
  expect(await refusal(get("CP-access", new Metadata()))).toEqual({ code: "UNAUTHENTICATED", reason: "TOKEN_MISSING", fields: [] });
  expect(await refusal(get("CP-access", place.as("ADMIN", undefined, -1)))).toMatchObject({
    code: "UNAUTHENTICATED",
    reason: "TOKEN_EXPIRED",
  });
});

test("who is not there is not found", async () => {
  for (const id of ["nobody", "an id that cannot be", "x".repeat(500)]) {
    expect(await refusal(get(id))).toEqual(notFound);
    expect(await refusal(remove(id))).toEqual(notFound);
  }
  expect(await refusal(update({ id: "nobody" }, ["display_name"]))).toEqual(notFound);
  expect(await refusal(update({ id: "nobody", etag: "garbage" }, ["display_name"]))).toEqual(notFound);
  for (const id of ["", "\0"]) expect(await refusal(get(id))).toEqual(invalid("id"));
});

test("a list is by id, page by page, each once", async () => {
  const before = (await list(200)).chargers.map(({ id }) => id);
  const added = ["L-1", "L-10", "L-2", "L-a", "L_B"];
  for (const id of added.toReversed()) await create({ id });
  const seen: string[] = [];
  let pageToken = "";
  do {
    const page = await list(3, pageToken);
    expect(page.chargers.length).toBeLessThanOrEqual(3);
    seen.push(...page.chargers.map(({ id }) => id));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  expect(seen).toEqual([...before, ...added].sort());
  expect((await list(200, "", false)).chargers.map(({ id }) => id)).toEqual(seen);
  expect((await list(0, "", true)).chargers).toEqual([]);
});

test.each([
  ["no token", "garbage"],
  ["a number", Buffer.from("7").toString("base64url")],
  ["too much", Buffer.from('["a","b"]').toString("base64url")],
  ["what no id can hold", Buffer.from('["\\u0000"]').toString("base64url")],
])("a page token with %s is refused", async (_what, pageToken) => {
  expect(await refusal(list(0, pageToken))).toEqual(invalid("page_token"));
});

test("a negative page size is refused", async () => {
  expect(await refusal(list(-1))).toEqual(invalid("page_size"));
});

test("an update changes what its mask names and nothing else", async () => {
  const created = await create({ id: "CP-update", displayName: "old", registration: "PENDING" });
  const renamed = await update({ id: "CP-update", displayName: "new", registration: "REJECTED", availability: "UNAVAILABLE" }, [
    "display_name",
  ]);
  expect(renamed).toEqual({ ...created, password: undefined, displayName: "new", etag: "2", updateTime: expect.any(Date) });
  const rejected = await update({ id: "CP-update", registration: "REJECTED" }, ["registration"]);
  expect(rejected).toMatchObject({ displayName: "new", registration: "REJECTED", etag: "3" });
  expect(await update({ id: "CP-update" }, ["display_name", "display_name"])).toMatchObject({ displayName: "", etag: "4" });
  expect(await get("CP-update")).toMatchObject({ displayName: "", registration: "REJECTED", availability: "AVAILABLE", etag: "4" });
  expect(await commandsOf("CP-update")).toEqual([]);
});

test("a new password is the one that lets in", async () => {
  const { password: old } = await create({ id: "CP-password" });
  const answer = await update({ id: "CP-password", password: "the-new-password-1" }, ["password"]);
  expect(answer.password).toBeUndefined();
  expect(await knock("CP-password", old)).toBe("WRONG_PASSWORD");
  expect(await knock("CP-password", "the-new-password-1")).toBe("");
});

test.each<[string, Fields, string[] | undefined, string[]]>([
  ["no mask", { displayName: "x" }, undefined, ["update_mask"]],
  ["an empty mask", { displayName: "x" }, [], ["update_mask"]],
  ["fields that are ours", { displayName: "x" }, ["display_name", "vendor", "id"], ["update_mask", "update_mask"]],
  ["a field of REST's spelling", { displayName: "x" }, ["displayName"], ["update_mask"]],
  ["everything", { displayName: "x" }, ["*"], ["update_mask"]],
  ["a password that is not given", {}, ["password"], ["charger.password"]],
  ["a short password", { password: "short" }, ["password"], ["charger.password"]],
  ["no registration", {}, ["registration"], ["charger.registration"]],
  ["no availability", {}, ["availability"], ["charger.availability"]],
])("an update with %s is refused", async (_what, fields, mask, at) => {
  const id = `CP-mask-${_what.replaceAll(/\W/g, "-")}`;
  await create({ id, displayName: "old" });
  expect(await refusal(update({ ...fields, id }, mask))).toEqual(invalid(...at));
  expect(await get(id)).toMatchObject({ displayName: "old", etag: "1" });
});

test("an enum value that is not defined is refused", async () => {
  const { chargers } = service;
  const charger = Charger.fromPartial({ id: "CP-enum", registration: "UNRECOGNIZED" });
  expect(await refusal(call(chargers, chargers.createCharger, { charger }, operator))).toEqual(invalid("charger.registration"));
});

test("an etag writes only over what was read", async () => {
  const { etag } = await create({ id: "CP-etag" });
  const first = await update({ id: "CP-etag", displayName: "first", etag }, ["display_name"]);
  for (const old of [etag, "garbage", "0", "-1", "1.0", "99999999999999999999"]) {
    expect(await refusal(update({ id: "CP-etag", displayName: "second", etag: old }, ["display_name"]))).toEqual(stale);
  }
  expect(await get("CP-etag")).toEqual(first);
  expect(await update({ id: "CP-etag", displayName: "third", etag: first.etag }, ["display_name"])).toMatchObject({ displayName: "third" });
});

test("of many who write over the same, one wins", async () => {
  const { etag } = await create({ id: "CP-race" });
  const names = Array.from({ length: 8 }, (_, i) => `writer ${i}`);
  const results = await Promise.allSettled(names.map((displayName) => update({ id: "CP-race", displayName, etag }, ["display_name"])));
  const won = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  expect(won).toHaveLength(1);
  expect(await get("CP-race")).toEqual(won[0]);
});

test("an availability waits for an offline charger as a command", async () => {
  await create({ id: "CP-availability" });
  const user = crypto.randomUUID();
  const closed = await update({ id: "CP-availability", availability: "UNAVAILABLE" }, ["availability"], place.as("OPERATOR", user));
  expect(closed).toMatchObject({ availability: "UNAVAILABLE", etag: "2" });
  await update({ id: "CP-availability", availability: "AVAILABLE" }, ["availability"]);
  const payload = (type: string) => ({ connectorId: 0, type });
  const [open, close, ...others] = await commandsOf("CP-availability");
  expect(others).toEqual([]);
  expect(open).toMatchObject({ action: "ChangeAvailability", payload: payload("Operative"), state: "QUEUED", idempotencyKey: "" });
  expect(close).toMatchObject({ action: "ChangeAvailability", payload: payload("Inoperative"), state: "QUEUED" });
  const days = (given(close?.expireTime).getTime() - given(close?.createTime).getTime()) / 86_400_000;
  expect(days).toBeCloseTo(30, 2);
});

test("a deleted charger is gone and its identity free", async () => {
  const { password } = await create({ id: "CP-delete", displayName: "first" });
  await update({ id: "CP-delete", availability: "UNAVAILABLE" }, ["availability"]);
  await remove("CP-delete");
  expect(await refusal(get("CP-delete"))).toEqual(notFound);
  expect(await refusal(remove("CP-delete"))).toEqual(notFound);
  expect(await knock("CP-delete", password)).toBe("UNKNOWN_CHARGER");
  expect(await create({ id: "CP-delete" })).toMatchObject({ displayName: "", availability: "AVAILABLE", etag: "1" });
  expect(await commandsOf("CP-delete")).toEqual([]);
});

test("where something charges nothing is deleted, and made unavailable it stops first", async () => {
  await site.addIdToken("judy");
  const busy = await site.join("busy", { react: (action) => ({ status: action === "ChangeAvailability" ? "Scheduled" : "Accepted" }) });
  const timestamp = new Date().toISOString();
  const { transactionId } = await busy.result("StartTransaction", { connectorId: 1, idTag: "judy", meterStart: 0, timestamp });
  expect(await refusal(remove("busy"))).toEqual({ code: "FAILED_PRECONDITION", reason: "CHARGER_IN_USE", fields: [] });
  await update({ id: "busy", availability: "UNAVAILABLE" }, ["availability"]);
  await eventually(async () => (await commandsOf("busy")).every(({ state }) => state === "ACCEPTED"));
  expect((await commandsOf("busy")).map(({ status }) => status)).toEqual(["Scheduled", "Accepted"]);
  expect(busy.asked).toMatchObject([
    { action: "RemoteStopTransaction", payload: { transactionId } },
    { action: "ChangeAvailability", payload: { connectorId: 0, type: "Inoperative" } },
  ]);
  await busy.result("StopTransaction", { transactionId, meterStop: 5, timestamp: new Date().toISOString() });
  await remove("busy");
  expect(await busy.closed).toEqual({ code: 1000, reason: "DELETED" });
  expect(await site.transaction(transactionId)).toMatchObject({ chargerId: "busy", state: "STOPPED", energyWh: 5 });
});
