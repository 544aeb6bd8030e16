import type { StartTransactionRequest, StartTransactionResponse } from "@chargemesh/contracts/charger/v1/transaction_service";
import { AppError, badRequest } from "@chargemesh/kit/errors";
import type { Call } from "@chargemesh/kit/grpc-server";
import { limitedTo } from "@chargemesh/kit/identity";
import { chargerById } from "../db/charger.ts";
import { commandByKey } from "../db/command.ts";
import { idTokenByText } from "../db/id-token.ts";
import type { Db, IdTokenRow } from "../db/schema.ts";
import { type AuthorizationStatus, authorize } from "../domain/authorization.ts";
import { noCharger } from "../domain/command.ts";
import { noIdToken, ownIdToken } from "../domain/id-token.ts";
import { toCommand } from "../resources.ts";
import type { RpcDeps } from "./deps.ts";
import { readWaitSeconds, userOf } from "./request.ts";

/** Asks a charger to start a transaction. */
export const startTransaction =
  ({ db, commander, clock }: RpcDeps) =>
  async (request: StartTransactionRequest, { caller, deadline }: Call): Promise<StartTransactionResponse> => {
    const { chargerId, connectorId, ttlSeconds, idempotencyKey } = request;
    const driver = limitedTo(caller);
    if (request.idToken === "" && driver === undefined) {
      throw badRequest([{ field: "id_token", description: "is required; only drivers may leave it out" }]);
    }
    const charger = await chargerById(db, chargerId);
    if (charger === undefined) throw noCharger(chargerId);
    // A repeat gets the first one's command, even if what that led to is now in its way.
    const first = idempotencyKey === "" ? undefined : await commandByKey(db, chargerId, idempotencyKey, userOf(caller));
    if (first === undefined && charger.availability === "UNAVAILABLE") {
      throw new AppError("failedPrecondition", "CHARGER_UNAVAILABLE", `Charger ${chargerId} is not available.`);
    }
    const idToken = first?.start_id_token ?? (await authorizedIdToken(db, request.idToken, driver, clock.now()));
    const waitSeconds = readWaitSeconds(request.waitSeconds, deadline);
    const asking = { chargerId, waitSeconds, ttlSeconds, idempotencyKey, userId: userOf(caller) };
    const question = { kind: "remoteStart", idToken, connectorId, chargingProfile: undefined } as const;
    return { command: toCommand(await commander.ask({ ...asking, question, field: "id_token" })) };
  };

/** The id token to start with, as it is registered. NOT_FOUND if there is none, FAILED_PRECONDITION if it may not charge. */
async function authorizedIdToken(db: Db, given: string, driver: string | undefined, now: Date): Promise<string> {
  const { id_token: idToken } = await idTokenToStart(db, given, driver);
  const { status } = await authorize(db, idToken, "start", now);
  if (status === "INVALID") throw noIdToken(idToken);
  if (status !== "ACCEPTED") throw new AppError("failedPrecondition", ...refusals[status](idToken));
  return idToken;
}

async function idTokenToStart(db: Db, given: string, driver: string | undefined): Promise<IdTokenRow> {
  if (given === "" && driver !== undefined) return ownIdToken(db, driver);
  const row = await idTokenByText(db, given, driver);
  if (row === undefined) throw noIdToken(given);
  return row;
}

const refusals: Record<Exclude<AuthorizationStatus, "ACCEPTED" | "INVALID">, (idToken: string) => [reason: string, message: string]> = {
  BLOCKED: (idToken) => ["ID_TOKEN_BLOCKED", `Id token ${idToken} is blocked.`],
  EXPIRED: (idToken) => ["ID_TOKEN_EXPIRED", `Id token ${idToken} has expired.`],
  CONCURRENT_TX: (idToken) => ["ID_TOKEN_IN_USE", `Id token ${idToken} is charging already.`],
};
