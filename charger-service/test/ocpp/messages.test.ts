import { randomUUID } from "node:crypto";
import { subjectOf } from "@chargemesh/kit/outbox";
import { Metadata } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../../test/rest.ts";
import { call, refusal } from "../service.ts";
import { openFrameLog } from "./frame-log.ts";
import { openNats, openSite, type Site } from "./site.ts";
import type { Payload, Station } from "./station.ts";

// What went over the wire is in the frame log, in its order, and nothing in it is secret.

const PASSWORD = "6162636465666768696a6b6c6d6e6f70";
const TOKEN = "one_time-token".repeat(4).slice(0, 43);
let site: Site;
let log: ReturnType<typeof openFrameLog>;
let station: Station;

const react = (action: string, payload: Payload) => {
  if (action === "GetConfiguration") {
    const entry = (key: string, value: string) => ({ key, readonly: false, value });
    return { configurationKey: [entry("AuthorizationKey", PASSWORD), entry("WifiPassword", PASSWORD), entry("Interval", "60")] };
  }
  if (action === "ChangeConfiguration") return { errorCode: "InternalError", errorDescription: `cannot keep ${payload.value}` };
  return { status: "Accepted" };
};

beforeAll(async () => {
  site = await openSite({ OCPP_CONFIGURATION_SECONDS: "60" });
  log = openFrameLog(site);
  await site.register("M-1");
  // It does not boot, so that what it says is all that is said: after a boot we have questions of our own.
  station = await site.connect("M-1", { react });
});
afterAll(async () => {
  await station?.leave();
  log?.close();
  await site?.leave();
});

/** The frames of M-1 from now on, after `work`, when there are so many. */
async function framesOf(count: number, work: () => Promise<unknown>) {
  const messageId = randomUUID();
  await station.call("Heartbeat", {}, messageId);
  const newest = await eventually(async () => (await log.frames("M-1", { messageId, direction: "TO_CHARGER" }))[0]);
  await work();
  return eventually(async () => {
    const frames = (await log.frames("M-1")).filter(({ id }) => Number(id) > Number(newest.id));
    return frames.length >= count ? frames : undefined;
  });
}

const brief = ({ direction, type, action, errorCode }: { direction: string; type: string; action: string; errorCode: string }) =>
  `${direction} ${type} ${action} ${errorCode}`.trim();

