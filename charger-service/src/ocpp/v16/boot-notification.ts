import type { Req, Res, V16 } from "@chargemesh/ocpp/version";
import type { Registration } from "../../db/schema.ts";
import { markBooted } from "../../domain/boot.ts";
import type { Charger } from "../dispatch.ts";

const statuses: Record<Registration, Res<V16, "BootNotification">["status"]> = {
  ACCEPTED: "Accepted",
  PENDING: "Pending",
  REJECTED: "Rejected",
};

/** A charger has booted, and is told whether it may work, the time, and how often to send heartbeats (OCPP 1.6 §4.2). */
export async function bootNotification(charger: Charger, request: Req<V16, "BootNotification">): Promise<Res<V16, "BootNotification">> {
  const now = charger.now();
  const registration = await markBooted(
    charger.db,
    charger.id,
    charger.epoch,
    {
      vendor: request.chargePointVendor,
      model: request.chargePointModel,
      serialNumber: request.chargePointSerialNumber ?? request.chargeBoxSerialNumber ?? "",
      firmwareVersion: request.firmwareVersion ?? "",
    },
    now,
  );
  // "The time between heartbeats" if it is accepted, else "the minimum wait time before sending a next BootNotification" (§6.6).
  const interval = registration === "ACCEPTED" ? charger.heartbeatSeconds : charger.retrySeconds;
  return { status: statuses[registration], currentTime: now.toISOString(), interval };
}
