import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../../test/rest.ts";
import { refusal } from "../service.ts";
import { openSetupDesk, type SetupDesk } from "./setup-desk.ts";
import { openSite, type Site } from "./site.ts";
import type { Payload, Reaction, StationOptions } from "./station.ts";

// What chargers are set to: read after boots and from every answer, beside what they are wanted to be set to.

let site: Site;
let desk: SetupDesk;

beforeAll(async () => {
  site = await openSite({ OCPP_CONFIGURATION_SECONDS: "1000" });
  desk = openSetupDesk(site);
});
afterAll(async () => {
  desk?.close();
  await site?.leave();
});

const PASSWORD = "00112233445566778899aabbccddeeff";

/** A charger's own configuration, and how it behaves: what it leaves out of a list of all, and what it answers to changes. */
interface Config {
  values: Map<string, { value?: string; readonly: boolean }>;
  hidden: Set<string>;
  keysMax: number;
  answer(key: string, value: string): string | undefined;
}

function makeConfig(values: Record<string, string>, readonly: string[] = []): Config {
  const entries = Object.entries(values).map(([key, value]) => [key, { value, readonly: readonly.includes(key) }] as const);
  return { values: new Map(entries), hidden: new Set(), keysMax: 3, answer: () => "Accepted" };
}

function respond(config: Config): NonNullable<StationOptions["react"]> {
  const find = (key: string) => [...config.values.keys()].find((own) => own.toLowerCase() === key.toLowerCase());
  return (action: string, { key, value }: Payload): Reaction => {
    if (action === "GetConfiguration") {
      const asked: string[] = key ?? [...config.values.keys()].filter((own) => !config.hidden.has(own));
      if (key?.length > config.keysMax) return { errorCode: "OccurenceConstraintViolation" };
      const known = asked.flatMap((name) => find(name) ?? []);
      const unknownKey = asked.filter((name) => find(name) === undefined);
      return {
        configurationKey: known.map((name) => ({ key: name, ...config.values.get(name) })),
        ...(unknownKey.length === 0 ? {} : { unknownKey }),
      };
    }
    if (action !== "ChangeConfiguration") return { status: "Accepted" };
    const status = config.answer(key, value);
    if (status === undefined) return undefined;
    if (status === "Accepted") config.values.set(find(key) ?? key, { value, readonly: false });
    return { status };
  };
}

const ordinary = { HeartbeatInterval: "300", LocalAuthListEnabled: "true", AuthorizationKey: PASSWORD, GetConfigurationMaxKeys: "3" };
const drifts = async (chargerId: string) =>
  (await site.told())
    .filter(({ type, subject }) => type === "ChargerConfigurationDrifted" && subject === chargerId)
    .map(({ data }) => [data.configurationKey.key, data.configurationKey.state]);
const stateOf = (chargerId: string, key: string, state: string) =>
  eventually(async () => {
    const row = await desk.key(chargerId, key).catch(() => undefined);
    return row?.state === state && row;
  });

