import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSite, type Site } from "./site.ts";
import type { Station } from "./station.ts";

// Every start is kept, whatever its id token is worth; the charger is told what it is worth, and a repeat is told the same.

let site: Site;
let station: Station;

const PAST = new Date(Date.now() - 60_000);
const FUTURE = new Date("2099-01-01T00:00:00.000Z");
const USER = randomUUID();

beforeAll(async () => {
  site = await openSite();
  for (const [idToken, fields] of [
    ["GOOD", { userId: USER }],
    ["BLOCKED", { status: "BLOCKED" }],
    ["EXPIRED", { expiryTime: PAST }],
    ["LIMITED", { expiryTime: FUTURE, parentIdToken: "FAMILY", userId: USER }],
    ["FAMILY", {}],
    ["FAMILY-BLOCKED", { status: "BLOCKED" }],
    ["FAMILY-EXPIRED", { expiryTime: PAST }],
    ["CHILD-OF-BLOCKED", { parentIdToken: "family-blocked" }],
    ["CHILD-OF-EXPIRED", { parentIdToken: "FAMILY-EXPIRED" }],
    ["CHILD-OF-NOBODY", { parentIdToken: "NOBODY" }],
    ["CHILD-OF-LONG", { parentIdToken: "A-PARENT-LONGER-THAN-20" }],
    ["BUSY", {}],
    ["CHANGING", {}],
  ] as const) {
    await site.addIdToken(idToken, fields);
  }
  station = await site.join("T-1");
});
afterAll(async () => {
  await station?.leave();
  await site?.leave();
});

let meter = 0;
/** A start on a connector of its own, so that none ends another. */
const startOf = (idTag: string) => ({ connectorId: ++meter, idTag, meterStart: meter, timestamp: new Date().toISOString() });

const verdicts: [idTag: string, idTagInfo: object, status: string, flags: string[], userId: string][] = [
  ["GOOD", { status: "Accepted" }, "Accepted", [], USER],
  ["gOOd", { status: "Accepted" }, "ConcurrentTx", ["ID_TOKEN_REJECTED"], USER],
  ["NOBODY", { status: "Invalid" }, "Invalid", ["ID_TOKEN_UNKNOWN"], ""],
  ["BLOCKED", { status: "Blocked" }, "Blocked", ["ID_TOKEN_REJECTED"], ""],
  ["expired", { status: "Expired", expiryDate: PAST.toISOString() }, "Expired", ["ID_TOKEN_REJECTED"], ""],
  ["LIMITED", { status: "Accepted", expiryDate: FUTURE.toISOString(), parentIdTag: "FAMILY" }, "Accepted", [], USER],
  ["CHILD-OF-BLOCKED", { status: "Blocked", parentIdTag: "family-blocked" }, "Blocked", ["ID_TOKEN_REJECTED"], ""],
  ["CHILD-OF-EXPIRED", { status: "Expired", parentIdTag: "FAMILY-EXPIRED" }, "Expired", ["ID_TOKEN_REJECTED"], ""],
  ["CHILD-OF-NOBODY", { status: "Accepted", parentIdTag: "NOBODY" }, "Accepted", [], ""],
  // OCPP 1.6 has no room for such a parent.
  ["CHILD-OF-LONG", { status: "Accepted" }, "Accepted", [], ""],
];

test.each(verdicts)("%s is told what it is worth, and its start is kept", async (idTag, idTagInfo, status, flags, userId) => {
  // A token in use may be authorized all the same (OCPP 1.6 §7.2): only a start is too much.
  expect(await station.result("Authorize", { idTag })).toEqual({ idTagInfo });
  const start = startOf(idTag);
  const answer = await station.result("StartTransaction", start);
  expect(answer).toEqual({ transactionId: expect.any(Number), idTagInfo: { ...idTagInfo, status } });
  expect(await station.result("StartTransaction", start)).toEqual(answer);
  expect(await site.transaction(answer.transactionId)).toMatchObject({ idToken: idTag, state: "ACTIVE", flags, userId, energyWh: 0 });
});

test("a token that charges at another charger, or on another connector, is in use until it stops", async () => {
  const other = await site.join("T-2");
  const first = startOf("BUSY");
  const { transactionId, idTagInfo } = await station.result("StartTransaction", first);
  expect(idTagInfo).toEqual({ status: "Accepted" });
  const second = startOf("busy");
  const rejected = await other.result("StartTransaction", second);
  expect(rejected.idTagInfo).toEqual({ status: "ConcurrentTx" });
  const stop = { meterStop: first.meterStart, timestamp: new Date().toISOString() };
  await station.result("StopTransaction", { transactionId, ...stop });
  // What was told is told again.
  expect(await other.result("StartTransaction", second)).toEqual(rejected);
  await other.result("StopTransaction", { transactionId: rejected.transactionId, ...stop });
  expect((await station.result("StartTransaction", startOf("BUSY"))).idTagInfo).toEqual({ status: "Accepted" });
  await other.leave();
});

test("a token that changes between a start and its repeat changes nothing of what was told", async () => {
  const start = startOf("CHANGING");
  const answer = await station.result("StartTransaction", start);
  expect(answer.idTagInfo).toEqual({ status: "Accepted" });
  await site.rows("update id_token set status = 'BLOCKED' where folded = 'changing'");
  expect(await station.result("StartTransaction", start)).toEqual(answer);
  await site.rows("delete from id_token where folded = 'changing'");
  expect(await station.result("StartTransaction", start)).toEqual(answer);
  expect(await site.transaction(answer.transactionId)).toMatchObject({ flags: [] });
});

test("whoever stops is told what their token is worth, and it stops whatever that is", async () => {
  for (const [idTag, idTagInfo] of [
    ["BLOCKED", { status: "Blocked" }],
    ["NOBODY", { status: "Invalid" }],
    ["LIMITED", { status: "Accepted", expiryDate: FUTURE.toISOString(), parentIdTag: "FAMILY" }],
  ] as const) {
    const start = startOf(`S-${idTag}`);
    const { transactionId } = await station.result("StartTransaction", start);
    const stop = { transactionId, idTag, meterStop: start.meterStart + 10, timestamp: new Date().toISOString(), reason: "DeAuthorized" };
    expect(await station.result("StopTransaction", stop)).toEqual({ idTagInfo });
    expect(await station.result("StopTransaction", stop)).toEqual({ idTagInfo });
    const kept = await site.transaction(transactionId);
    expect(kept).toMatchObject({ state: "STOPPED", stopIdToken: idTag, stopReason: "DeAuthorized", energyWh: 10 });
  }
});

test("a start with a text that is no Unicode is kept", async () => {
  // JSON may escape half of a pair; it becomes U+FFFD, and its repeat is still its repeat.
  const start = { ...startOf(""), idTag: "half \ud83d" };
  const answer = await station.result("StartTransaction", start);
  expect(answer.idTagInfo).toEqual({ status: "Invalid" });
  expect(await station.result("StartTransaction", start)).toEqual(answer);
  expect(await site.transaction(answer.transactionId)).toMatchObject({ idToken: "half \ufffd", flags: ["ID_TOKEN_UNKNOWN"] });
});
