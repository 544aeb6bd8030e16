import { randomUUID } from "node:crypto";
import { Charger } from "@chargemesh/contracts/charger/v1/charger";
import { CreateCommandRequest } from "@chargemesh/contracts/charger/v1/command_service";
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
  for (const id of ["CP-1", "CP-2", "CP-3"]) {
    await call(service.chargers, service.chargers.createCharger, { charger: Charger.fromPartial({ id }) }, operator);
  }
});
afterAll(async () => {
  await service?.stop();
  await place?.leave();
});

const send = async (fields: Partial<CreateCommandRequest>, as = operator, deadlineMs?: number) => {
  const request = CreateCommandRequest.fromPartial({ chargerId: "CP-1", action: "Reset", payload: { type: "Soft" }, ...fields });
  return given((await call(service.commands, service.commands.createCommand, request, as, deadlineMs)).command);
};
const get = async (chargerId: string, id: string, as = operator) =>
  given((await call(service.commands, service.commands.getCommand, { chargerId, id }, as)).command);
const list = (chargerId: string, pageSize = 0, pageToken = "", as = operator) =>
  call(service.commands, service.commands.listCommands, { chargerId, pageSize, pageToken }, as);

const invalid = (...fields: string[]) => ({ code: "INVALID_ARGUMENT", reason: "INVALID_FIELD", fields });
const noCharger = { code: "NOT_FOUND", reason: "CHARGER_NOT_FOUND", fields: [] };
const noCommand = { code: "NOT_FOUND", reason: "COMMAND_NOT_FOUND", fields: [] };
const denied = { code: "PERMISSION_DENIED", reason: "ACCESS_DENIED", fields: [] };

test("a command that does not wait for an offline charger expires at once", async () => {
  const command = await send({ payload: { type: "Hard" } });
  expect(command).toMatchObject({
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    chargerId: "CP-1",
    action: "Reset",
    payload: { type: "Hard" },
    state: "EXPIRED",
    errorCode: "CHARGER_OFFLINE",
    status: "",
    response: undefined,
    transactionId: "",
    createTime: expect.any(Date),
    sendTime: undefined,
    endTime: expect.any(Date),
  });
  expect(await get("CP-1", command.id)).toEqual(command);
});

test("a command with a time to live waits for an offline charger", async () => {
  const command = await send({ ttlSeconds: 3_600, waitSeconds: 30 });
  expect(command).toMatchObject({ state: "QUEUED", errorCode: "", endTime: undefined });
  expect(given(command.expireTime).getTime() - given(command.createTime).getTime()).toBeCloseTo(3_600_000, -4);
  expect(await get("CP-1", command.id)).toEqual(command);
});

test("an absent payload is an empty one", async () => {
  const payload = undefined;
  expect(await send({ action: "GetConfiguration", payload })).toMatchObject({ payload: {}, state: "EXPIRED" });
  expect(await refusal(send({ action: "Reset", payload }))).toEqual(invalid("payload.type"));
});

test.each<[string, Partial<CreateCommandRequest>, string]>([
  ["no charger", { chargerId: "" }, "charger_id"],
  ["no action", { action: "" }, "action"],
  ["an action that there is not", { action: "MakeCoffee" }, "action"],
  ["an action that is for chargers", { action: "BootNotification" }, "action"],
  ["a text that no database holds", { action: "DataTransfer", payload: { vendorId: "a\0b" } }, "payload"],
  ["a word that OCPP does not have", { payload: { type: "Gentle" } }, "payload.type"],
  ["what OCPP does not ask for", { payload: { type: "Soft", when: "now" } }, "payload"],
  ["a time to live that is negative", { ttlSeconds: -1 }, "ttl_seconds"],
  ["a time to live of more than a day", { ttlSeconds: 86_401 }, "ttl_seconds"],
  ["a negative wait", { waitSeconds: -1 }, "wait_seconds"],
  ["a long idempotency key", { idempotencyKey: "x".repeat(129) }, "idempotency_key"],
])("a command with %s is refused", async (_what, fields, field) => {
  const before = (await list("CP-1", 200)).commands.length;
  const refused = await refusal(send(fields));
  expect(refused).toEqual({ ...invalid(field), fields: [expect.stringMatching(field)] });
  expect((await list("CP-1", 200)).commands).toHaveLength(before);
});

