import { Charger, type Charger_Relaxation } from "@chargemesh/contracts/charger/v1/charger";
import { VendorRelaxation } from "@chargemesh/contracts/charger/v1/relaxation";
import { RelaxationServiceClient } from "@chargemesh/contracts/charger/v1/relaxation_service";
import { credentials } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../../test/rest.ts";
import { call, given, refusal } from "../service.ts";
import { openFrameLog } from "./frame-log.ts";
import { openSite, type Site } from "./site.ts";
import type { Payload } from "./station.ts";

// Strict by default; what a charger or its vendor is allowed is understood, and counted either way.

let site: Site;
let log: ReturnType<typeof openFrameLog>;
let client: RelaxationServiceClient;

beforeAll(async () => {
  site = await openSite({ OCPP_MESSAGE_REDACT_ID_TAGS: "true" });
  log = openFrameLog(site);
  client = new RelaxationServiceClient(site.service.grpcAddress, credentials.createInsecure());
});
afterAll(async () => {
  log?.close();
  client?.close();
  await site?.leave();
});

const allow = async (id: string, ...relaxations: Charger_Relaxation[]) => {
  const { chargers } = site.service;
  const charger = Charger.fromPartial({ id, relaxations });
  await call(chargers, chargers.updateCharger, { charger, updateMask: ["relaxations"] }, site.place.as("OPERATOR"));
};
const operator = () => site.place.as("OPERATOR");
const vendorRelaxation = (fields: Partial<VendorRelaxation>) => VendorRelaxation.fromPartial(fields);
const createVendor = (fields: Partial<VendorRelaxation>, as = operator()) =>
  call(client, client.createVendorRelaxation, { vendorRelaxation: vendorRelaxation(fields) }, as);

/** What was counted of a charger: relaxation, whether it was allowed, how often, and the last field. */
const uses = async (chargerId: string) =>
  (await call(client, client.listRelaxationUses, { chargerId }, operator())).relaxationUses.map(
    ({ relaxation, allowed, count, lastField }) => [relaxation, allowed, count, lastField],
  );

const now = "2026-11-22T12:00:00Z";
const start = { connectorId: "1", idTag: "CARD-1", meterStart: 0.4, timestamp: "2026-11-22T12:00:00", firmware: "x" };

test("what departs from OCPP is refused, and what would let it in is named, counted and allowed at once", async () => {
  await site.register("R-1");
  const station = await site.connect("R-1");
  expect(await station.call("StartTransaction", start, "start-1")).toEqual([4, "start-1", expect.anything(), expect.anything(), {}]);
  const names = ["EXTRA_FIELDS", "FRACTIONS", "NUMBER_STRINGS", "TIME_WITHOUT_ZONE"] as const;
  const counted = names.map((name) => [name, false, 1, expect.stringMatching(/^\.(firmware|meterStart|connectorId|timestamp)$/)]);
  await eventually(async () => (await uses("R-1")).length === 4);
  expect(await uses("R-1")).toEqual(counted);
  const [refused] = await log.frames("R-1", { messageId: "start-1", type: "CALLERROR" });
  expect(refused?.relaxations.toSorted()).toEqual(names);

  // All but one is not enough.
  await allow("R-1", "EXTRA_FIELDS", "FRACTIONS", "NUMBER_STRINGS");
  expect((await station.call("StartTransaction", start))[0]).toBe(4);
  await allow("R-1", ...names);
  const { transactionId } = await station.result("StartTransaction", start);
  expect(await site.transaction(transactionId)).toMatchObject({ connectorId: 1, meterStartWh: 0, startTime: new Date(now) });
  // The same as the others would have said it, so it is the same.
  expect((await station.result("StartTransaction", { connectorId: 1, idTag: "CARD-1", meterStart: 0, timestamp: now })).transactionId).toBe(
    transactionId,
  );
  await eventually(async () => (await uses("R-1")).length === 8);
  expect(await uses("R-1")).toContainEqual(["TIME_WITHOUT_ZONE", false, 2, ".timestamp"]);
  expect(await uses("R-1")).toContainEqual(["TIME_WITHOUT_ZONE", true, 1, ".timestamp"]);
  expect(await uses("R-1")).toContainEqual(["EXTRA_FIELDS", false, 1, ".firmware"]);
  expect((await station.call("Authorize", { idTag: 7, more: "\u0000" }))[0]).toBe(4);
  await station.leave();
});

