import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { connectCharger, type SimulatedCharger, switchOff } from "../src/charger.ts";
import { chargerModels } from "../src/models.ts";
import type { Charger, ChargerEvent, ChargerOptions } from "../src/state.ts";
import { type ManualTime, manualTime } from "./manual-time.ts";
import { actionsOf, type ScriptedCsms, startCsms } from "./scripted-csms.ts";

let csms: ScriptedCsms;
let time: ManualTime;
let charger: SimulatedCharger | undefined;
let refusal: number | undefined;

beforeEach(async () => {
  refusal = undefined;
  csms = await startCsms(() => refusal);
  time = manualTime();
});
afterEach(async () => {
  await charger?.close();
  charger = undefined;
  await csms.close();
});

async function connect(options: Partial<ChargerOptions> = {}): Promise<SimulatedCharger> {
  charger = await connectCharger({ url: csms.url, id: "CP-1", time, model: chargerModels.post, ...options });
  return charger;
}

describe("connecting", () => {
  test("with a password: HTTP Basic, the identity as the user", async () => {
    await connect({ id: "a@b|1", password: "an old password" });
    expect(csms.credentials).toEqual([`Basic ${Buffer.from("a@b|1:an old password").toString("base64")}`]);
  });

  test("without one: no credentials", async () => {
    await connect();
    expect(csms.credentials).toEqual([undefined]);
  });

  test.each([401, 404])("a handshake refused with %s is told", async (status) => {
    refusal = status;
    await expect(connect()).rejects.toThrow(`CP-1 was refused: HTTP ${status}`);
  });

  describe("by itself it tries again, each time after a longer wait that is partly left to chance", () => {
    const caps = [1_000, 2_000, 4_000, 8_000, 8_000];
    let waits: number[];
    let options: ChargerOptions;
    let state: Charger | undefined;
    let told: (() => void) | undefined;

    beforeEach(() => {
      waits = [];
      const after = (ms: number, run: () => void) => {
        if (ms <= 8_000) waits.push(ms);
        return time.after(ms, run);
      };
      const onEvent = (it: Charger, { type }: ChargerEvent) => {
        state = it;
        if (type === "refused" || type === "disconnected") told?.();
      };
      options = { url: csms.url, id: "CP-1", time: { ...time, after }, reconnect: { minMs: 1_000, maxMs: 8_000 }, onEvent };
    });
    afterEach(async () => {
      if (state !== undefined) await switchOff(state);
      expect(waits.length).toBe(caps.length);
      for (const [i, cap] of caps.entries()) {
        expect(waits[i]).toBeGreaterThanOrEqual(cap / 2);
        expect(waits[i]).toBeLessThan(cap);
      }
      expect(new Set(waits).size).toBe(waits.length);
    });

    /** Waits until as many tries have failed as there are waits to be seen. */
    const failures = async () => {
      for (let i = 1; i < caps.length; i++) {
        const failed = new Promise<void>((resolve) => {
          told = resolve;
        });
        await time.advance(8_000);
        await failed;
      }
    };

    test("when it is refused", async () => {
      refusal = 503;
      await expect(connectCharger(options)).rejects.toThrow("503");
      await failures();
      refusal = undefined;
      const booted = csms.next("BootNotification");
      await time.advance(8_000);
      await booted;
    });

    test("when it is let in and thrown out", async () => {
      csms.script.BootNotification = () => "cut";
      const it = await connectCharger(options);
      await it.next("disconnected");
      await failures();
    });
  });

  test("after a connection that has lasted it begins with a short wait again", async () => {
    const it = await connect({ reconnect: { minMs: 1_000, maxMs: 8_000 } });
    for (let i = 0; i < 4; i++) {
      await it.idle();
      await time.advance(8_000, () => it.idle());
      const gone = it.next("disconnected");
      csms.cut();
      await gone;
      const back = it.next("connected");
      await time.advance(1_000);
      await back;
    }
  });
});

