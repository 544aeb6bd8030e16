import { Charger } from "@chargemesh/contracts/charger/v1/charger";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeTurnstile } from "../../src/ocpp/turnstile.ts";
import { call } from "../service.ts";
import { openSite, type Site } from "./site.ts";
import { Refusal, type Station } from "./station.ts";

// What a charger may do at most, that what is too much costs nobody else anything, and that an operator sees it.

let site: Site;
const PER_SECOND = 2;
/** Five seconds' worth may come at once. */
const AT_ONCE = 10;

beforeAll(async () => {
  site = await openSite({ OCPP_FRAMES_PER_SECOND: String(PER_SECOND) });
});
afterAll(() => site?.leave());

const last = async (id: string) => (await site.connections(id))[0];
/** Ends a connection and answers what was said on it. */
async function framesOf(station: Station) {
  await station.leave();
  await site.gone(station.id);
  return (await last(station.id))?.frames;
}

test("a charger that sends more than its share is slowed down, loses nothing, and is in nobody's way", async () => {
  const [greedy, other] = await Promise.all([site.join("L-greedy"), site.join("L-other")]);
  const since = performance.now();
  const ids = Array.from({ length: AT_ONCE + 3 * PER_SECOND }, (_, i) => `n-${i}`);
  // What came in one piece with the last that was allowed is read all the same: some 64 KB.
  const payload = { idTag: "A", more: "x".repeat(40_000) };
  const all = Promise.all(ids.map((id) => greedy.call("Authorize", payload, id)));
  for (let i = 0; i < 5; i++) await other.call("Heartbeat", {});
  await all;
  expect(performance.now() - since).toBeGreaterThan(900);
  expect(greedy.frames.slice(1).map(([, id]) => id)).toEqual(ids);
  const said = await framesOf(greedy);
  expect(said).toMatchObject({ received: ids.length + 1, sent: ids.length + 1, refused: ids.length, ignored: 0 });
  expect(said?.slowed).toBeGreaterThan(0);
  expect(await framesOf(other)).toEqual({ received: 6, sent: 6, refused: 0, ignored: 0, slowed: 0 });
});

test("what is refused and what is ignored is counted, also of our own CALLs", async () => {
  const station = await site.join("L-counts");
  for (const frame of ["", '[3,"nobody waits",{}]', '[9,"1"]', Buffer.from("[]")]) station.say(frame);
  station.socket.send(Buffer.from([0xff]), { binary: false });
  await station.call("MakeCoffee", {});
  await station.call("Authorize", { idTag: 7 });
  expect(await site.command({ chargerId: "L-counts", action: "ClearCache", payload: {} })).toMatchObject({ state: "ACCEPTED" });
  // The boot, five that are ignored, two that are refused, and the answer to ours.
  expect(await framesOf(station)).toEqual({ received: 9, sent: 4, refused: 2, ignored: 5, slowed: 0 });
});

test("a CALLERROR with a string as its details is taken, and answers the command", async () => {
  await site.register("L-string");
  const station = await site.connect("L-string", { react: () => undefined });
  await station.boot();
  const asking = site.command({ chargerId: "L-string", action: "ClearCache", payload: {} });
  const { id } = await station.isAsked("ClearCache");
  station.say([4, id, "NotSupported", "no", "at all"]);
  expect(await asking).toMatchObject({ state: "FAILED", errorCode: "NotSupported", errorDescription: "no" });
  expect((await framesOf(station))?.ignored).toBe(0);
});

test("a client that offers permessage-deflate goes without", async () => {
  await site.register("L-deflate");
  const headers = { "sec-websocket-extensions": "permessage-deflate; client_max_window_bits" };
  const station = await site.connect("L-deflate", { headers });
  expect(station.socket.extensions).toBe("");
  expect(await station.boot()).toMatchObject({ status: "Accepted" });
  await station.leave();
});

test("fifty chargers that come back at once are all let in, while those of before are still there", async () => {
  const ids = Array.from({ length: 50 }, (_, i) => `L-${i}`);
  await Promise.all(ids.map((id) => site.register(id)));
  const before = await Promise.all(ids.map((id) => site.connect(id)));
  const after = await Promise.all(ids.map((id) => site.connect(id)));
  expect(await Promise.all(before.map(({ closed }) => closed))).toEqual(ids.map(() => ({ code: 1001, reason: "SUPERSEDED" })));
  expect(await Promise.all(after.map((station) => station.boot()))).toMatchObject(ids.map(() => ({ status: "Accepted" })));
  for (const { socket } of after) socket.terminate();
});

test("after twenty wrong passwords from one address also the right one waits, until an operator sets another", async () => {
  const password = await site.register("L-guess");
  const from = (address: string, shown: string): Promise<unknown> =>
    site.connect("L-guess", { password: shown, headers: { "x-forwarded-for": address } }).then(
      (station) => station.leave(),
      (err: unknown) => (err instanceof Refusal ? [err.status, JSON.parse(err.body).error.reason, err.headers["retry-after"]] : err),
    );
  for (let i = 0; i < 20; i++) expect(await from("192.0.2.1", "wrong")).toEqual([401, "WRONG_PASSWORD", undefined]);
  expect(await from("192.0.2.1", password)).toEqual([429, "TOO_MANY_WRONG_PASSWORDS", "60"]);
  expect(await last("L-guess")).toMatchObject({ state: "REFUSED", reason: "TOO_MANY_WRONG_PASSWORDS", remoteAddress: "192.0.2.1" });
  // The charger itself is elsewhere.
  expect(await from("192.0.2.2", password)).toBeUndefined();
  const { chargers } = site.service;
  const charger = Charger.fromPartial({ id: "L-guess", password: "another-password-1" });
  await call(chargers, chargers.updateCharger, { charger, updateMask: ["password"] }, site.place.as("OPERATOR"));
  expect(await from("192.0.2.1", "another-password-1")).toBeUndefined();
});

test("at a turnstile those who come first go first, and a line that is too long takes nobody", async () => {
  const turnstile = makeTurnstile(1, 2);
  const passed: number[] = [];
  const turns = [1, 2, 3].map((who) => turnstile.enter()?.then(() => passed.push(who)));
  expect(turnstile.enter()).toBeUndefined();
  await turns[0];
  expect(passed).toEqual([1]);
  turnstile.leave();
  await turns[1];
  turnstile.leave();
  await turns[2];
  expect(passed).toEqual([1, 2, 3]);
  turnstile.leave();
  expect(turnstile.enter()).toBeInstanceOf(Promise);
});
