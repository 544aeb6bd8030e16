import { randomUUID } from "node:crypto";
import { IdToken } from "@chargemesh/contracts/charger/v1/id_token";
import type { Metadata } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { call, freshPlace, given, type Place, refusal, type Service, startService } from "../service.ts";

let place: Place;
let service: Service;
let operator: Metadata;

beforeAll(async () => {
  place = await freshPlace();
  service = await startService(place);
  operator = place.as("OPERATOR");
});
afterAll(async () => {
  await service?.stop();
  await place?.leave();
});

type Fields = Partial<IdToken>;

const create = async (fields: Fields, as = operator) =>
  given((await call(service.idTokens, service.idTokens.createIdToken, { idToken: IdToken.fromPartial(fields) }, as)).idToken);
const get = async (idToken: string, as = operator) =>
  given((await call(service.idTokens, service.idTokens.getIdToken, { idToken }, as)).idToken);
const list = (pageSize: number, pageToken = "", userId = "", as = operator) =>
  call(service.idTokens, service.idTokens.listIdTokens, { pageSize, pageToken, userId }, as);
const update = async (fields: Fields, updateMask: string[] | undefined, as = operator) => {
  const request = { idToken: IdToken.fromPartial(fields), updateMask };
  return given((await call(service.idTokens, service.idTokens.updateIdToken, request, as)).idToken);
};
const remove = (idToken: string, as = operator) => call(service.idTokens, service.idTokens.deleteIdToken, { idToken }, as);
const textsOf = ({ idTokens }: { idTokens: IdToken[] }) => idTokens.map(({ idToken }) => idToken);
const cursor = (...parts: string[]) => Buffer.from(JSON.stringify(parts)).toString("base64url");

const invalid = (...fields: string[]) => ({ code: "INVALID_ARGUMENT", reason: "INVALID_FIELD", fields });
const notFound = { code: "NOT_FOUND", reason: "ID_TOKEN_NOT_FOUND", fields: [] };
const denied = { code: "PERMISSION_DENIED", reason: "ACCESS_DENIED", fields: [] };
const stale = { code: "ABORTED", reason: "ETAG_STALE", fields: [] };

test("an id token is created with defaults for what was left out", async () => {
  const created = await create({ idToken: "04A1B2C3" });
  expect(created).toEqual(
    IdToken.fromPartial({
      idToken: "04A1B2C3",
      type: "ISO14443",
      status: "ACCEPTED",
      createTime: expect.any(Date),
      updateTime: expect.any(Date),
      etag: "1",
    }),
  );
  expect(created.expiryTime).toBeUndefined();
  expect(await get("04A1B2C3")).toEqual(created);
});

test("an id token is created as it is given", async () => {
  const fields = {
    idToken: "Ein Token mit 36 Zeichen, und Blanks!",
    type: "E_MAID",
    status: "BLOCKED",
    expiryTime: new Date("2031-02-03T04:05:06.789Z"),
    parentIdToken: "Familie",
    userId: randomUUID(),
  } as const;
  expect(await refusal(create(fields))).toEqual(invalid("id_token.id_token"));
  const idToken = fields.idToken.slice(0, 36);
  const created = await create({ ...fields, idToken, etag: "9" });
  expect(created).toMatchObject({ ...fields, idToken, etag: "1" });
  expect(await get(idToken)).toEqual(created);
});

test("case does not count, and is kept", async () => {
  const created = await create({ idToken: "MixedCase" });
  for (const text of ["mixedcase", "MIXEDCASE", "MixedCase"]) {
    expect(await get(text)).toEqual(created);
    expect(await refusal(create({ idToken: text, status: "BLOCKED" }))).toEqual({
      code: "ALREADY_EXISTS",
      reason: "ID_TOKEN_EXISTS",
      fields: [],
    });
  }
  expect(await update({ idToken: "mIXEDcASE", status: "BLOCKED" }, ["status"])).toMatchObject({ idToken: "MixedCase", status: "BLOCKED" });
  await remove("MIXEDcase");
  expect(await refusal(get("MixedCase"))).toEqual(notFound);
});

