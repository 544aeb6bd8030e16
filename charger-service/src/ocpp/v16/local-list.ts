import type { Req, Res, V16 } from "@chargemesh/ocpp/version";
import type { CommandRow, Db, Json } from "../../db/schema.ts";
import type { ListEntry } from "../../domain/configuration-question.ts";
import { learnListVersion, learnUpdate, type UpdateAnswer } from "../../domain/local-list.ts";
import type { QuestionOf } from "../../domain/question.ts";
import type { Said } from "../dialects.ts";
import { requestOf, responseOf } from "./checked.ts";
import { toIdTagInfo } from "./id-tag-info.ts";
import { toTime } from "./time.ts";

type AuthorizationData = NonNullable<Req<V16, "SendLocalList">["localAuthorizationList"]>[number];

/** Asks for the version of the list (OCPP 1.6 §5.10). */
export function sayLocalListVersion(): Said {
  return { action: "GetLocalListVersion", payload: {} satisfies Req<V16, "GetLocalListVersion"> };
}

/** Says what to take into the list, and what out of it (§5.15). */
export function sayUpdateLocalList({ version, replaces, entries, removed }: QuestionOf<"updateLocalList">): Said {
  const put = entries.map((entry): AuthorizationData => ({ idTag: entry.idToken, idTagInfo: toIdTagInfo(entry) }));
  // Without idTagInfo an entry is taken out (§7.1).
  const localAuthorizationList = [...put, ...removed.map((idTag): AuthorizationData => ({ idTag }))];
  const payload = { listVersion: version, updateType: replaces ? "Full" : "Differential", localAuthorizationList } satisfies Req<
    V16,
    "SendLocalList"
  >;
  return { action: "SendLocalList", payload };
}

const updateAnswers: Record<Res<V16, "SendLocalList">["status"], UpdateAnswer> = {
  Accepted: "taken",
  Failed: "failed",
  NotSupported: "notSupported",
  VersionMismatch: "failed",
};

const statuses: Partial<Record<NonNullable<AuthorizationData["idTagInfo"]>["status"], ListEntry["status"]>> = {
  Accepted: "ACCEPTED",
  ConcurrentTx: "ACCEPTED",
  Blocked: "BLOCKED",
  Invalid: "BLOCKED",
  Expired: "EXPIRED",
};

/** Keeps what an answer to SendLocalList says, and with it what the charger has now. */
export async function learnFromSendLocalList(tx: Db, command: CommandRow, response: Json): Promise<void> {
  const { listVersion, updateType, localAuthorizationList = [] } = requestOf("SendLocalList", command);
  const { status } = responseOf("SendLocalList", response);
  const entries = localAuthorizationList.flatMap(({ idTag, idTagInfo }) => {
    if (idTagInfo === undefined) return [];
    const { expiryDate, parentIdTag = "" } = idTagInfo;
    const expiryTime = expiryDate === undefined ? undefined : toTime(expiryDate);
    return [{ idToken: idTag, status: statuses[idTagInfo.status] ?? "BLOCKED", expiryTime, parentIdToken: parentIdTag }];
  });
  const removed = localAuthorizationList.flatMap(({ idTag, idTagInfo }) => (idTagInfo === undefined ? [idTag] : []));
  const update = { version: listVersion, replaces: updateType === "Full", entries, removed };
  await learnUpdate(tx, command, update, updateAnswers[status], status);
}

/** Keeps the version that a charger names: 0 for an empty list, -1 if it keeps none (§5.10). */
export async function learnFromGetLocalListVersion(tx: Db, command: CommandRow, response: Json): Promise<void> {
  const { listVersion } = responseOf("GetLocalListVersion", response);
  await learnListVersion(tx, command, listVersion);
}
