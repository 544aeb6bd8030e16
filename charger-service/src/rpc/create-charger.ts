import type { CreateChargerRequest, CreateChargerResponse } from "@chargemesh/contracts/charger/v1/charger_service";
import { badRequest } from "@chargemesh/kit/errors";
import { registerCharger } from "../domain/charger.ts";
import { hashPassword, makePassword } from "../domain/password.ts";
import { toCharger } from "../resources.ts";
import type { RpcDeps } from "./deps.ts";
import { readPassword, readSet, said } from "./request.ts";

/** Registers a charger. Its password, given or made up, is answered here and never again. */
export const createCharger =
  ({ db }: RpcDeps) =>
  async ({ charger }: CreateChargerRequest): Promise<CreateChargerResponse> => {
    if (charger === undefined) throw badRequest([{ field: "charger", description: "is required" }]);
    const password = charger.password || makePassword();
    const row = await registerCharger(db, {
      id: charger.id,
      displayName: charger.displayName,
      passwordHash: hashPassword(readPassword("charger.password", password)),
      relaxations: readSet("charger.relaxations", charger.relaxations),
      registration: said(charger.registration) ?? "ACCEPTED",
      availability: said(charger.availability) ?? "AVAILABLE",
    });
    return { charger: { ...toCharger(row, []), password } };
  };
