import { v16Catalogue } from "@chargemesh/ocpp/catalogue-v16";
import { afterAll, beforeAll, expect, test } from "vitest";
import { answerCases, type Case, callCases, commandOf, type Verdict } from "./negative/cases.ts";
import { openSite, type Site } from "./site.ts";
import type { Frame, Station } from "./station.ts";

// Every single thing that can be wrong with what a 1.6 charger may say, derived from the official schemas: each gets the CALLERROR that
// OCPP-J has for it, or the silence that it asks for, and the good frame behind it is answered on the same socket.

/** Thousands of frames take their time where others are busy. */
const TIMEOUT_MS = 120_000;
const fromStation = actionsOf("station");
const fromCsms = actionsOf("csms");

function actionsOf(sender: "station" | "csms"): string[] {
  return Object.entries(v16Catalogue).flatMap(([action, { from }]) => (from === sender || from === "both" ? [action] : []));
}

let site: Site;

beforeAll(async () => {
  site = await openSite({ OCPP_UNKNOWN_CHARGERS: "accept", OCPP_FRAMES_PER_SECOND: "100000" });
});
afterAll(() => site?.leave());

/** What was done with a frame, told by the answers that bear its id. */
function verdictOf(answers: readonly Frame[]): Verdict | "more than one answer" {
  const [answer, ...more] = answers;
  if (answer === undefined) return "silence";
  if (more.length > 0) return "more than one answer";
  return answer[0] === 3 ? "result" : { error: String(answer[2]) };
}

/** Says all this at once, a good frame behind each, and answers which were not met as they should have been. */
async function misjudged(station: Station, cases: readonly Case[]): Promise<object[]> {
  const good: Promise<Frame>[] = [];
  for (const { frame, id } of cases) {
    if (Buffer.isBuffer(frame)) station.socket.send(frame, { binary: true });
    else station.say(frame);
    good.push(station.call("Heartbeat", {}, `after ${id}`));
  }
  expect(new Set((await Promise.all(good)).map(([type]) => type))).toEqual(new Set([3]));
  const byId = Map.groupBy(station.frames, ([, id]) => String(id));
  const strangers = [...byId.keys()].filter((id) => !id.startsWith("after ") && !cases.some((one) => one.id === id));
  expect(strangers).toEqual([]);
  return cases.flatMap(({ what, id, verdict }) => {
    const found = verdictOf(byId.get(id) ?? []);
    return JSON.stringify(found) === JSON.stringify(verdict) ? [] : [{ what, wanted: verdict, found, answers: byId.get(id) }];
  });
}

test("what is wrong with a message is called by its name, and costs that message", { timeout: TIMEOUT_MS }, async () => {
  const cases = callCases(fromStation, fromCsms);
  expect(fromStation).toHaveLength(14);
  expect(cases.length).toBeGreaterThan(1_500);
  const stations = await Promise.all(["N-1", "N-2", "N-3"].map((id) => site.connect(id)));
  const shares = stations.map((station, i) =>
    misjudged(
      station,
      cases.filter((_, n) => n % stations.length === i),
    ),
  );
  expect((await Promise.all(shares)).flat()).toEqual([]);
  for (const station of stations) await station.leave();
});

test("what is wrong with an answer fails the command, and costs nothing else", { timeout: TIMEOUT_MS }, async () => {
  const cases = answerCases(fromCsms);
  expect(cases.length).toBeGreaterThan(250);
  const ids = ["N-4", "N-5", "N-6", "N-7"];
  const ends = await Promise.all(
    ids.map(async (chargerId, i) => {
      const station = await site.connect(chargerId, { react: () => undefined });
      const ends: object[] = [];
      let answer: (id: string) => unknown = () => undefined;
      station.socket.on("message", (data) => {
        const [type, id] = JSON.parse(String(data));
        if (type === 2) station.say(answer(id));
      });
      await station.boot();
      for (const one of cases.filter((_, n) => n % ids.length === i)) {
        answer = one.answer;
        const command = await site.command({ chargerId, action: one.action, payload: commandOf(one.action), waitSeconds: 20 });
        ends.push({ what: `${one.action}: ${one.what}`, state: command.state, errorCode: command.errorCode });
      }
      expect(await station.result("Heartbeat", {})).toEqual({ currentTime: expect.any(String) });
      await station.leave();
      return ends;
    }),
  );
  const wanted = { state: "FAILED", errorCode: "INVALID_RESPONSE" };
  expect(ends.flat().filter((end) => JSON.stringify(end) !== JSON.stringify({ ...end, ...wanted }))).toEqual([]);
  expect(ends.flat()).toHaveLength(cases.length);
});
