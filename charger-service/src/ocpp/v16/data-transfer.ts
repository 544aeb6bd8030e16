import type { Req, Res, V16 } from "@chargemesh/ocpp/version";
import type { Charger } from "../dispatch.ts";

/** A vendor's own message (OCPP 1.6 §4.3). We know no vendor's, and say so in the words that OCPP has for it. */
export async function dataTransfer(_charger: Charger, _request: Req<V16, "DataTransfer">): Promise<Res<V16, "DataTransfer">> {
  return { status: "UnknownVendorId" };
}