test.each<[string, Fields, string]>([
  ["no text", {}, "id_token.id_token"],
  ["a space before it", { idToken: " bad" }, "id_token.id_token"],
  ["a space after it", { idToken: "bad " }, "id_token.id_token"],
  ["letters beyond ASCII", { idToken: "bäd" }, "id_token.id_token"],
  ["a user that is no UUID", { idToken: "bad", userId: "me" }, "id_token.user_id"],
  ["a long parent", { idToken: "bad", parentIdToken: "x".repeat(37) }, "id_token.parent_id_token"],
  ["a parent that Postgres cannot hold", { idToken: "bad", parentIdToken: "a\0b" }, "id_token.parent_id_token"],
  ["a type that is not defined", { idToken: "bad", type: "UNRECOGNIZED" }, "id_token.type"],
  ["a status that is not defined", { idToken: "bad", status: "UNRECOGNIZED" }, "id_token.status"],
  ["a time that no Timestamp holds", { idToken: "bad", expiryTime: new Date("+020000-01-01T00:00:00Z") }, "id_token.expiry_time"],
  ["a time that no calendar holds", { idToken: "bad", expiryTime: new Date(-8.64e15) }, "id_token.expiry_time"],
])("an id token with %s is refused", async (_what, fields, field) => {
  expect(await refusal(create(fields))).toEqual(invalid(field));
  expect(await refusal(get("bad"))).toEqual(notFound);
});

test("no id token at all is refused", async () => {
  const { idTokens } = service;
  expect(await refusal(call(idTokens, idTokens.createIdToken, { idToken: undefined }, operator))).toEqual(invalid("id_token"));
  expect(await refusal(call(idTokens, idTokens.updateIdToken, { idToken: undefined, updateMask: ["status"] }, operator))).toEqual(
    invalid("id_token"),
  );
  expect(await refusal(get(""))).toEqual(invalid("id_token"));
});

test("what is not there is not found", async () => {
  for (const idToken of ["nothing", " cannot be ", "x".repeat(500)]) {
    expect(await refusal(get(idToken))).toEqual(notFound);
    expect(await refusal(remove(idToken))).toEqual(notFound);
  }
  expect(await refusal(update({ idToken: "nothing" }, ["parent_id_token"]))).toEqual(notFound);
  expect(await refusal(update({ idToken: "nothing", etag: "garbage" }, ["parent_id_token"]))).toEqual(notFound);
});

test("an update changes what its mask names, and clears what is named and not given", async () => {
  const userId = randomUUID();
  const fields = { idToken: "U-1", expiryTime: new Date("2030-01-01T00:00:00Z"), parentIdToken: "P", userId };
  const created = await create(fields);
  const blocked = await update({ idToken: "U-1", status: "BLOCKED", type: "LOCAL" }, ["status"]);
  expect(blocked).toEqual({ ...created, status: "BLOCKED", etag: "2", updateTime: expect.any(Date) });
  expect(await update({ idToken: "U-1", type: "LOCAL", parentIdToken: "Q" }, ["type", "parent_id_token"])).toMatchObject({
    type: "LOCAL",
    parentIdToken: "Q",
    userId,
    etag: "3",
  });
  const cleared = await update({ idToken: "U-1" }, ["expiry_time", "parent_id_token", "user_id"]);
  expect(cleared).toMatchObject({ type: "LOCAL", status: "BLOCKED", parentIdToken: "", userId: "", etag: "4" });
  expect(cleared.expiryTime).toBeUndefined();
  expect(await get("U-1")).toEqual(cleared);
});

test.each<[string, Fields, string[] | undefined, string[]]>([
  ["no mask", { status: "BLOCKED" }, undefined, ["update_mask"]],
  ["an empty mask", { status: "BLOCKED" }, [], ["update_mask"]],
  ["fields that are ours", { status: "BLOCKED" }, ["id_token", "status", "etag"], ["update_mask", "update_mask"]],
  ["no type", {}, ["type"], ["id_token.type"]],
  ["no status", {}, ["status"], ["id_token.status"]],
  ["a time that no Timestamp holds", { expiryTime: new Date(8.64e15) }, ["expiry_time"], ["id_token.expiry_time"]],
  ["a user that is no UUID", { userId: "me" }, ["user_id"], ["id_token.user_id"]],
])("an update with %s is refused", async (what, fields, mask, at) => {
  const idToken = `M ${what}`.slice(0, 36).trim();
  await create({ idToken });
  expect(await refusal(update({ ...fields, idToken }, mask))).toEqual(invalid(...at));
  expect(await get(idToken)).toMatchObject({ status: "ACCEPTED", etag: "1" });
});

