import { recordAudit } from "@chargemesh/kit/audit";
import { AppError } from "@chargemesh/kit/errors";
import { transact } from "@chargemesh/kit/postgres";
import { chargerById } from "../db/charger.ts";
import type { LocalListMode, LocalListRow } from "../db/configuration-tables.ts";
import { countEntries, localList, lockLocalList, putLocalList } from "../db/local-list.ts";
import { chooseToken, unchooseToken } from "../db/local-list-choice.ts";
import type { Db } from "../db/schema.ts";
import { noCharger } from "./command.ts";
import { noIdToken } from "./id-token.ts";

// Which id tokens operators want on the lists of chargers.

/** A list and how many entries the charger has on it. */
export interface ListView {
  list: LocalListRow;
  entryCount: number;
}

/** The list of a charger. NOT_FOUND if there is no such charger. */
export async function existingList(db: Db, chargerId: string): Promise<ListView> {
  if ((await chargerById(db, chargerId)) === undefined) throw noCharger(chargerId);
  const list = (await localList(db, chargerId)) ?? untouched(chargerId);
  return { list, entryCount: await countEntries(db, chargerId) };
}

/** Says which id tokens are on the list of a charger. NOT_FOUND if there is no such charger. */
export function changeMode(db: Db, chargerId: string, mode: LocalListMode): Promise<ListView> {
  return transact(db, async (tx) => {
    if ((await chargerById(tx, chargerId)) === undefined) throw noCharger(chargerId);
    const before = await lockLocalList(tx, chargerId);
    // One that was never told anything need not be told to forget it.
    const isDue = mode !== "OFF" || (before?.version ?? 0) > 0;
    await putLocalList(tx, chargerId, { mode, is_due: isDue, refusal: "", retry_time: null });
    await recordAudit(tx, { resource: resourceOf(chargerId), details: { mode } });
    return existingList(tx, chargerId);
  });
}

/** Chooses an id token for the list of a charger, or chooses it no longer. NOT_FOUND if there is no such charger, id token or choice. */
export function choose(db: Db, chargerId: string, idToken: string, isChosen: boolean): Promise<ListView> {
  return transact(db, async (tx) => {
    if ((await chargerById(tx, chargerId)) === undefined) throw noCharger(chargerId);
    if (isChosen && !(await chooseToken(tx, chargerId, idToken))) throw noIdToken(idToken);
    if (!isChosen && !(await unchooseToken(tx, chargerId, idToken))) {
      const message = `Id token ${idToken} is not chosen for the list of charger ${chargerId}.`;
      throw new AppError("notFound", "ID_TOKEN_NOT_SELECTED", message);
    }
    const before = await lockLocalList(tx, chargerId);
    if (before?.mode === "SELECTED") await putLocalList(tx, chargerId, { is_due: true });
    await recordAudit(tx, { resource: resourceOf(chargerId), details: { [isChosen ? "selected" : "deselected"]: idToken } });
    return existingList(tx, chargerId);
  });
}

const resourceOf = (chargerId: string): string => `chargers/${chargerId}`;

function untouched(chargerId: string): LocalListRow {
  return {
    charger_id: chargerId,
    mode: "OFF",
    version: 0,
    charger_version: null,
    charger_version_time: null,
    is_due: false,
    must_replace: true,
    command_id: null,
    refusal: "",
    retry_time: null,
    next_expiry_time: null,
    omitted: 0,
    update_time: null,
  };
}
