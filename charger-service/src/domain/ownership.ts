import { recordAudit } from "@chargemesh/kit/audit";
import { AppError } from "@chargemesh/kit/errors";
import { transact } from "@chargemesh/kit/postgres";
import { chargerById, connectorsOf } from "../db/charger.ts";
import {
  closeConnection,
  type Entry,
  insertConnection,
  releaseEpoch,
  releaseLost,
  reopenConnection,
  retakeEpoch,
  takeEpoch,
} from "../db/connection.ts";
import { type Counted, recordCounts } from "../db/frame-counts.ts";
import { promoteRotation } from "../db/password.ts";
import type { Db, SecurityProfile } from "../db/schema.ts";
import { chargerConnected, chargerDisconnected, chargerUpdated } from "../events.ts";
import { noCharger } from "./command.ts";

/** What a new connection has won: its epoch, and who held the charger before, if anybody did. */
export interface Ownership {
  epoch: number;
  previous: { epoch: number; replicaId: string } | undefined;
}

/**
 * Makes a connection the one that holds its charger (decision 6: the newest authenticated one wins).
 * If it has shown a new password, that one is the charger's from now on.
 * Throws NOT_FOUND if the charger was deleted in this moment, UNAUTHENTICATED if its password was changed or revoked, or more is
 * asked of it.
 */
export function takeOwnership(db: Db, entry: Entry, replicaId: string, protocol: string, now: Date): Promise<Ownership> {
  const { chargerId, securityProfile, passwordHash } = entry;
  return transact(db, async (tx) => {
    const taken = await takeEpoch(tx, chargerId, replicaId, protocol, passwordHash === null ? undefined : now);
    if (taken === undefined) throw noCharger(chargerId);
    const { epoch, before } = taken;
    checkStillAllowed(entry, before);
    const needsNone = securityProfile === 3 || before.password_hash === null;
    const isCurrent = passwordHash === null ? needsNone : before.password_hash?.equals(passwordHash) === true;
    if (!isCurrent && (passwordHash === null || !(await promoteRotation(tx, chargerId, passwordHash, now)))) {
      throw new AppError("unauthenticated", "WRONG_PASSWORD", "The password has changed in this moment.");
    }
    if (before.replica_id !== null) await closeConnection(tx, chargerId, before.epoch, "SUPERSEDED", now);
    await insertConnection(tx, entry, protocol, epoch, now);
    await chargerConnected(tx, chargerId, protocol, entry.remoteAddress);
    if (!isCurrent) await tellOfPassword(tx, entry);
    return { epoch, previous: before.replica_id === null ? undefined : { epoch: before.epoch, replicaId: before.replica_id } };
  });
}

/** What an operator has done since this charger was let in. */
function checkStillAllowed({ securityProfile }: Entry, charger: { password_revoked: boolean; security_profile: SecurityProfile }): void {
  if (charger.password_revoked) throw new AppError("unauthenticated", "PASSWORD_REVOKED", "The password was revoked in this moment.");
  if (charger.security_profile > Math.max(1, securityProfile)) {
    throw new AppError("unauthenticated", "SECURITY_PROFILE_TOO_LOW", "The security profile was raised in this moment.");
  }
}

/** It is the charger that makes a new password the one that counts. */
async function tellOfPassword(tx: Db, { chargerId: id, remoteAddress }: Entry): Promise<void> {
  const charger = await chargerById(tx, id);
  if (charger !== undefined) await chargerUpdated(tx, charger, await connectorsOf(tx, [id]));
  const details = { password: "rotated" };
  await recordAudit(tx, { resource: `chargers/${id}`, action: "ocpp/Connect", actor: { kind: "CHARGER", id }, remoteAddress, details });
}

/** Takes a charger back whose lease ran out while the database was away, unless a newer connection holds it. False if one does. */
export function retakeOwnership(db: Db, chargerId: string, epoch: number, replicaId: string): Promise<boolean> {
  return transact(db, async (tx) => {
    const charger = await retakeEpoch(tx, chargerId, epoch, replicaId);
    if (charger === undefined) return false;
    await reopenConnection(tx, chargerId, epoch);
    await chargerConnected(tx, chargerId, charger.protocol, "");
    return true;
  });
}

/** A connection, and what was said on it, if that is known. */
export type Held = Pick<Counted, "chargerId" | "epoch"> & Partial<Counted>;

/** Ends the hold of the connection of this epoch, and keeps what was said on it. A newer connection is left alone. */
export function releaseOwnership(db: Db, { chargerId, epoch, counts }: Held, reason: string, now: Date): Promise<void> {
  return transact(db, async (tx) => {
    // The charger first, as where somebody else takes it in this moment.
    const isReleased = await releaseEpoch(tx, chargerId, epoch);
    if (counts !== undefined) await recordCounts(tx, [{ chargerId, epoch, counts }]);
    await closeConnection(tx, chargerId, epoch, reason, now);
    if (isReleased) await chargerDisconnected(tx, chargerId, reason);
  });
}

/** Disconnects the chargers of replicas that are gone. Any replica may do it; one does. */
export function releaseLostReplicas(db: Db, now: Date): Promise<void> {
  return transact(db, async (tx) => {
    for (const { id, epoch } of await releaseLost(tx)) {
      await closeConnection(tx, id, epoch, "REPLICA_LOST", now);
      await chargerDisconnected(tx, id, "REPLICA_LOST");
    }
  });
}
