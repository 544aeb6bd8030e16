import { recordAudit } from "@chargemesh/kit/audit";
import type { Clock } from "@chargemesh/kit/clock";
import { ConfigError } from "@chargemesh/kit/config";
import { AppError } from "@chargemesh/kit/errors";
import type { Logger } from "@chargemesh/kit/log";
import { transact } from "@chargemesh/kit/postgres";
import type { Db } from "../db/schema.ts";
import { lockSetUp } from "../db/set-up-lock.ts";
import { hasAdmin } from "../db/user.ts";
import { DEFAULT_LANGUAGE } from "./language.ts";
import { requireGoodPassword } from "./password-rule.ts";
import type { Passwords } from "./passwords.ts";
import { createUser, newUser } from "./user.ts";

/** The first administrator, as the settings say. */
export interface FirstAdmin {
  adminUsername: string;
  adminPassword: string;
}

/** Makes an administrator if there is none. Of several replicas that start at once, one does. */
export async function makeFirstAdmin(
  { db, passwords, clock, log }: { db: Db; passwords: Passwords; clock: Clock; log: Logger },
  { adminUsername, adminPassword }: FirstAdmin,
  signal: AbortSignal,
): Promise<void> {
  if (await hasAdmin(db)) return;
  const user = newUser({ username: adminUsername, email: "", language: DEFAULT_LANGUAGE }, "ADMIN", clock.now());
  requireGood(adminPassword, user);
  const passwordHash = await passwords.hash(adminPassword, signal);
  const made = await transact(db, async (tx) => {
    await lockSetUp(tx);
    if (await hasAdmin(tx)) return false;
    await createUser(tx, user, passwordHash);
    await recordAudit(tx, { resource: `users/${user.id}`, actionByItself: "auth-service/MakeFirstAdmin", details: { role: user.role } });
    return true;
  }).catch((err: unknown) => {
    if (!(err instanceof AppError) || err.reason !== "USERNAME_TAKEN") throw err;
    // To make them one would hand the system to whoever signed up first by that name.
    throw new ConfigError(`there is no administrator, and ADMIN_USERNAME ${adminUsername} is a user who is none: set another name`);
  });
  if (made) log.info({ username: user.username }, "made the first administrator");
}

function requireGood(password: string, user: { username: string; email: string | null }): void {
  try {
    requireGoodPassword(password, user, "ADMIN_PASSWORD");
  } catch (err) {
    if (err instanceof AppError) throw new ConfigError(`bad configuration: ADMIN_PASSWORD: ${err.message}`);
    throw err;
  }
}