test("after a boot all is read, page by page what the charger leaves out, and never the password", async () => {
  const config = makeConfig({ ...ordinary, "Acme.Colour": "red", NumberOfConnectors: "2" }, ["NumberOfConnectors"]);
  config.hidden.add("NumberOfConnectors");
  const station = await site.join("K-1", { react: respond(config) });
  // Of the keys that every charger has this one names four, and hides one.
  await eventually(async () => (await desk.keys("K-1", { state: "UNKNOWN_TO_CHARGER" })).length > 10);
  const read = Object.fromEntries((await desk.keys("K-1")).flatMap((one) => (one.value === undefined ? [] : [[one.key, one]])));
  expect(Object.keys(read).toSorted()).toEqual([
    "Acme.Colour",
    "GetConfigurationMaxKeys",
    "HeartbeatInterval",
    "LocalAuthListEnabled",
    "NumberOfConnectors",
  ]);
  expect(read["Acme.Colour"]).toMatchObject({ value: "red", readOnly: false, state: "UNMANAGED", readTime: expect.any(Date) });
  expect(read.NumberOfConnectors).toMatchObject({ value: "2", readOnly: true });
  const pages = station.asked.filter(({ action }) => action === "GetConfiguration").map(({ payload }) => payload.key);
  expect(pages[0]).toBeUndefined();
  expect(Math.max(...pages.slice(1).map((keys) => keys.length))).toBe(3);
  expect(pages.flat()).toContain("NumberOfConnectors");
  // Not again so soon.
  await station.boot();
  await desk.refresh("K-1");
  expect(station.asked.filter(({ action, payload }) => action === "GetConfiguration" && payload.key === undefined)).toHaveLength(2);
  const everything = await site.rows("select coalesce(json_agg(k)::text, '') as text from configuration_key k");
  expect(everything[0].text.toLowerCase()).not.toMatch(/authorizationkey|00112233/);
  await station.leave();
});

test("a wanted value is sent, kept, and shown as what the charger made of it", async () => {
  const config = makeConfig(ordinary);
  const station = await site.join("K-2", { react: respond(config) });
  await stateOf("K-2", "HeartbeatInterval", "UNMANAGED");
  expect(await desk.want("K-2", "heartbeatinterval", "60")).toMatchObject({
    key: "HeartbeatInterval",
    value: "60",
    wantedValue: "60",
    wantedTime: expect.any(Date),
    wantedUserId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    state: "IN_SYNC",
  });
  expect((await station.isAsked("ChangeConfiguration")).payload).toEqual({ key: "HeartbeatInterval", value: "60" });
  config.answer = () => "Rejected";
  expect(await desk.want("K-2", "HeartbeatInterval", "50")).toMatchObject({ value: "60", wantedValue: "50", state: "DRIFTED" });
  config.answer = () => "NotSupported";
  expect(await desk.want("K-2", "Acme.Light", "on")).toMatchObject({ value: undefined, state: "UNKNOWN_TO_CHARGER" });
  // Somebody changes it by a command of their own: that is learnt as well.
  config.answer = () => "Accepted";
  await desk.want("K-2", "LocalAuthListEnabled", "TRUE");
  expect(await desk.key("K-2", "localauthlistenabled")).toMatchObject({ state: "IN_SYNC" });
  await site.command({ chargerId: "K-2", action: "ChangeConfiguration", payload: { key: "LocalAuthListEnabled", value: "false" } });
  expect(await desk.key("K-2", "LocalAuthListEnabled")).toMatchObject({ value: "false", wantedValue: "TRUE", state: "DRIFTED" });
  // Or at the charger, and it is read.
  config.values.set("HeartbeatInterval", { value: "50", readonly: false });
  await site.command({ chargerId: "K-2", action: "GetConfiguration", payload: { key: ["HeartbeatInterval"] } });
  expect(await desk.key("K-2", "HeartbeatInterval")).toMatchObject({ value: "50", state: "IN_SYNC" });
  expect((await desk.keys("K-2", { state: "DRIFTED" })).map(({ key }) => key)).toEqual(["LocalAuthListEnabled"]);
  expect(await drifts("K-2")).toEqual([
    ["HeartbeatInterval", "DRIFTED"],
    ["Acme.Light", "UNKNOWN_TO_CHARGER"],
    ["LocalAuthListEnabled", "DRIFTED"],
  ]);
  expect(await desk.release("K-2", "LocalAuthListEnabled")).toMatchObject({ wantedValue: undefined, state: "UNMANAGED" });
  expect(await refusal(desk.release("K-2", "LocalAuthListEnabled"))).toMatchObject({
    code: "NOT_FOUND",
    reason: "CONFIGURATION_KEY_NOT_FOUND",
  });
  await station.leave();
});

