import { isOn, numberOf } from "./configuration.ts";
import type { Handled, Request } from "./messages.ts";
import type { Charger } from "./state.ts";

type Entry = NonNullable<Request<"SendLocalList">["localAuthorizationList"]>[number];

/** The local authorization list (OCPP 1.6 section 3.5.2), by id tag in lower case. */
export interface LocalList {
  /** 0 as long as there is none. */
  version: number;
  readonly entries: Map<string, NonNullable<Entry["idTagInfo"]>>;
}

export const noLocalList = (): LocalList => ({ version: 0, entries: new Map() });

/** Section 5.10: -1 is no list at all. */
export function getLocalListVersion(charger: Charger): Handled<"GetLocalListVersion"> {
  return { answer: { listVersion: isOn(charger, "LocalAuthListEnabled") ? charger.localList.version : -1 } };
}

/** Section 5.15. An update that is not taken leaves the list as it was. */
export function sendLocalList(charger: Charger, request: Request<"SendLocalList">): Handled<"SendLocalList"> {
  const { listVersion, updateType, localAuthorizationList: sent = [] } = request;
  const { localList } = charger;
  if (!isOn(charger, "LocalAuthListEnabled")) return { answer: { status: "NotSupported" } };
  if (updateType === "Differential" && listVersion <= localList.version) return { answer: { status: "VersionMismatch" } };
  const names = sent.map(({ idTag }) => idTag.toLowerCase());
  const next = new Map(updateType === "Full" ? [] : localList.entries);
  for (const { idTag, idTagInfo } of sent) {
    if (idTagInfo === undefined) next.delete(idTag.toLowerCase());
    else next.set(idTag.toLowerCase(), idTagInfo);
  }
  const isTooLong = sent.length > numberOf(charger, "SendLocalListMaxLength") || next.size > numberOf(charger, "LocalAuthListMaxLength");
  if (isTooLong || new Set(names).size < names.length) return { answer: { status: "Failed" } };
  localList.entries.clear();
  for (const [name, info] of next) localList.entries.set(name, info);
  localList.version = listVersion;
  return { answer: { status: "Accepted" } };
}

/** What the list says of an id tag now; undefined if it says nothing, or is switched off. */
export function listed(charger: Charger, idTag: string): { status: string; parentIdTag: string | undefined } | undefined {
  const info = isOn(charger, "LocalAuthListEnabled") ? charger.localList.entries.get(idTag.toLowerCase()) : undefined;
  if (info === undefined) return undefined;
  const isOver = info.expiryDate !== undefined && Date.parse(info.expiryDate) <= charger.time.now();
  return { status: info.status === "Accepted" && isOver ? "Expired" : info.status, parentIdTag: info.parentIdTag };
}
