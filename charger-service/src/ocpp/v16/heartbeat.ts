import type { Req, Res, V16 } from "@chargemesh/ocpp/version";
import type { Charger } from "../dispatch.ts";

/** A charger asks for the time (OCPP 1.6 §4.6). That it lives is noted for every message alike. */
export async function heartbeat(charger: Charger, _request: Req<V16, "Heartbeat">): Promise<Res<V16, "Heartbeat">> {
  return { currentTime: charger.now().toISOString() };
}
