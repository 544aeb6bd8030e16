import type { Site } from "../site.ts";
import type { Payload, Reaction, Station } from "../station.ts";

/** The charge point of the test cases: what it does in several of them, and what it answers. */
export interface ChargePoint {
  readonly id: string;
  readonly station: Station;
  /** What it answers to each action, if not `{ status: "Accepted" }`. */
  says: Record<string, Reaction>;
  /** The payload of the newest CALL of ours. */
  asked(action: string): Payload;
  /** Says a status, with the error code that goes with it. */
  status(connectorId: number, status: string, errorCode?: string): Promise<void>;
  /** Says several statuses of connector 1, one after the other. */
  goes(...statuses: string[]): Promise<void>;
  /** What a token is told to be worth. */
  authorize(idTag: string): Promise<string>;
  /** Starts on connector 1 unless the fields say otherwise. */
  start(idTag: string, fields?: object): Promise<{ transactionId: number; idTagInfo: { status: string } }>;
  /** Authorizes, plugs in, starts and charges on connector 1. */
  charge(idTag: string): Promise<number>;
  stop(transactionId: number, reason: string, fields?: object): Promise<Payload>;
  /** The connection is lost, and the charger boots on another one and says how its connectors are. */
  reboot(): Promise<void>;
}

/** Registers one, connects and boots it. Whoever opened it leaves by `station.leave()`. */
export async function openChargePoint(site: Site, id: string): Promise<ChargePoint> {
  const react = (action: string): Reaction => (action in point.says ? point.says[action] : { status: "Accepted" });
  let station: Station;
  const point: ChargePoint = {
    id,
    get station() {
      return station;
    },
    says: {},
    asked: (action) => station.asked.findLast((one) => one.action === action)?.payload,
    async status(connectorId, status, errorCode = "NoError") {
      await station.result("StatusNotification", { connectorId, status, errorCode });
    },
    async goes(...statuses) {
      for (const status of statuses) await point.status(1, status);
    },
    authorize: async (idTag) => (await station.result("Authorize", { idTag })).idTagInfo.status,
    start: (idTag, fields = {}) =>
      station.result("StartTransaction", { connectorId: 1, idTag, meterStart: 1_000, timestamp: now(), ...fields }),
    async charge(idTag) {
      if ((await point.authorize(idTag)) !== "Accepted") throw new Error(`${idTag} may not charge`);
      await point.goes("Preparing");
      const { transactionId } = await point.start(idTag);
      await point.goes("Charging");
      return transactionId;
    },
    stop: (transactionId, reason, fields = {}) =>
      station.result("StopTransaction", { transactionId, meterStop: 1_500, timestamp: now(), reason, ...fields }),
    async reboot() {
      station.socket.terminate();
      station = await site.connect(id, { react });
      await station.boot();
      for (const connectorId of [0, 1]) await point.status(connectorId, "Available");
    },
  };
  station = await site.join(id, { react });
  return point;
}

const now = (): string => new Date().toISOString();
