import { IdToken } from "@chargemesh/contracts/charger/v1/id_token";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSite, type Site } from "../ocpp/site.ts";
import { call, refusal } from "../service.ts";

// What is done and what is told of it are one: neither is there without the other.

let site: Site;
beforeAll(async () => {
  site = await openSite();
});
afterAll(() => site?.leave());

const create = (idToken: string) => {
  const { idTokens } = site.service;
  return call(idTokens, idTokens.createIdToken, { idToken: IdToken.fromPartial({ idToken }) }, site.place.as("OPERATOR"));
};
const registered = async (idToken: string) => (await site.rows(`select id_token from id_token where id_token = '${idToken}'`)).length;

test("what the audit log cannot be told is not done", async () => {
  const role = new URL(site.place.vars.CHARGER_DATABASE_URL ?? "").username;
  await site.rows(`revoke insert on outbox from ${role}`);
  expect(await refusal(create("UNTOLD"))).toMatchObject({ code: "INTERNAL" });
  expect(await registered("UNTOLD")).toBe(0);
  await site.rows(`grant insert on outbox to ${role}`);
  await create("UNTOLD");
  expect(await registered("UNTOLD")).toBe(1);
});