test("answers of a charger are understood alike", async () => {
  await site.register("R-2");
  const answers: Payload[] = [{ status: "accepted", more: 1 }, { status: "accepted", more: 1 }, { status: "maybe" }];
  const station = await site.connect("R-2", { react: () => answers.shift() });
  const ask = () => site.command({ chargerId: "R-2", action: "ClearCache" });
  const refused = await ask();
  expect(refused).toMatchObject({ state: "FAILED", errorCode: "INVALID_RESPONSE" });
  expect(refused.errorDescription).toMatch(/ \(would be taken with (EXTRA_FIELDS, ENUM_CASE|ENUM_CASE, EXTRA_FIELDS)\)$/);
  await allow("R-2", "EXTRA_FIELDS", "ENUM_CASE");
  expect(await ask()).toMatchObject({ state: "ACCEPTED", status: "Accepted", response: { status: "Accepted" } });
  expect(await ask()).toMatchObject({ state: "FAILED", errorDescription: ".status must be one of Accepted, Rejected" });
  await eventually(async () => (await uses("R-2")).length === 4);
  expect((await uses("R-2")).map(([name, allowed, count]) => [name, allowed, count])).toEqual([
    ["ENUM_CASE", false, 1],
    ["ENUM_CASE", true, 1],
    ["EXTRA_FIELDS", false, 1],
    ["EXTRA_FIELDS", true, 1],
  ]);
  await station.leave();
});

test("what a vendor is allowed counts for its chargers, from the very boot that says whose they are", async () => {
  const { vendorRelaxation: made } = await createVendor({ vendor: "Sloppy & Söhne", model: "Two", relaxations: ["EXTRA_FIELDS"] });
  const boot = { chargePointVendor: "SLOPPY & SÖHNE", chargePointModel: "two", wifi: true };
  await site.register("R-3");
  const station = await site.connect("R-3");
  expect((await station.call("BootNotification", { ...boot, chargePointModel: "Three" }))[0]).toBe(4);
  expect((await station.result("BootNotification", boot)).status).toBe("Accepted");
  expect((await station.call("Heartbeat", { wifi: true }))[0]).toBe(3);

  await createVendor({ vendor: "sloppy & söhne", relaxations: ["NULL_FIELDS"] });
  expect((await station.call("Heartbeat", { wifi: null }))[0]).toBe(3);
  const changed = { ...given(made), relaxations: ["ENUM_CASE"] as Charger_Relaxation[] };
  const update = (of: VendorRelaxation) =>
    call(client, client.updateVendorRelaxation, { vendorRelaxation: of, updateMask: ["relaxations"] }, operator());
  expect((await update(changed)).vendorRelaxation).toMatchObject({ relaxations: ["ENUM_CASE"], vendor: "Sloppy & Söhne", model: "Two" });
  expect(await refusal(update(changed))).toMatchObject({ code: "ABORTED", reason: "ETAG_STALE" });
  expect((await station.call("Heartbeat", { wifi: true }))[0]).toBe(4);
  await station.leave();
});