describe("BootNotification", () => {
  test("accepted: it reports every part, then a heartbeat each interval", async () => {
    csms.script.BootNotification = () => ({ status: "Accepted", currentTime: "2026-03-01T08:00:00Z", interval: 60 });
    const it = await connect();
    expect(await it.boot()).toMatchObject({ kind: "answered", response: { status: "Accepted" } });
    await it.idle();
    expect(csms.calls.map(({ action, payload }) => [action, payload.connectorId, payload.status])).toEqual([
      ["BootNotification", undefined, undefined],
      ["StatusNotification", 0, "Available"],
      ["StatusNotification", 1, "Available"],
      ["StatusNotification", 2, "Available"],
    ]);
    expect(csms.calls[0]?.payload).toEqual({
      chargePointVendor: "Lindenwerk",
      chargePointModel: "Post 22 Duo",
      firmwareVersion: "2.4.1",
      chargePointSerialNumber: "CP-1",
    });
    await time.advance(59_000);
    await it.idle();
    expect(csms.calls.length).toBe(4);
    await time.advance(121_000, () => it.idle());
    expect(actionsOf(csms.calls.slice(4))).toEqual(["Heartbeat", "Heartbeat", "Heartbeat"]);
  });

  test.each(["Pending", "Rejected"])("%s: it sends nothing else and asks again after the interval", async (status) => {
    csms.script.BootNotification = () => ({ status, currentTime: "2026-03-01T08:00:00Z", interval: 20 });
    const it = await connect();
    expect(await it.boot()).toMatchObject({ response: { status } });
    it.fault(1, "GroundFailure");
    expect(await it.plugIn(2, { idTag: "A" })).toMatchObject({ id: undefined });
    await time.advance(19_000);
    expect(actionsOf(csms.calls)).toEqual(["BootNotification"]);
    csms.script.BootNotification = () => ({ status: "Accepted", currentTime: "2026-03-01T08:00:00Z", interval: 300 });
    const accepted = it.next("booted", (event) => event.status === "Accepted");
    await time.advance(1_000);
    await accepted;
    await it.idle();
    expect(csms.calls.slice(2).map(({ action, payload }) => payload.status ?? action)).toEqual([
      "Available",
      "Faulted",
      "Charging",
      "StartTransaction",
      "MeterValues",
    ]);
  });

  test("Pending: it does what it is triggered to, and starts nothing", async () => {
    csms.script.BootNotification = () => ({ status: "Pending", currentTime: "2026-03-01T08:00:00Z", interval: 20 });
    const it = await connect();
    await it.boot();
    expect(await csms.ask("RemoteStartTransaction", { idTag: "T" })).toMatchObject([3, "c1", { status: "Rejected" }]);
    expect(await csms.ask("TriggerMessage", { requestedMessage: "StatusNotification", connectorId: 2 })).toMatchObject([
      3,
      "c2",
      { status: "Accepted" },
    ]);
    expect((await csms.next("StatusNotification")).payload).toMatchObject({ connectorId: 2, status: "Available" });
  });

  test("answered with an error: again after 30 s", async () => {
    csms.script.BootNotification = () => "error:InternalError";
    const it = await connect();
    expect(await it.boot()).toMatchObject({ kind: "failed", description: "InternalError: " });
    await time.advance(29_999);
    expect(csms.calls.length).toBe(1);
    const again = it.next("idle");
    await time.advance(1);
    await again;
    expect(actionsOf(csms.calls)).toEqual(["BootNotification", "BootNotification"]);
    expect(csms.calls[1]?.id).not.toBe(csms.calls[0]?.id);
  });

  test("an answer that is not OCPP is told and not believed", async () => {
    csms.script.BootNotification = () => ({ status: "Fine" });
    const it = await connect();
    const broken = it.next("protocolError");
    expect(await it.boot()).toMatchObject({ kind: "failed" });
    expect((await broken).description).toContain("the answer to BootNotification");
  });
});

test("a heartbeat that stays without an answer ends the connection, and a new one is made", async () => {
  csms.script.Heartbeat = () => "silence";
  const it = await connect({ reconnect: { minMs: 1_000, maxMs: 1_000 }, answerMs: 10_000 });
  await it.next("booted");
  await it.idle();
  const gone = it.next("disconnected");
  await time.advance(300_000);
  await csms.next("Heartbeat");
  await time.advance(20_000);
  await gone;
  const back = it.next("connected");
  await time.advance(1_000);
  await back;
});
