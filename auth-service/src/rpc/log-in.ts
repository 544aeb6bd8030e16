import type { LogInRequest, LogInResponse } from "@chargemesh/contracts/auth/v1/user_service";
import { recordAudit, userActor } from "@chargemesh/kit/audit";
import type { Call } from "@chargemesh/kit/grpc-server";
import { transact } from "@chargemesh/kit/postgres";
import { insertSession, trimSessions } from "../db/session.ts";
import { stillSignsIn } from "../db/user.ts";
import { isNewDevice } from "../domain/device.ts";
import { openSession } from "../domain/session.ts";
import { checkSignIn, invalidCredentials } from "../domain/sign-in.ts";
import { securityNotice } from "../events.ts";
import type { Deps } from "./index.ts";
import { toSignedInUser } from "./signed-in-user.ts";

export const logIn =
  (deps: Deps) =>
  async ({ username, password }: LogInRequest, { signal }: Call): Promise<LogInResponse> => {
    const { db, sessions, clock } = deps;
    const { user, hash } = await checkSignIn(deps, username, password, signal);
    const { signedIn, session } = await openSession(sessions, user);
    await transact(db, async (tx) => {
      if (!(await stillSignsIn(tx, user.id, hash))) throw invalidCredentials();
      await insertSession(tx, session);
      if (await isNewDevice(sessions.deviceKey, tx, user.id, clock.now())) await securityNotice(tx, user, "NEW_SIGN_IN", clock.now());
      await trimSessions(tx, user.id, clock.now());
      await recordAudit(tx, { resource: `users/${user.id}`, actor: userActor(user), details: { session: session.id } });
    });
    return { user: toSignedInUser(signedIn) };
  };
