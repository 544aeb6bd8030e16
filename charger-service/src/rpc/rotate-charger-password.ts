import type { RotateChargerPasswordRequest, RotateChargerPasswordResponse } from "@chargemesh/contracts/charger/v1/charger_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import { chargerById, connectorsOf } from "../db/charger.ts";
import { noCharger } from "../domain/command.ts";
import { hashPassword, makePassword } from "../domain/password.ts";
import { beginRotation } from "../domain/rotation.ts";
import { toCharger } from "../resources.ts";
import type { RpcDeps } from "./deps.ts";
import { readPassword, readWaitSeconds, userOf } from "./request.ts";

/** How long a new password waits for an offline charger where nothing is said, in s. */
const TTL_SECONDS = 24 * 3_600;

/** Sends a charger a new password. Given or made up, it is answered here and never again. */
export const rotateChargerPassword =
  ({ db, commander }: RpcDeps) =>
  async (request: RotateChargerPasswordRequest, { caller, deadline }: Call): Promise<RotateChargerPasswordResponse> => {
    const { id: chargerId } = request;
    const password = request.password || makePassword();
    const bytes = readPassword("password", password);
    if ((await chargerById(db, chargerId)) === undefined) throw noCharger(chargerId);
    const waitSeconds = readWaitSeconds(request.waitSeconds, deadline);
    const ttlSeconds = request.ttlSeconds === 0 ? TTL_SECONDS : request.ttlSeconds;
    const passwordHash = hashPassword(bytes);
    await commander.ask({
      chargerId,
      question: { kind: "changePassword", password: bytes },
      field: "password",
      waitSeconds,
      ttlSeconds,
      idempotencyKey: "",
      userId: userOf(caller),
      prepare: (tx, commandId) => beginRotation(tx, chargerId, commandId, passwordHash),
    });
    const row = await chargerById(db, chargerId);
    if (row === undefined) throw noCharger(chargerId);
    return { charger: { ...toCharger(row, await connectorsOf(db, [chargerId])), password } };
  };
