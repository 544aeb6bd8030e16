import type { StartTransactionRequest, StartTransactionResponse } from "@chargemesh/contracts/charger/v1/transaction_service";
import { AppError, badRequest } from "@chargemesh/kit/errors";
import type { Call } from "@chargemesh/kit/grpc-server";
import { limitedTo } from "@chargemesh/kit/identity";
import { nextProfileNumber } from "../db/assignment.ts";
import { chargerById } from "../db/charger.ts";
import type { ChargingProfileRow, ProfileContent } from "../db/charging-profile-tables.ts";
import { commandByKey } from "../db/command.ts";
import type { Db } from "../db/schema.ts";
import { keepAssignment } from "../domain/assignment.ts";
import { checkTakeable } from "../domain/charger-limits.ts";
import { checkContent, existingChargingProfile } from "../domain/charging-profile.ts";
import { type Asking, noCharger } from "../domain/command.ts";
import type { NumberedProfile } from "../domain/schedule-question.ts";
import { toCommand } from "../resources.ts";
import { chosenIdToken } from "./chosen-id-token.ts";
import type { RpcDeps } from "./deps.ts";
import { readContent } from "./profile-content.ts";
import { readWaitSeconds, userOf } from "./request.ts";

/** Asks a charger to start a transaction. */
export const startTransaction =
  ({ db, commander, limitsOf, clock }: RpcDeps) =>
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
    const idToken = first?.start_id_token ?? (await chosenIdToken(db, request.idToken, driver, "start", clock.now())).idToken;
    const chosen = await chosenProfile(db, request, driver);
    if (chosen !== undefined) checkTakeable(chargerId, await limitsOf(chargerId), chosen.content);
    const waitSeconds = readWaitSeconds(request.waitSeconds, deadline);
    const asking = { chargerId, waitSeconds, ttlSeconds, idempotencyKey, userId: userOf(caller) };
    const chargingProfile = chosen && { number: await nextProfileNumber(db, chargerId), content: chosen.content };
    const question = { kind: "remoteStart", idToken, connectorId, chargingProfile } as const;
    const keep = keeper(chosen?.source, chargingProfile, connectorId);
    return { command: toCommand(await commander.ask({ ...asking, question, field: "id_token", keep })) };
  };

/** A charging profile to start with, and the one that is kept here, if it is that. */
interface ChosenProfile {
  source: ChargingProfileRow | undefined;
  content: ProfileContent;
}

/**
 * The charging profile that a start carries, if it does. PERMISSION_DENIED to a driver: it would outweigh what is set for all;
 * INVALID_ARGUMENT if it is none for a transaction (OCPP 1.6 §5.11), NOT_FOUND if there is none.
 */
async function chosenProfile(db: Db, request: StartTransactionRequest, driver: string | undefined): Promise<ChosenProfile | undefined> {
  const { chargingProfileId: id, chargingProfile: given } = request;
  if (id === "" && given === undefined) return undefined;
  if (driver !== undefined) throw new AppError("permissionDenied", "ACCESS_DENIED", "Only operators may say a charging profile.");
  if (id !== "" && given !== undefined) {
    throw badRequest([{ field: "charging_profile", description: "must not be said beside charging_profile_id" }]);
  }
  const source = given === undefined ? await existingChargingProfile(db, id) : undefined;
  const content = source?.content ?? (given && readContent(given, "charging_profile"));
  if (content === undefined) return undefined;
  if (source === undefined) checkContent(content, "charging_profile");
  if (content.purpose !== "TRANSACTION") {
    const field = source === undefined ? "charging_profile.purpose" : "charging_profile_id";
    throw badRequest([{ field, description: "must be of the purpose TRANSACTION" }]);
  }
  return { source, content };
}

/** Puts into the books, with the command, what profile it carries. */
function keeper(source: ChargingProfileRow | undefined, numbered: NumberedProfile | undefined, connectorId: number): Asking["keep"] {
  if (numbered === undefined) return undefined;
  const place = { connectorId, transactionId: undefined };
  return (tx, command) => keepAssignment(tx, command, { source, numbered, place, withStart: true });
}
