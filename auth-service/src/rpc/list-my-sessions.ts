import type { ListMySessionsRequest, ListMySessionsResponse } from "@chargemesh/contracts/auth/v1/session_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { sessionsOf } from "../db/session.ts";
import { toSession } from "../resources.ts";
import { userOf } from "./own-sessions.ts";
import type { TokenDeps } from "./token-services.ts";

export const listMySessions =
  ({ db, clock }: Pick<TokenDeps, "db" | "clock">) =>
  async (_request: ListMySessionsRequest, { caller }: Call): Promise<ListMySessionsResponse> => {
    const { userId, credential } = userOf(caller);
    const current = credential.kind === "session" ? credential.sessionId : undefined;
    return { sessions: (await sessionsOf(db, userId, clock.now())).map((row) => toSession(row, current)) };
  };
