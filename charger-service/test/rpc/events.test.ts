import { Charger } from "@chargemesh/contracts/charger/v1/charger";
import { CreateCommandRequest } from "@chargemesh/contracts/charger/v1/command_service";
import { IdToken } from "@chargemesh/contracts/charger/v1/id_token";
import type { Metadata } from "@grpc/grpc-js";
import type { NatsConnection } from "nats";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../../test/rest.ts";
import { openNats, openSite, type Site } from "../ocpp/site.ts";
import { call, given, type Service } from "../service.ts";

const STREAM = "chargemesh_charger_v1";
let site: Site;
let service: Service;
let operator: Metadata;
let nats: NatsConnection;

beforeAll(async () => {
  site = await openSite();
  ({ service } = site);
  operator = site.place.as("OPERATOR");
  nats = await openNats(site.place);
});
afterAll(async () => {
  await nats?.close();
  await site?.leave();
});

interface Wire {
  subject: string;
  msgId: string;
  event: Record<string, unknown> & { data: { command?: { state: string } } };
}

/** Every event up to now, as it is on the wire, after the outbox is empty. */
async function published(): Promise<Wire[]> {
  await eventually(async () => (await site.rows("select from outbox limit 1")).length === 0);
  const { streams } = await nats.jetstreamManager();
  const { last_seq: last } = (await streams.info(STREAM)).state;
  return Promise.all(
    Array.from({ length: last }, async (_, i) => {
      const message = await streams.getMessage(STREAM, { seq: i + 1 });
      return { subject: message.subject, msgId: message.header.get("Nats-Msg-Id"), event: message.json() };
    }),
  );
}

const create = async (id: string) =>
  given((await call(service.chargers, service.chargers.createCharger, { charger: Charger.fromPartial({ id }) }, operator)).charger);
const update = (id: string, fields: Partial<Charger>, updateMask: string[]) =>
  call(service.chargers, service.chargers.updateCharger, { charger: Charger.fromPartial({ id, ...fields }), updateMask }, operator);
const remove = (id: string) => call(service.chargers, service.chargers.deleteCharger, { id }, operator);

const uuid = expect.stringMatching(/^[0-9a-f-]{36}$/);

test("each change is told once, in order, and what was refused is not told", async () => {
  await create("E-1");
  await create("E-1").catch(() => undefined);
  await update("E-1", { displayName: "Hof" }, ["display_name"]);
  await update("E-1", { displayName: "Hof", etag: "1" }, ["display_name"]).catch(() => undefined);
  await update("E-1", {}, []).catch(() => undefined);
  const request = CreateCommandRequest.fromPartial({ chargerId: "E-1", action: "Reset", payload: { type: "Soft" } });
  const { command } = await call(service.commands, service.commands.createCommand, request, operator);
  // An id token may be spelt like a charger.
  await call(service.idTokens, service.idTokens.createIdToken, { idToken: IdToken.fromPartial({ idToken: "E-1" }) }, operator);
  await remove("E-1");
  await remove("E-1").catch(() => undefined);
  await create("E-last");
  const told = await published();
  const { id = "" } = given(command);
  expect(told.map(({ event }) => [String(event.type).split(".").at(-1), event.subject])).toEqual([
    ["ChargerCreated", "E-1"],
    ["ChargerUpdated", "E-1"],
    ["CommandUpdated", id],
    ["CommandUpdated", id],
    ["IdTokenCreated", "e-1"],
    ["ChargerDeleted", "E-1"],
    ["ChargerCreated", "E-last"],
  ]);
  expect(told[1]).toEqual({
    subject: `chargemesh.charger.v1.ChargerUpdated.${Buffer.from("E-1").toString("base64url")}`,
    msgId: told[1]?.event.id,
    event: {
      specversion: "1.0",
      id: uuid,
      source: expect.any(String),
      type: "chargemesh.charger.v1.ChargerUpdated",
      subject: "E-1",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      datacontenttype: "application/json",
      requestid: expect.any(String),
      traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/),
      data: { charger: expect.objectContaining({ id: "E-1", displayName: "Hof", etag: "2" }) },
    },
  });
  expect(told.map(({ event }) => event.data.command?.state).slice(2, 4)).toEqual(["QUEUED", "EXPIRED"]);
  // No password, not even hashed, leaves this service by its events.
  expect(JSON.stringify(told)).not.toMatch(/password":"[^"]/);
});