test("relaxations of vendors are listed, found and taken back; each vendor has one of its own", async () => {
  const ids: string[] = [];
  for (const vendor of ["A", "B", "C"]) ids.push(given((await createVendor({ vendor, relaxations: ["ENUM_CASE"] })).vendorRelaxation).id);
  const again = { vendor: "a", relaxations: ["ENUM_CASE"] as Charger_Relaxation[] };
  expect(await refusal(createVendor(again))).toMatchObject({ code: "ALREADY_EXISTS", reason: "VENDOR_RELAXATION_EXISTS" });
  const page = (pageToken: string) => call(client, client.listVendorRelaxations, { pageSize: 2, pageToken }, operator());
  const first = await page("");
  const rest = await page(first.nextPageToken);
  expect([...first.vendorRelaxations, ...rest.vendorRelaxations].slice(0, 3).map(({ vendor }) => vendor)).toEqual(["C", "B", "A"]);
  const [id = ""] = ids;
  expect((await call(client, client.getVendorRelaxation, { id }, operator())).vendorRelaxation).toMatchObject({ vendor: "A", model: "" });
  await call(client, client.deleteVendorRelaxation, { id }, operator());
  for (const method of [client.getVendorRelaxation, client.deleteVendorRelaxation] as const) {
    expect(await refusal(call(client, method, { id }, operator()))).toMatchObject({ reason: "VENDOR_RELAXATION_NOT_FOUND" });
  }
});

test.each<[string, Partial<VendorRelaxation>, string]>([
  ["no vendor", { relaxations: ["ENUM_CASE"] }, "vendor_relaxation.vendor"],
  ["a vendor that is no text", { vendor: "a\u0000b", relaxations: ["ENUM_CASE"] }, "vendor_relaxation.vendor"],
  ["no relaxation", { vendor: "D" }, "vendor_relaxation.relaxations"],
  ["one of the door", { vendor: "D", relaxations: ["ANY_BASIC_USER"] }, "vendor_relaxation.relaxations"],
])("relaxations of a vendor with %s are refused", async (_what, fields, field) => {
  expect(await refusal(createVendor(fields))).toMatchObject({ code: "INVALID_ARGUMENT", fields: [field] });
  expect(await refusal(createVendor(fields, site.place.as("DRIVER")))).toMatchObject({ code: "PERMISSION_DENIED" });
});

test("with a setting, a fingerprint stands for each id tag in the frame log, the same for the same tag", async () => {
  await site.addIdToken("CARD-9", { parentIdToken: "FLEET-9" });
  await site.register("R-4");
  const station = await site.connect("R-4");
  await station.result("Authorize", { idTag: "CARD-9" });
  await station.result("Authorize", { idTag: "card-9" });
  await station.result("Authorize", { idTag: "CARD-8" });
  station.say('[2,"x","Authorize",{"idTag":"CARD-9"');
  await station.call("Heartbeat", {}, "last");
  const frames = await eventually(async () => {
    const found = await log.frames("R-4");
    return found.at(-1)?.messageId === "last" && found.length === 9 ? found : undefined;
  });
  const said = frames.map(({ frame }) => frame);
  expect(said.join("\n").toLowerCase()).not.toMatch(/card-|fleet-/);
  const tag = (text = "") => /"idTag":"(~[0-9a-f]{12})"/.exec(text)?.[1];
  expect(tag(said[0])).toBeDefined();
  expect(tag(said[2])).toBe(tag(said[0]));
  expect(tag(said[4])).not.toBe(tag(said[0]));
  expect(said[1]).toMatch(/"parentIdTag":"~[0-9a-f]{12}"/);
  await station.leave();
});

test("frames are dropped by the day, and what waited for its partition moves there", async () => {
  const owner = (sql: string) => site.rows(sql);
  const day = "2026-01-05";
  const insert = (time: string, number: number) =>
    owner(`insert into message values ('OLD', '${time}', ${number}, 'TO_CHARGER', 'CALL', 'm', 'Reset', '[]', 2, '', 't', 1, null, '{}')`);
  await insert(`${day}T23:59:59.999Z`, 1);
  await insert("2026-01-06T00:00:00Z", 2);
  await owner(`select make_message_partition('${day}')`);
  await owner("select make_message_partition('2026-01-06')");
  const places = "select number, tableoid::regclass::text as place from message where charger_id = 'OLD' order by number";
  expect(await owner(places)).toEqual([
    { number: "1", place: "message_2026_01_05" },
    { number: "2", place: "message_2026_01_06" },
  ]);
  await insert("2025-12-31T12:00:00Z", 3);
  await owner("select drop_message_partitions('2026-01-06')");
  expect(await owner(places)).toEqual([{ number: "2", place: "message_2026_01_06" }]);
});
