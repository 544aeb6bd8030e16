import { Charger } from "@chargemesh/contracts/charger/v1/charger";
import type { Connection_State } from "@chargemesh/contracts/charger/v1/connection";
import { CheckConnectionRequest } from "@chargemesh/contracts/charger/v1/connection_service";
import type { Metadata } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { asService, call, freshPlace, type Place, refusal, type Service, startService } from "../service.ts";

let place: Place;
let service: Service;
let operator: Metadata;

beforeAll(async () => {
  place = await freshPlace();
  service = await startService(place);
  operator = place.as("OPERATOR");
  const charger = Charger.fromPartial({ id: "CP-1", password: "the-password-of-CP-1" });
  await call(service.chargers, service.chargers.createCharger, { charger }, operator);
});
afterAll(async () => {
  await service?.stop();
  await place?.leave();
});

const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;
const check = async (fields: Partial<CheckConnectionRequest>, as?: Metadata, of = service) => {
  const request = CheckConnectionRequest.fromPartial({ protocols: ["ocpp1.6"], remoteAddress: "192.0.2.1", ...fields });
  return call(of.connections, of.connections.checkConnection, request, as ?? (await asService("gateway")));
};
const list = (fields: { chargerId?: string; state?: Connection_State; pageSize?: number; pageToken?: string } = {}, as = operator) => {
  const request = { chargerId: "", state: "STATE_UNSPECIFIED", pageSize: 0, pageToken: "", ...fields } as const;
  return call(service.connections, service.connections.listConnections, request, as);
};

const invalid = (...fields: string[]) => ({ code: "INVALID_ARGUMENT", reason: "INVALID_FIELD", fields });
const denied = { code: "PERMISSION_DENIED", reason: "ACCESS_DENIED", fields: [] };

test("who shows the right password may come in", async () => {
  const answer = await check({ chargerId: "CP-1", authorization: basic("CP-1:the-password-of-CP-1") });
  expect(answer).toEqual({ httpStatus: 0, reason: "", message: "", protocol: "ocpp1.6" });
  expect((await list({ chargerId: "CP-1" })).connections).toEqual([]);
});

test.each([
  ["the one of ours", ["ocpp1.5", "ocpp1.6"], "ocpp1.6"],
  ["none of ours", ["ocpp1.5", "OCPP1.6"], ""],
])("of subprotocols among which is %s, the one to speak is answered", async (_what, protocols, protocol) => {
  const answer = await check({ chargerId: "CP-1", authorization: basic("CP-1:the-password-of-CP-1"), protocols });
  // That there is none is no refusal: the handshake is completed, then the socket closed (OCPP-J 1.6 §3.2).
  expect(answer).toEqual({ httpStatus: 0, reason: "", message: "", protocol });
});

test("by the gateway a charger of profile 2 comes in over TLS, and one of profile 3 not at all", async () => {
  const asked = { chargerId: "CP-1", authorization: basic("CP-1:the-password-of-CP-1") };
  const hold = (securityProfile: number) => {
    const request = { charger: Charger.fromPartial({ id: "CP-1", securityProfile }), updateMask: ["security_profile"] };
    return call(service.chargers, service.chargers.updateCharger, request, operator);
  };
  await hold(2);
  expect(await check({ ...asked, secure: false })).toMatchObject({ httpStatus: 403, reason: "SECURITY_PROFILE_TOO_LOW" });
  expect(await check({ ...asked, secure: true })).toMatchObject({ httpStatus: 0 });
  await hold(3);
  expect(await check({ ...asked, secure: true })).toMatchObject({ httpStatus: 403, reason: "CERTIFICATE_MISSING" });
  await hold(1);
  expect(await check({ ...asked, secure: false })).toMatchObject({ httpStatus: 0 });
});