test("what is taken up by a boot is pending until that boot, and read then however soon it comes", async () => {
  const config = makeConfig(ordinary);
  const station = await site.join("K-3", { react: respond(config) });
  await stateOf("K-3", "HeartbeatInterval", "UNMANAGED");
  config.answer = () => "RebootRequired";
  expect(await desk.want("K-3", "HeartbeatInterval", "60")).toMatchObject({ value: "300", state: "PENDING" });
  await desk.refresh("K-3");
  expect(await desk.key("K-3", "HeartbeatInterval")).toMatchObject({ value: "300", state: "PENDING" });
  await station.boot();
  // It has forgotten.
  await stateOf("K-3", "HeartbeatInterval", "DRIFTED");
  expect(await desk.want("K-3", "HeartbeatInterval", "60")).toMatchObject({ state: "PENDING" });
  config.values.set("HeartbeatInterval", { value: "60", readonly: false });
  // Some show already what they have not taken up.
  await desk.refresh("K-3");
  expect(await desk.key("K-3", "HeartbeatInterval")).toMatchObject({ value: "60", state: "PENDING" });
  await station.boot();
  expect(await stateOf("K-3", "HeartbeatInterval", "IN_SYNC")).toMatchObject({ value: "60" });
  await station.leave();
});

test("a charger that is away gets what is wanted when it comes back, or after its boot if that is later", async () => {
  const config = makeConfig(ordinary);
  await site.register("K-4");
  expect(await desk.want("K-4", "HeartbeatInterval", "60")).toMatchObject({ value: undefined, wantedValue: "60", state: "PENDING" });
  expect(await desk.want("K-4", "ResetRetries", "2", { ttlSeconds: 1 })).toMatchObject({ state: "PENDING" });
  await eventually(async () => (await site.rows("select from command where charger_id = 'K-4' and state = 'EXPIRED'")).length === 1);
  const station = await site.connect("K-4", { react: respond(config) });
  await station.boot();
  await stateOf("K-4", "HeartbeatInterval", "IN_SYNC");
  await stateOf("K-4", "ResetRetries", "IN_SYNC");
  expect(station.asked.filter(({ action }) => action === "ChangeConfiguration").map(({ payload }) => payload.value)).toEqual(["60", "2"]);
  await station.leave();
});

test("what is wanted of a key while the charger first names it stays wanted", async () => {
  const config = makeConfig({});
  // Whose turn is first after the lock, the wish's or the reading's, nobody knows; of several, one is likely to show it.
  const ids = ["K-8", "K-9"];
  const stations = await Promise.all(ids.map((id) => site.join(id, { react: respond(config) })));
  // What follows the boots is over.
  const read = `select from command where charger_id = any('{${ids}}') and state = 'ACCEPTED'`;
  await eventually(async () => (await site.rows(read)).length === ids.length);
  config.values.set("AcmeLight", { value: "on", readonly: false });
  // Both have found that nothing is known of the key before either of them keeps it.
  const table = await site.hold("lock table configuration_key in share mode");
  const wanting = Promise.all(ids.map((id) => desk.want(id, "AcmeLight", "off")));
  await site.blocked(ids.length);
  const reading = Promise.all(ids.map((id) => desk.refresh(id)));
  await site.blocked(2 * ids.length);
  await table.release();
  await Promise.all([wanting, reading]);
  const keys = await Promise.all(ids.map((id) => desk.key(id, "AcmeLight")));
  expect(keys.map(({ wantedValue, state }) => [wantedValue, state])).toEqual(ids.map(() => ["off", "IN_SYNC"]));
  for (const station of stations) await station.leave();
});

