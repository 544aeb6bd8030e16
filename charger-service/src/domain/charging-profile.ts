import { recordAudit } from "@chargemesh/kit/audit";
import { AppError, badRequest } from "@chargemesh/kit/errors";
import { transact } from "@chargemesh/kit/postgres";
import { isProfileHeld } from "../db/assignment.ts";
import {
  chargingProfileById,
  deleteChargingProfile,
  insertChargingProfile,
  lockChargingProfile,
  writeChargingProfile,
} from "../db/charging-profile.ts";
import type { ChargingProfileRow, ProfileContent } from "../db/charging-profile-tables.ts";
import type { Db } from "../db/schema.ts";
import { chargingProfileCreated, chargingProfileDeleted, chargingProfileUpdated } from "../events.ts";
import { faultsOf } from "./charging-profile-rules.ts";

/** Keeps a charging profile. INVALID_ARGUMENT if it breaks a rule; `field` is where it stands in the request. */
export function createChargingProfile(db: Db, displayName: string, content: ProfileContent): Promise<ChargingProfileRow> {
  checkContent(content, "charging_profile");
  return transact(db, async (tx) => {
    const profile = await insertChargingProfile(tx, displayName, content);
    await chargingProfileCreated(tx, profile);
    await recordAudit(tx, { resource: resourceOf(profile.id), details: { purpose: profile.purpose } });
    return profile;
  });
}

/** What is changed of a charging profile. */
export interface ProfileChange {
  displayName?: string;
  content: Partial<ProfileContent>;
}

/**
 * Changes a charging profile; chargers that have it are not told. NOT_FOUND if there is none, ABORTED if `version` is given and stale,
 * INVALID_ARGUMENT if it would break a rule.
 */
export function changeChargingProfile(db: Db, id: string, version: number | undefined, change: ProfileChange): Promise<ChargingProfileRow> {
  return transact(db, async (tx) => {
    const before = await lockChargingProfile(tx, id);
    if (before === undefined) throw noChargingProfile(id);
    if (version !== undefined && version !== before.version) {
      throw new AppError("aborted", "ETAG_STALE", `Charging profile ${id} was changed by someone else. Read it again.`);
    }
    const content = { ...before.content, ...change.content };
    checkContent(content, "charging_profile");
    const profile = await writeChargingProfile(tx, id, change.displayName ?? before.display_name, content);
    await chargingProfileUpdated(tx, profile);
    await recordAudit(tx, {
      resource: resourceOf(id),
      details: { changed: [...Object.keys(change), ...Object.keys(change.content)].join(",") },
    });
    return profile;
  });
}

/** Forgets a charging profile. NOT_FOUND if there is none, FAILED_PRECONDITION while a charger has it, or may have it. */
export function removeChargingProfile(db: Db, id: string): Promise<void> {
  return transact(db, async (tx) => {
    if ((await lockChargingProfile(tx, id)) === undefined) throw noChargingProfile(id);
    if (await isProfileHeld(tx, id)) {
      throw new AppError("failedPrecondition", "CHARGING_PROFILE_IN_USE", `Chargers have charging profile ${id}. Clear it there first.`);
    }
    await deleteChargingProfile(tx, id);
    await chargingProfileDeleted(tx, id);
    await recordAudit(tx, { resource: resourceOf(id) });
  });
}

/** A charging profile. NOT_FOUND if there is none with this id. */
export async function existingChargingProfile(db: Db, id: string): Promise<ChargingProfileRow> {
  const profile = await chargingProfileById(db, id);
  if (profile === undefined) throw noChargingProfile(id);
  return profile;
}

/** INVALID_ARGUMENT if a charging profile breaks a rule; `field` is where it stands in the request. */
export function checkContent(content: ProfileContent, field: string): void {
  const faults = faultsOf(content);
  if (faults.length > 0) throw badRequest(faults.map((fault) => ({ ...fault, field: `${field}.${fault.field}` })));
}

/** NOT_FOUND for a charging profile. */
export function noChargingProfile(id: string): AppError {
  return new AppError("notFound", "CHARGING_PROFILE_NOT_FOUND", `No charging profile ${id}.`);
}

function resourceOf(id: string): string {
  return `chargingProfiles/${id}`;
}
