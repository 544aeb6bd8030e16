import { IdToken } from "@chargemesh/contracts/charger/v1/id_token";
import type { LocalList } from "@chargemesh/contracts/charger/v1/local_list";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { eventually } from "../../../test/rest.ts";
import { call, refusal } from "../service.ts";
import { openSetupDesk, type SetupDesk } from "./setup-desk.ts";
import { openSite, type Site } from "./site.ts";
import type { Payload, Reaction, StationOptions } from "./station.ts";

// The lists by which chargers authorize while they are offline: in step with the id tokens, whatever becomes of either.

let site: Site;
let desk: SetupDesk;
let series = 0;

beforeAll(async () => {
  site = await openSite({ OCPP_CONFIGURATION_SECONDS: "1000" });
  desk = openSetupDesk(site);
});
beforeEach(async () => {
  series++;
  await site.rows("delete from id_token");
});
afterAll(async () => {
  desk?.close();
  await site?.leave();
});

/** A charger that keeps a list, as OCPP 1.6 §5.15 has it. */
interface Keeper {
  version: number;
  entries: Map<string, object>;
  /** What it answers instead. */
  status?: string;
  configuration: Record<string, string>;
  updates: { updateType: string; count: number }[];
}

function makeKeeper(configuration: Record<string, string> = {}): Keeper {
  return { version: 0, entries: new Map(), configuration, updates: [] };
}

function respond(keeper: Keeper): NonNullable<StationOptions["react"]> {
  return (action: string, payload: Payload): Reaction => {
    if (action === "GetConfiguration") {
      const keys = payload.key ?? Object.keys(keeper.configuration);
      const known = keys.filter((key: string) => key in keeper.configuration);
      return {
        configurationKey: known.map((key: string) => ({ key, value: keeper.configuration[key], readonly: true })),
        unknownKey: keys.filter((key: string) => !(key in keeper.configuration)),
      };
    }
    if (action === "GetLocalListVersion") return { listVersion: keeper.version };
    if (action !== "SendLocalList") return { status: "Accepted" };
    const { listVersion, updateType, localAuthorizationList = [] } = payload;
    keeper.updates.push({ updateType, count: localAuthorizationList.length });
    if (keeper.status !== undefined) return { status: keeper.status };
    if (updateType === "Differential" && listVersion <= keeper.version) return { status: "VersionMismatch" };
    if (updateType === "Full") keeper.entries.clear();
    for (const { idTag, idTagInfo } of localAuthorizationList) {
      if (idTagInfo === undefined) keeper.entries.delete(idTag);
      else keeper.entries.set(idTag, idTagInfo);
    }
    keeper.version = listVersion;
    return { status: "Accepted" };
  };
}

const inState = (chargerId: string, state: LocalList["state"], isIt: (list: LocalList) => boolean = () => true) =>
  eventually(async () => {
    const list = await desk.list(chargerId);
    return list.state === state && isIt(list) && list;
  });
