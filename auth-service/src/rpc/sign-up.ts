import type { SignUpRequest, SignUpResponse } from "@chargemesh/contracts/auth/v1/user_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { transact } from "@chargemesh/kit/postgres";
import { insertSession } from "../db/session.ts";
import { openSession } from "../domain/session.ts";
import { createUser, newUser } from "../domain/user.ts";
import type { Deps } from "./index.ts";
import { toSignedInUser } from "./signed-in-user.ts";

export const signUp =
  ({ db, passwords, sessions, clock }: Deps) =>
  async ({ username, password, email }: SignUpRequest, { signal }: Call): Promise<SignUpResponse> => {
    const user = newUser(username, email, "DRIVER", clock.now());
    const passwordHash = await passwords.hash(password, signal);
    const { signedIn, session } = await openSession(sessions, user);
    await transact(db, async (tx) => {
      await createUser(tx, user, passwordHash);
      await insertSession(tx, session);
    });
    return { user: toSignedInUser(signedIn) };
  };