test("a charger that is not there is not found", async () => {
  expect(await refusal(send({ chargerId: "nobody" }))).toEqual(noCharger);
  // Even if the action is none.
  expect(await refusal(send({ chargerId: "nobody", action: "MakeCoffee" }))).toEqual(noCharger);
});

test("a caller with no time left is refused before anything is begun", async () => {
  const err = await send({ idempotencyKey: "too late" }, operator, 90).then(
    () => undefined,
    (refused: { code: number }) => refused.code,
  );
  // DEADLINE_EXCEEDED, by whoever notices first.
  expect(err).toBe(4);
  expect((await list("CP-1", 200)).commands.filter(({ idempotencyKey }) => idempotencyKey === "too late")).toEqual([]);
});

test("an idempotency key stands for one command", async () => {
  const first = await send({ idempotencyKey: "once", ttlSeconds: 60 });
  expect(first).toMatchObject({ state: "QUEUED", idempotencyKey: "once" });
  const user = place.as("OPERATOR");
  const both = await Promise.all([1, 2, 3, 4].map(() => send({ idempotencyKey: "race", ttlSeconds: 60 }, user)));
  expect(new Set(both.map(({ id }) => id)).size).toBe(1);
  expect(await send({ idempotencyKey: "once", ttlSeconds: 60 })).toEqual(first);
  expect(await refusal(send({ idempotencyKey: "once", action: "ClearCache", payload: {} }))).toEqual(invalid("idempotency_key"));
  // Somebody else's key is another one.
  const others = await send({ idempotencyKey: "once", action: "ClearCache", payload: {} }, user);
  expect(others).toMatchObject({ action: "ClearCache", idempotencyKey: "once" });
  expect(await send({ idempotencyKey: "once", action: "ClearCache", payload: {} }, user)).toMatchObject({ id: others.id });
  // Another charger's is another one.
  expect((await send({ idempotencyKey: "once", chargerId: "CP-2" })).id).not.toBe(first.id);
});

test("a list is newest first, page by page, each once", async () => {
  const ids: string[] = [];
  for (let i = 0; i < 7; i++) ids.unshift((await send({ chargerId: "CP-3", ttlSeconds: i })).id);
  const seen: string[] = [];
  let pageToken = "";
  do {
    const page = await list("CP-3", 3, pageToken);
    expect(page.commands.length).toBeLessThanOrEqual(3);
    seen.push(...page.commands.map(({ id }) => id));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  expect(seen).toEqual(ids);
  expect((await list("nobody")).commands).toEqual([]);
  for (const [size, token] of [[-1, ""] as const]) expect(await refusal(list("CP-3", size, token))).toEqual(invalid("page_size"));
  for (const token of ["garbage", Buffer.from('["x"]').toString("base64url"), Buffer.from("[1e30]").toString("base64url")]) {
    expect(await refusal(list("CP-3", 0, token))).toEqual(invalid("page_token"));
  }
});

test("a command is found at its own charger only", async () => {
  const { id } = await send({ chargerId: "CP-2" });
  expect(await get("CP-2", id.toUpperCase())).toMatchObject({ id });
  expect(await refusal(get("CP-1", id))).toEqual(noCommand);
  expect(await refusal(get("CP-2", randomUUID()))).toEqual(noCommand);
  expect(await refusal(get("CP-2", "1"))).toEqual(invalid("id"));
});

test("a driver sees no command of others and sends none", async () => {
  const driver = place.as("DRIVER");
  const { id } = await send({ chargerId: "CP-2" });
  expect(await refusal(send({}, driver))).toEqual(denied);
  expect(await refusal(get("CP-2", id, driver))).toEqual(noCommand);
  expect((await list("CP-2", 0, "", driver)).commands).toEqual([]);
});