test("a value that brings the charger down three times is not sent again by itself", async () => {
  const config = makeConfig(ordinary);
  config.answer = () => undefined;
  await site.register("K-5");
  for (let i = 0; i < 3; i++) {
    const station = await site.connect("K-5", { react: respond(config) });
    await station.boot();
    if (i === 0) void desk.want("K-5", "HeartbeatInterval", "0").catch(() => undefined);
    await station.isAsked("ChangeConfiguration");
    station.socket.terminate();
    await site.gone("K-5");
    await eventually(
      async () => (await site.rows("select from command where charger_id = 'K-5' and state in ('QUEUED', 'SENT')")).length === 0,
    );
  }
  expect(await desk.key("K-5", "HeartbeatInterval")).toMatchObject({ state: "DRIFTED" });
  expect(await drifts("K-5")).toEqual([["HeartbeatInterval", "DRIFTED"]]);
});

test.each<[string, string, string]>([
  ["HeartbeatInterval", "5 minutes", "value"],
  ["heartbeatinterval", "-1", "value"],
  ["HeartbeatInterval", "99999999999", "value"],
  ["LightIntensity", "101", "value"],
  ["LocalPreAuthorize", "yes", "value"],
  ["MeterValuesSampledData", "Energy.Active.Import.Register,Volts", "value"],
  ["ConnectorPhaseRotation", "1.ABC", "value"],
  ["SecurityProfile", "4", "value"],
  ["NumberOfConnectors", "2", "key"],
  ["supportedfeatureprofiles", "Core", "key"],
  ["AuthorizationKey", PASSWORD, "key"],
  ["authorizationkey", PASSWORD, "key"],
  ["Acme".repeat(20), "1", "key"],
  ["Acme", "x".repeat(501), "value"],
  ["Acme", "a\u0000b", "value"],
])("%s is not set to %j, for the fault of its %s", async (key, value, field) => {
  await site.register("K-6").catch(() => undefined);
  expect(await refusal(desk.want("K-6", key, value, { waitSeconds: 1 }))).toEqual({
    code: "INVALID_ARGUMENT",
    reason: "INVALID_FIELD",
    fields: [field],
  });
});

test("what may be set is what the standard has, and whatever vendors have", async () => {
  const config = makeConfig(ordinary, ["LocalAuthListEnabled"]);
  const station = await site.join("K-7", { react: respond(config) });
  await stateOf("K-7", "LocalAuthListEnabled", "UNMANAGED");
  for (const [key, value] of [
    ["MeterValuesSampledData", "Energy.Active.Import.Register, Voltage.L1-N,SoC"],
    ["StopTxnSampledData", ""],
    ["ConnectorPhaseRotation", "0.RST,1.RTS"],
    ["CpoName", "Ünïted Chargers"],
    ["Acme", "anything at all"],
  ] as const) {
    expect(await desk.want("K-7", key, value)).toMatchObject({ value, state: "IN_SYNC" });
  }
  const readOnly = desk.want("K-7", "LocalAuthListEnabled", "false");
  expect(await refusal(readOnly)).toMatchObject({ code: "FAILED_PRECONDITION", reason: "CONFIGURATION_KEY_READ_ONLY" });
  expect(await refusal(desk.want("NOBODY", "Acme", "1"))).toMatchObject({ code: "NOT_FOUND", reason: "CHARGER_NOT_FOUND" });
  expect(await refusal(desk.keys("NOBODY"))).toMatchObject({ code: "NOT_FOUND" });
  await station.leave();
});

test("when many boot at once, what follows is done for some after the others", async () => {
  const silent: StationOptions = { react: () => undefined };
  const stations = await Promise.all(Array.from({ length: 34 }, (_, i) => site.join(`K-many-${i}`, silent)));
  const asked = () => stations.flatMap((station) => station.asked.map(({ id }) => ({ station, id })));
  await eventually(async () => asked().length === 32);
  // One that boots again waits no less.
  await stations[0]?.boot();
  expect(asked()).toHaveLength(32);
  for (const { station, id } of asked()) station.say([4, id, "NotSupported", "", {}]);
  await eventually(async () => asked().length === 34);
  await Promise.all(stations.map((station) => station.leave()));
});
