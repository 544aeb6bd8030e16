import type { ListSessionsRequest, ListSessionsResponse } from "@chargemesh/contracts/auth/v1/session_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { sessionsOf } from "../db/session.ts";
import { toSession } from "../resources.ts";
import { mustExist, userOf } from "./own-sessions.ts";
import type { TokenDeps } from "./token-services.ts";

export const listSessions =
  ({ db, clock }: Pick<TokenDeps, "db" | "clock">) =>
  async ({ userId }: ListSessionsRequest, { caller }: Call): Promise<ListSessionsResponse> => {
    await mustExist(db, userId);
    const { credential } = userOf(caller);
    const current = credential.kind === "session" ? credential.sessionId : undefined;
    return { sessions: (await sessionsOf(db, userId, clock.now())).map((row) => toSession(row, current)) };
  };
