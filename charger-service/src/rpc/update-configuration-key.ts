import type { UpdateConfigurationKeyRequest, UpdateConfigurationKeyResponse } from "@chargemesh/contracts/charger/v1/configuration_service";
import { AppError, badRequest } from "@chargemesh/kit/errors";
import type { Call } from "@chargemesh/kit/grpc-server";
import { chargerById } from "../db/charger.ts";
import { configurationKey } from "../db/configuration.ts";
import { noCharger } from "../domain/command.ts";
import { existingKey, wantValue } from "../domain/configuration.ts";
import { toConfigurationKey } from "../resources/configuration.ts";
import type { RpcDeps } from "./deps.ts";
import { readWaitSeconds, userOf } from "./request.ts";
import { readStorable } from "./storable.ts";

/** How long a value waits for an offline charger where nothing is said, in s. */
const TTL_SECONDS = 24 * 3_600;

/** Wants a key to have a value, and sends it to the charger. */
export const updateConfigurationKey =
  ({ db, commander }: RpcDeps) =>
  async (request: UpdateConfigurationKeyRequest, { caller, deadline }: Call): Promise<UpdateConfigurationKeyResponse> => {
    const { chargerId, key, value, ttlSeconds } = request;
    if (value === undefined) throw badRequest([{ field: "value", description: "is required" }]);
    readStorable("key", key);
    readStorable("value", value);
    if ((await chargerById(db, chargerId)) === undefined) throw noCharger(chargerId);
    const before = await configurationKey(db, chargerId, key);
    if (before?.read_only === true) {
      throw new AppError("failedPrecondition", "CONFIGURATION_KEY_READ_ONLY", `Charger ${chargerId} says that ${key} cannot be changed.`);
    }
    const question = { kind: "configure", key: before?.key ?? key, value } as const;
    await commander.ask({
      chargerId,
      question,
      field: "value",
      waitSeconds: readWaitSeconds(request.waitSeconds, deadline),
      ttlSeconds: ttlSeconds === 0 ? TTL_SECONDS : ttlSeconds,
      idempotencyKey: "",
      userId: userOf(caller),
      keep: (tx, command) => wantValue(tx, command, question.key, value),
    });
    return { configurationKey: toConfigurationKey(await existingKey(db, chargerId, key)) };
  };