const names = (keeper: Keeper) => [...keeper.entries.keys()].toSorted();
const has = (keeper: Keeper, ...wanted: string[]) => eventually(async () => names(keeper).join() === wanted.join());
const change = async (idToken: string, fields: Partial<IdToken>) => {
  const updateMask = Object.keys(fields).map((name) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
  const request = { idToken: IdToken.fromPartial({ idToken, ...fields }), updateMask };
  const { idTokens } = site.service;
  await call(idTokens, idTokens.updateIdToken, request, site.place.as("OPERATOR"));
};
/** So much that what was to expire then has. */
const letTimePass = async (expiry: Date) => {
  // Nobody has changed anything.
  await site.rows("alter table id_token disable trigger user");
  for (const table of ["id_token set expiry_time", "local_list set next_expiry_time"]) {
    const column = table.split(" ").at(-1);
    const rows = await site.rows(`update ${table} = now() - interval '1 s' where ${column} = $1 returning 1`, [expiry]);
    expect(rows.length, table).toBeGreaterThan(0);
  }
  await site.rows("alter table id_token enable trigger user");
};
const join = async (keeper: Keeper) => site.join(`L-${series}`, { react: respond(keeper) });
const id = (): string => `L-${series}`;

test("a list is off until somebody wants it, and says so", async () => {
  const keeper = makeKeeper();
  const station = await join(keeper);
  await site.addIdToken("A");
  expect(await desk.list(id())).toMatchObject({ mode: "OFF", state: "IN_STEP", version: 0, chargerVersion: undefined, entryCount: 0 });
  expect(await desk.setMode(id(), "OFF")).toMatchObject({ mode: "OFF", state: "IN_STEP" });
  expect(keeper.updates).toEqual([]);
  expect(await refusal(desk.list("NOBODY"))).toMatchObject({ code: "NOT_FOUND", reason: "CHARGER_NOT_FOUND" });
  expect(await refusal(desk.setMode(id(), "MODE_UNSPECIFIED"))).toMatchObject({ code: "INVALID_ARGUMENT", fields: ["mode"] });
  await station.leave();
});

test("a list follows the id tokens: those that come, change, expire and go", async () => {
  const soon = new Date("2090-01-01T00:00:00.000Z");
  const later = new Date("2099-01-01T00:00:00.000Z");
  await site.addIdToken("PLAIN");
  await site.addIdToken("CHILD", { parentIdToken: "FAMILY", expiryTime: later });
  await site.addIdToken("FAMILY", { expiryTime: soon });
  await site.addIdToken("BLOCKED", { status: "BLOCKED" });
  await site.addIdToken("A-TOKEN-LONGER-THAN-20");
  const keeper = makeKeeper();
  const station = await join(keeper);
  await desk.setMode(id(), "ALL");
  const first = await inState(id(), "IN_STEP", ({ version }) => version === 1);
  expect(first).toMatchObject({
    chargerVersion: 1,
    entryCount: 4,
    omittedCount: 1,
    refusal: "",
    commandId: "",
    updateTime: expect.any(Date),
  });
  expect(keeper.updates).toEqual([{ updateType: "Full", count: 4 }]);
  const expiryDate = soon.toISOString();
  expect(Object.fromEntries(keeper.entries)).toEqual({
    PLAIN: { status: "Accepted" },
    // A charger that is offline knows only what it was told: a parent's end is its children's.
    CHILD: { status: "Accepted", parentIdTag: "FAMILY", expiryDate },
    FAMILY: { status: "Accepted", expiryDate },
    BLOCKED: { status: "Blocked" },
  });
  expect((await desk.entries(id())).map(({ idToken, status }) => [idToken, status])).toEqual([
    ["BLOCKED", "BLOCKED"],
    ["CHILD", "ACCEPTED"],
    ["FAMILY", "ACCEPTED"],
    ["PLAIN", "ACCEPTED"],
  ]);
  await site.addIdToken("NEW");
  await change("PLAIN", { status: "BLOCKED" });
  await site.rows("delete from id_token where folded = 'blocked'");
  await has(keeper, "CHILD", "FAMILY", "NEW", "PLAIN");
  expect(keeper.entries.get("PLAIN")).toEqual({ status: "Blocked" });
  await inState(id(), "IN_STEP");
  await letTimePass(soon);
  await eventually(async () => JSON.stringify(keeper.entries.get("CHILD")).includes("Expired"));
  expect(keeper.entries.get("FAMILY")).toMatchObject({ status: "Expired" });
  expect(keeper.updates.slice(1).every(({ updateType }) => updateType === "Differential")).toBe(true);
  expect(await inState(id(), "IN_STEP")).toMatchObject({ version: keeper.version, entryCount: 4 });
  await desk.setMode(id(), "OFF");
  await has(keeper);
  expect(await inState(id(), "IN_STEP")).toMatchObject({ mode: "OFF", entryCount: 0, omittedCount: 0 });
  await station.leave();
});

test("a list of chosen id tokens has those and no others", async () => {
  for (const name of ["One", "TWO", "THREE"]) await site.addIdToken(name);
  const keeper = makeKeeper();
  const station = await join(keeper);
  await desk.select(id(), "one");
  await desk.select(id(), "TWO");
  await desk.select(id(), "TWO");
  expect(await desk.selected(id())).toEqual(["One", "TWO"]);
  expect(await desk.setMode(id(), "SELECTED")).toMatchObject({ mode: "SELECTED", state: "DUE" });
  await has(keeper, "One", "TWO");
  await inState(id(), "IN_STEP");
  await change("THREE", { status: "BLOCKED" });
  await desk.deselect(id(), "ONE");
  await has(keeper, "TWO");
  await change("TWO", { parentIdToken: "THREE" });
  await eventually(async () => JSON.stringify(keeper.entries.get("TWO")) === '{"status":"Blocked","parentIdTag":"THREE"}');
  await change("THREE", { status: "ACCEPTED" });
  await eventually(async () => JSON.stringify(keeper.entries.get("TWO")) === '{"status":"Accepted","parentIdTag":"THREE"}');
  expect(await refusal(desk.select(id(), "NOBODY"))).toMatchObject({ code: "NOT_FOUND", reason: "ID_TOKEN_NOT_FOUND" });
  expect(await refusal(desk.deselect(id(), "ONE"))).toMatchObject({ code: "NOT_FOUND", reason: "ID_TOKEN_NOT_SELECTED" });
  expect(await refusal(desk.select("NOBODY", "TWO"))).toMatchObject({ code: "NOT_FOUND", reason: "CHARGER_NOT_FOUND" });
  await site.rows("delete from id_token where folded = 'two'");
  await has(keeper);
  expect(await desk.selected(id())).toEqual([]);
  await station.leave();
});

test("a long list is told in parts, and what has no room is left out: first those that may not charge", async () => {
  await site.rows(
    "insert into id_token (id_token, status) select 'T-' || n, case when n <= 3 then 'BLOCKED' else 'ACCEPTED' end from generate_series(1, 12) n",
  );
  const keeper = makeKeeper({ SendLocalListMaxLength: "4", LocalAuthListMaxLength: "10" });
  const station = await join(keeper);
  await eventually(async () => (await desk.keys(id())).some(({ key, value }) => key === "LocalAuthListMaxLength" && value === "10"));
  await desk.setMode(id(), "ALL");
  const list = await inState(id(), "IN_STEP", ({ entryCount }) => entryCount === 10);
  expect(list).toMatchObject({ version: 3, chargerVersion: 3, omittedCount: 2 });
  expect(keeper.updates).toEqual([
    { updateType: "Full", count: 4 },
    { updateType: "Differential", count: 4 },
    { updateType: "Differential", count: 2 },
  ]);
  expect(names(keeper).filter((name) => /^T-[123]$/.test(name))).toHaveLength(1);
  await station.leave();
});

test("a charger whose list is another than we believe is told everything anew", async () => {
  await site.addIdToken("A");
  const keeper = makeKeeper();
  const station = await join(keeper);
  await desk.setMode(id(), "ALL");
  await inState(id(), "IN_STEP", ({ version }) => version === 1);
  // Somebody else has told it something: the next part does not fit, and all is told.
  keeper.version = 7;
  keeper.entries.set("STRANGER", { status: "Accepted" });
  await site.addIdToken("B");
  await has(keeper, "A", "B");
  expect(keeper.updates.map(({ updateType }) => updateType)).toEqual(["Full", "Differential", "Full"]);
  await inState(id(), "IN_STEP");
  // It has forgotten all, which it is asked after a boot.
  keeper.version = 0;
  keeper.entries.clear();
  await station.boot();
  await has(keeper, "A", "B");
  expect(await inState(id(), "IN_STEP")).toMatchObject({ chargerVersion: keeper.version, version: keeper.version });
  // By a command of an operator's own: what it says is learnt, and put right.
  const payload = {
    listVersion: 90,
    updateType: "Differential",
    localAuthorizationList: [{ idTag: "RAW", idTagInfo: { status: "Accepted" } }],
  };
  await site.command({ chargerId: id(), action: "SendLocalList", payload });
  await has(keeper, "A", "B");
  expect(keeper.version).toBe(91);
  const synced = await desk.sync(id(), { replace: true });
  expect(synced).toMatchObject({ state: "IN_STEP", version: 92, chargerVersion: 92, entryCount: 2 });
  expect(keeper.updates.at(-1)).toEqual({ updateType: "Full", count: 2 });
  await station.leave();
});

test("a charger that does not take its list is shown, and not asked on and on", async () => {
  await site.addIdToken("A");
  const keeper = makeKeeper();
  keeper.status = "Failed";
  const station = await join(keeper);
  await desk.setMode(id(), "ALL");
  expect(await inState(id(), "REFUSED")).toMatchObject({ refusal: "Failed", version: 0, entryCount: 0 });
  keeper.status = "NotSupported";
  expect(await desk.sync(id())).toMatchObject({ state: "NOT_SUPPORTED", refusal: "NotSupported" });
  const told = keeper.updates.length;
  await site.addIdToken("B");
  // The sweep has seen this, and left it.
  await eventually(async () => (await site.rows("select from id_token_change")).length === 0);
  expect(keeper.updates).toHaveLength(told);
  delete keeper.status;
  await station.boot();
  await has(keeper, "A", "B");
  expect(await inState(id(), "IN_STEP")).toMatchObject({ refusal: "" });
  await station.leave();
});

test("a charger that was away is told when it is back", async () => {
  await site.addIdToken("A");
  const keeper = makeKeeper();
  await site.register(id());
  expect(await desk.setMode(id(), "ALL")).toMatchObject({ state: "DUE" });
  expect(await desk.sync(id())).toMatchObject({ state: "DUE", version: 0 });
  const station = await site.connect(id(), { react: respond(keeper) });
  await station.boot();
  await has(keeper, "A");
  station.socket.terminate();
  await site.gone(id());
  await site.addIdToken("B");
  const again = await site.connect(id(), { react: respond(keeper) });
  await again.result("Heartbeat", {});
  await has(keeper, "A", "B");
  await again.leave();
});

test("an id token that changes while a list is found to be in step is not forgotten", async () => {
  await site.register(id());
  await desk.setMode(id(), "ALL");
  const found = await site.hold(`update local_list set is_due = false where charger_id = '${id()}'`);
  await site.addIdToken("A");
  await site.blocked(1);
  await found.release();
  await eventually(async () => (await site.rows("select is_due from local_list where charger_id = $1", [id()]))[0]?.is_due);
});
