import type { SignUpRequest, SignUpResponse } from "@chargemesh/contracts/auth/v1/user_service";
import { recordAudit, userActor } from "@chargemesh/kit/audit";
import type { Call } from "@chargemesh/kit/grpc-server";
import { transact } from "@chargemesh/kit/postgres";
import { insertSession } from "../db/session.ts";
import { countSignUp } from "../domain/attempts.ts";
import { isNewDevice } from "../domain/device.ts";
import { offeredLanguage } from "../domain/language.ts";
import { issueToken } from "../domain/one-time-token.ts";
import { requireGoodPassword } from "../domain/password-rule.ts";
import { openSession } from "../domain/session.ts";
import { createUser, newUser } from "../domain/user.ts";
import type { Deps } from "./index.ts";
import { toSignedInUser } from "./signed-in-user.ts";

export const signUp =
  (deps: Deps) =>
  async ({ username, password, email, language: tag }: SignUpRequest, { signal }: Call): Promise<SignUpResponse> => {
    const { db, passwords, sessions, tokens, clock } = deps;
    const user = newUser({ username, email, language: offeredLanguage(tag, "language") }, "DRIVER", clock.now());
    requireGoodPassword(password, user, "password");
    // First of all: nobody can before there are keys, so nobody takes the administrator's name before the administrator has it.
    const { signedIn, session } = await openSession(sessions, user);
    await countSignUp(deps);
    const passwordHash = await passwords.hash(password, signal);
    await transact(db, async (tx) => {
      await createUser(tx, user, passwordHash);
      await insertSession(tx, session);
      await isNewDevice(sessions.deviceKey, tx, user.id, clock.now());
      if (user.email !== null) await issueToken(tokens, tx, user, "VERIFY_EMAIL", user.email);
      await recordAudit(tx, { resource: `users/${user.id}`, actor: userActor(user), details: { role: user.role } });
    });
    return { user: toSignedInUser(signedIn) };
  };