test.each([
  ["an unknown identity", "nobody", "", 404, "UNKNOWN_CHARGER"],
  ["an identity that cannot be", "a b", "", 404, "INVALID_IDENTITY"],
  ["no identity", "", "", 404, "INVALID_IDENTITY"],
  ["no password", "CP-1", "", 401, "PASSWORD_MISSING"],
  ["another password", "CP-1", basic("CP-1:the-password-of-CP-2"), 401, "WRONG_PASSWORD"],
  ["another user's name", "CP-1", basic("CP-2:the-password-of-CP-1"), 401, "WRONG_PASSWORD"],
  ["another scheme", "CP-1", "Bearer the-password-of-CP-1", 401, "WRONG_PASSWORD"],
])("who comes with %s is refused, and the refusal is listed", async (_what, chargerId, authorization, httpStatus, reason) => {
  expect(await check({ chargerId, authorization, remoteAddress: "192.0.2.77" })).toEqual({
    httpStatus,
    reason,
    message: expect.stringMatching(/\w+.*\.|@/),
    protocol: "ocpp1.6",
  });
  const [newest] = (await list()).connections;
  expect(newest).toMatchObject({
    chargerId,
    reason,
    state: "REFUSED",
    remoteAddress: "192.0.2.77",
    offeredProtocols: ["ocpp1.6"],
    protocol: "",
    openTime: expect.any(Date),
  });
});

test("refusals of one kind and minute share a row", async () => {
  const before = Date.now();
  for (let i = 0; i < 3; i++) await check({ chargerId: "again", remoteAddress: "192.0.2.2" });
  const { connections } = await list({ chargerId: "again" });
  // A minute may have turned meanwhile.
  const rows = Math.floor(before / 60_000) === Math.floor(Date.now() / 60_000) ? 1 : connections.length;
  expect(connections).toHaveLength(rows);
  expect(connections.reduce((sum, { count }) => sum + count, 0)).toBe(3);
});

test("with the policy to accept, who is unknown is registered", async () => {
  const lenient = await startService(place, { OCPP_UNKNOWN_CHARGERS: "accept" });
  try {
    expect(await check({ chargerId: "a-stranger" }, undefined, lenient)).toEqual({
      httpStatus: 0,
      reason: "",
      message: "",
      protocol: "ocpp1.6",
    });
    expect(await check({ chargerId: "a stranger" }, undefined, lenient)).toMatchObject({ httpStatus: 404, reason: "INVALID_IDENTITY" });
  } finally {
    await lenient.stop();
  }
  const { charger } = await call(service.chargers, service.chargers.getCharger, { id: "a-stranger" }, operator);
  expect(charger).toMatchObject({ id: "a-stranger", registration: "ACCEPTED" });
});

test("a list is newest first, narrowed, page by page, each once", async () => {
  for (let i = 0; i < 7; i++) await check({ chargerId: "pages", remoteAddress: `192.0.2.${i + 10}` });
  const seen: string[] = [];
  let pageToken = "";
  do {
    const page = await list({ chargerId: "pages", pageSize: 3, pageToken });
    expect(page.connections.length).toBeLessThanOrEqual(3);
    seen.push(...page.connections.map(({ remoteAddress }) => remoteAddress));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  expect(seen).toEqual([16, 15, 14, 13, 12, 11, 10].map((last) => `192.0.2.${last}`));
  expect((await list({ chargerId: "pages", state: "REFUSED" })).connections).toHaveLength(7);
  expect((await list({ chargerId: "pages", state: "OPEN" })).connections).toEqual([]);
  expect((await list({ chargerId: "PAGES" })).connections).toEqual([]);
});

test.each([
  ["a page token of no list", { pageToken: "garbage" }, "page_token"],
  ["a page token of another list", { pageToken: Buffer.from('["CP-1"]').toString("base64url") }, "page_token"],
  ["a negative page size", { pageSize: -1 }, "page_size"],
  ["a state that is not defined", { state: "UNRECOGNIZED" as const }, "state"],
  ["a long identity", { chargerId: "x".repeat(256) }, "charger_id"],
])("a list with %s is refused", async (_what, fields, field) => {
  expect(await refusal(list(fields))).toEqual(invalid(field));
});

test("only the gateway asks who may come in, and only operators see who came", async () => {
  expect(await refusal(check({ chargerId: "CP-1" }, operator))).toEqual(denied);
  expect(await refusal(check({ chargerId: "CP-1" }, await asService("email-service")))).toEqual(denied);
  expect(await refusal(list({}, place.as("DRIVER")))).toEqual(denied);
  expect(await refusal(list({}, await asService("gateway")))).toEqual(denied);
});