test("an etag writes only over what was read", async () => {
  const { etag } = await create({ idToken: "E-1" });
  const first = await update({ idToken: "E-1", status: "BLOCKED", etag }, ["status"]);
  for (const old of [etag, "garbage", "0", "99999999999999999999"]) {
    expect(await refusal(update({ idToken: "E-1", status: "ACCEPTED", etag: old }, ["status"]))).toEqual(stale);
  }
  expect(await get("E-1")).toEqual(first);
});

test("a list is newest first, page by page, each once, also where many are of one moment", async () => {
  const before = textsOf(await list(200));
  const texts = Array.from({ length: 25 }, (_, i) => `L${i}`);
  // All at once, so that some share their millisecond.
  await Promise.all(texts.map((idToken) => create({ idToken })));
  const seen: IdToken[] = [];
  let pageToken = "";
  do {
    const page = await list(4, pageToken);
    expect(page.idTokens.length).toBeLessThanOrEqual(4);
    seen.push(...page.idTokens);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  expect(textsOf({ idTokens: seen }).sort()).toEqual([...before, ...texts].sort());
  const times = seen.map(({ createTime }) => given(createTime).getTime());
  expect(times).toEqual(times.toSorted((a, b) => b - a));
  expect(textsOf({ idTokens: seen }).slice(25)).toEqual(before);
});

test.each([
  ["no token", "garbage"],
  ["too little", cursor("2026-01-01T00:00:00.000Z")],
  ["a time that is none", cursor("yesterday", "a")],
  ["a time of no month", cursor("2026-13-01T00:00:00.000Z", "a")],
  ["what no id token can hold", cursor("2026-01-01T00:00:00.000Z", "\u0000")],
])("a page token with %s is refused", async (_what, pageToken) => {
  expect(await refusal(list(0, pageToken))).toEqual(invalid("page_token"));
});

test("a list is of one user if it says so", async () => {
  const userId = randomUUID();
  await create({ idToken: "one", userId });
  await create({ idToken: "two", userId });
  await create({ idToken: "three", userId: randomUUID() });
  expect(textsOf(await list(0, "", userId))).toEqual(["two", "one"]);
  expect(textsOf(await list(0, "", userId.toUpperCase()))).toEqual(["two", "one"]);
  expect(textsOf(await list(0, "", randomUUID()))).toEqual([]);
  expect(await refusal(list(0, "", "me"))).toEqual(invalid("user_id"));
  expect(await refusal(list(-1))).toEqual(invalid("page_size"));
});

test("a driver sees their own and nobody else's, and changes none", async () => {
  const [ada, bob] = [randomUUID(), randomUUID()];
  await create({ idToken: "of-ada", userId: ada });
  await create({ idToken: "of-bob", userId: bob });
  const asAda = place.as("DRIVER", ada);
  expect(await get("OF-ADA", asAda)).toMatchObject({ userId: ada });
  expect(await refusal(get("of-bob", asAda))).toEqual(notFound);
  expect(await refusal(get("04A1B2C3", asAda))).toEqual(notFound);
  expect(textsOf(await list(0, "", "", asAda))).toEqual(["of-ada"]);
  expect(textsOf(await list(0, "", ada, asAda))).toEqual(["of-ada"]);
  expect(textsOf(await list(0, "", ada.toUpperCase(), asAda))).toEqual(["of-ada"]);
  expect(textsOf(await list(0, "", bob, asAda))).toEqual([]);
  expect(textsOf(await list(0, "", "", place.as("DRIVER")))).toEqual([]);
  expect(await refusal(create({ idToken: "mine", userId: ada }, asAda))).toEqual(denied);
  expect(await refusal(update({ idToken: "of-ada", status: "BLOCKED" }, ["status"], asAda))).toEqual(denied);
  expect(await refusal(remove("of-ada", asAda))).toEqual(denied);
});
