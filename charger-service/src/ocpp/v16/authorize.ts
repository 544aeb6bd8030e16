import type { Req, Res, V16 } from "@chargemesh/ocpp/version";
import { authorize as mayCharge } from "../../domain/authorization.ts";
import type { Charger } from "../dispatch.ts";
import { toIdTagInfo } from "./id-tag-info.ts";

/** May this id tag charge? (OCPP 1.6 §4.1) */
export async function authorize(charger: Charger, { idTag }: Req<V16, "Authorize">): Promise<Res<V16, "Authorize">> {
  return { idTagInfo: toIdTagInfo(await mayCharge(charger.db, idTag, "authorize", charger.now())) };
}