test("a call of a charger and its answer are kept as they were, with one trace and how long it took", async () => {
  const frames = await framesOf(2, () => station.call("Heartbeat", {}, "beat-1"));
  expect(frames.map(brief)).toEqual(["FROM_CHARGER CALL Heartbeat", "TO_CHARGER CALLRESULT Heartbeat"]);
  const [asked, answered] = frames;
  expect(asked).toMatchObject({ chargerId: "M-1", messageId: "beat-1", frame: '[2,"beat-1","Heartbeat",{}]', characters: 27, epoch: 1 });
  expect(asked?.latencyMs).toBeUndefined();
  expect(answered).toMatchObject({ messageId: "beat-1", traceId: asked?.traceId, relaxations: [] });
  expect(answered?.frame).toMatch(/^\[3,"beat-1",\{"currentTime":"[^"]+"\}\]$/);
  expect(answered?.latencyMs).toBeGreaterThan(0);
  expect(answered?.time?.getTime()).toBeGreaterThanOrEqual(asked?.time?.getTime() ?? Number.NaN);
});

test("what is refused and what cannot be read is kept too, and can be asked for alone", async () => {
  const frames = await framesOf(7, async () => {
    station.say('[3,"nobody","waits"]');
    station.say("no\0thing");
    station.say('[2,"bad-1","Authorize"]');
    await station.call("Authorize", {}, "bad-2");
    await station.call("Heartbeat", {});
  });
  expect(frames.map(brief).slice(0, 6)).toEqual([
    "FROM_CHARGER CALLRESULT",
    "FROM_CHARGER UNREADABLE  RpcFrameworkError",
    "FROM_CHARGER UNREADABLE  ProtocolError",
    "TO_CHARGER CALLERROR  ProtocolError",
    "FROM_CHARGER CALL Authorize",
    "TO_CHARGER CALLERROR Authorize OccurenceConstraintViolation",
  ]);
  expect(frames[1]?.frame).toBe("no\ufffdthing");
  const onlyErrors = (await log.frames("M-1", { onlyErrors: true })).map(brief);
  expect(onlyErrors).toEqual(
    frames
      .slice(1, 6)
      .map(brief)
      .filter((one) => /ERROR|UNREAD/.test(one)),
  );
});

test("a trace ties what was asked of us to the frames that it led to, by whichever name it came", async () => {
  const { commands } = site.service;
  const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  const ask = async (name: string, value: string) => {
    const as = site.place.as("OPERATOR");
    as.set(name, value);
    as.set("x-request-id", as.get("x-request-id")[0] ?? "of-its-own");
    const request = { chargerId: "M-1", action: "ClearCache", payload: {}, waitSeconds: 0, ttlSeconds: 0, idempotencyKey: "" };
    return (await call(commands, commands.createCommand, request, as)).command;
  };
  const traced = await ask("traceparent", `00-${trace}-00f067aa0ba902b7-01`);
  expect(traced).toMatchObject({ traceId: trace, state: "ACCEPTED" });
  const named = await ask("x-request-id", "request-7");
  expect(named).toMatchObject({ traceId: "request-7" });
  expect(await ask("traceparent", `00-${"0".repeat(32)}-00f067aa0ba902b7-01`)).toMatchObject({ traceId: "of-its-own" });
  for (const traceId of [trace, "request-7", "of-its-own"]) {
    const frames = await eventually(async () => {
      const found = await log.frames("M-1", { traceId });
      return found.length === 2 ? found : undefined;
    });
    expect(frames.map(brief)).toEqual(["TO_CHARGER CALL ClearCache", "FROM_CHARGER CALLRESULT ClearCache"]);
    expect(frames[1]?.messageId).toBe(frames[0]?.messageId);
  }
  const of = (id = "") => lastEvent(subjectOf("chargemesh.charger.v1.CommandUpdated", id));
  expect(await of(traced?.id)).toMatchObject({ requestid: trace, traceparent: expect.stringMatching(`^00-${trace}-[0-9a-f]{16}-00$`) });
  expect(await of(named?.id)).toMatchObject({ requestid: "request-7" });
  expect(await of(named?.id)).not.toHaveProperty("traceparent");
});

/** The newest event of a subject, as it is on the wire, after the outbox is empty. */
async function lastEvent(subject: string): Promise<Payload> {
  await eventually(async () => (await site.rows("select from outbox")).length === 0);
  const nats = await openNats(site.place);
  try {
    const { streams } = await nats.jetstreamManager();
    return (await streams.getMessage("chargemesh_charger_v1", { last_by_subj: subject })).json();
  } finally {
    await nats.close();
  }
}

test("what we ask of a charger because it has booted has the trace of that boot", async () => {
  const booted = await site.join("M-2", { react });
  const question = await eventually(async () => (await log.frames("M-2", { action: "GetConfiguration", type: "CALL" }))[0]);
  const [boot] = await log.frames("M-2", { action: "BootNotification" });
  expect(question.traceId).toBe(boot?.traceId);
  const { requestid } = await lastEvent(subjectOf("chargemesh.charger.v1.ChargerBooted", "M-2"));
  expect(requestid).toBe(boot?.traceId);
  await booted.leave();
});

test("no password is kept, whoever says it and however it is spelt", async () => {
  const frames = await framesOf(12, async () => {
    await site.command({ chargerId: "M-1", action: "GetConfiguration" });
    const { chargers } = site.service;
    const rotation = { id: "M-1", password: PASSWORD, waitSeconds: 10, ttlSeconds: 60 };
    await call(chargers, chargers.rotateChargerPassword, rotation, site.place.as("OPERATOR"));
    station.say(`[3,"late",{"configurationKey":[{"value":"${PASSWORD}","key":"\\u0061uthorizationkey"}]}]`);
    station.say(`[2,"cut","DataTransfer",{"key":"AuthorizationKey","value":"${PASSWORD}`);
    station.say(`[3,"odd",{"configurationKey":[{"Key":" AuthorizationKey","Value":"${PASSWORD}"}],"wifiPassword":"${PASSWORD}"}]`);
    station.say(`[3,"url",{"a":"ftp://user:pass@${PASSWORD}@host/"}]`);
    await station.call("DataTransfer", { vendorId: "Acme", data: JSON.stringify({ list: [{ AuthorizationKey: PASSWORD }] }) });
    await station.call("DataTransfer", { vendorId: `ftp://user:pass-word@host/uploads/${TOKEN}/file.log`, data: `/firmware/${TOKEN}` });
  });
  const said = frames.map(({ frame }) => frame);
  expect(said.join("\n").toLowerCase()).not.toMatch(new RegExp(`${PASSWORD}|pass-word|${TOKEN}`));
  expect(said[1]).toContain('{"key":"AuthorizationKey","readonly":false,"value":"(secret)"}');
  expect(said[1]).toContain('{"key":"WifiPassword","readonly":false,"value":"(secret)"},{"key":"Interval","readonly":false,"value":"60"}');
  expect(said[2]).toContain('{"key":"AuthorizationKey","value":"(secret)"}');
  expect(said[3]).toContain('"InternalError","cannot keep (secret)"');
  expect(said[5]).toBe("(not kept: it cannot be read and may hold a secret)");
  expect(said[6]).toContain('{"Key":" AuthorizationKey","Value":"(secret)"}],"wifiPassword":"(secret)"}');
  expect(said[7]).toContain('"ftp://user:(secret)@host/"');
  expect(said[8]).toContain(String.raw`{\"list\":[{\"AuthorizationKey\":\"(secret)\"}]}`);
  expect(said[10]).toContain('ftp://user:(secret)@host/uploads/(secret)/file.log","data":"/firmware/(secret)"');
});

test("a list is narrowed by what is asked, and paged newest first, each once", async () => {
  await framesOf(20, async () => {
    for (let i = 0; i < 10; i++) await station.call("DataTransfer", { vendorId: "Pages", data: `page ${i}` }, `page-${i}`);
  });
  const all = await log.frames("M-1", { query: "PAGE " });
  expect(all.map(({ messageId }) => messageId)).toEqual(Array.from({ length: 10 }, (_, i) => `page-${i}`));
  const seen: string[] = [];
  let pageToken = "";
  do {
    const page = await log.page({ chargerId: "M-1", query: "page ", pageSize: 4, pageToken });
    seen.push(...page.messages.map(({ messageId }) => messageId));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  expect(seen).toEqual(all.map(({ messageId }) => messageId).toReversed());
  const [, , third] = all;
  const narrowed = async (request: Parameters<typeof log.page>[0]) => (await log.frames("M-1", request)).map(brief);
  expect(await narrowed({ messageId: "page-2" })).toEqual(["FROM_CHARGER CALL DataTransfer", "TO_CHARGER CALLRESULT DataTransfer"]);
  expect(await narrowed({ messageId: "page-2", direction: "TO_CHARGER" })).toEqual(["TO_CHARGER CALLRESULT DataTransfer"]);
  expect(await narrowed({ messageId: "page-2", type: "CALL" })).toEqual(["FROM_CHARGER CALL DataTransfer"]);
  expect(await narrowed({ query: "page 2", fromTime: third?.time })).toHaveLength(1);
  expect(await narrowed({ query: "page 2", toTime: third?.time })).toEqual([]);
  expect(await narrowed({ messageId: "page-2", action: "Heartbeat" })).toEqual([]);
  expect(await narrowed({ query: "%" })).toEqual([]);
  expect(await log.frames("M-3")).toEqual([]);
});

test("a long frame is cut, and says how long it was", async () => {
  const frames = await framesOf(2, () => station.call("DataTransfer", { vendorId: "Long", data: "🔌".repeat(20_000) }));
  expect(frames[0]?.characters).toBeGreaterThan(40_000);
  expect(frames[0]?.frame).toHaveLength(16_384);
});

test("only operators read it, and not with what is no filter", async () => {
  expect(await refusal(log.page({ chargerId: "M-1" }, site.place.as("DRIVER")))).toMatchObject({ reason: "ACCESS_DENIED" });
  expect(await refusal(log.page({ chargerId: "M-1" }, new Metadata()))).toMatchObject({ reason: "TOKEN_MISSING" });
  expect(await refusal(log.page({ chargerId: "M-1", pageToken: "garbage" }))).toMatchObject({ fields: ["page_token"] });
});
