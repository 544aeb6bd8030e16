import type { LogInRequest, LogInResponse } from "@chargemesh/contracts/auth/v1/user_service";
import { AppError } from "@chargemesh/kit/errors";
import type { Call } from "@chargemesh/kit/grpc-server";
import { insertSession, trimSessions } from "../db/session.ts";
import { userByKey } from "../db/user.ts";
import { openSession } from "../domain/session.ts";
import { usernameKey } from "../domain/user.ts";
import type { Deps } from "./index.ts";
import { toSignedInUser } from "./signed-in-user.ts";

export const logIn =
  ({ db, passwords, sessions, clock }: Deps) =>
  async ({ username, password }: LogInRequest, { signal }: Call): Promise<LogInResponse> => {
    const user = await userByKey(db, usernameKey(username));
    const isRight = await passwords.verify(user?.password_hash, password, signal);
    if (user === undefined || !isRight) {
      throw new AppError("unauthenticated", "INVALID_CREDENTIALS", "The username and the password do not belong together.");
    }
    const { signedIn, session } = await openSession(sessions, user);
    await insertSession(db, session);
    await trimSessions(db, user.id, clock.now());
    return { user: toSignedInUser(signedIn) };
  };
