import { recordAudit } from "@chargemesh/kit/audit";
import { AppError } from "@chargemesh/kit/errors";
import { transact } from "@chargemesh/kit/postgres";
import { type ChargerRow, chargerById, connectorsOf } from "../db/charger.ts";
import { closeConnection } from "../db/connection.ts";
import { lockPassword, revokePassword as revokeRow } from "../db/password.ts";
import type { Db } from "../db/schema.ts";
import { chargerDisconnected, chargerUpdated } from "../events.ts";
import { noCharger } from "./command.ts";
import { endRotations } from "./rotation.ts";

/** Why a connection ends when its password is revoked. */
export const REVOKED = "PASSWORD_REVOKED";

/** Gives up the new passwords of a charger. NOT_FOUND if there is no such charger, FAILED_PRECONDITION if it has none. */
export function cancelRotations(db: Db, chargerId: string): Promise<ChargerRow> {
  return transact(db, async (tx) => {
    await locked(tx, chargerId);
    if ((await endRotations(tx, chargerId)) === 0) {
      throw new AppError("failedPrecondition", "NO_ROTATION", `No rotation of the password of charger ${chargerId} is under way.`);
    }
    await recordAudit(tx, { resource: `chargers/${chargerId}` });
    return told(tx, chargerId);
  });
}

/** Revokes every password of a charger, and answers the epoch of the connection that this ends, if there is one. NOT_FOUND if there is no such charger. */
export function revokePassword(db: Db, chargerId: string, now: Date): Promise<{ charger: ChargerRow; epoch: number | undefined }> {
  return transact(db, async (tx) => {
    const before = await locked(tx, chargerId);
    await endRotations(tx, chargerId);
    await revokeRow(tx, chargerId);
    await recordAudit(tx, { resource: `chargers/${chargerId}` });
    const epoch = before.replica_id === null ? undefined : before.epoch;
    if (epoch !== undefined) {
      await closeConnection(tx, chargerId, epoch, REVOKED, now);
      await chargerDisconnected(tx, chargerId, REVOKED);
    }
    return { charger: await told(tx, chargerId), epoch };
  });
}

async function locked(tx: Db, chargerId: string): Promise<NonNullable<Awaited<ReturnType<typeof lockPassword>>>> {
  const row = await lockPassword(tx, chargerId);
  if (row === undefined) throw noCharger(chargerId);
  return row;
}

async function told(tx: Db, chargerId: string): Promise<ChargerRow> {
  const row = await chargerById(tx, chargerId);
  if (row === undefined) throw noCharger(chargerId);
  await chargerUpdated(tx, row, await connectorsOf(tx, [chargerId]));
  return row;
}
