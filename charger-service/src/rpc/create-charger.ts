import type { CreateChargerRequest, CreateChargerResponse } from "@chargemesh/contracts/charger/v1/charger_service";
import { badRequest } from "@chargemesh/kit/errors";
import { needsPassword, registerCharger } from "../domain/charger.ts";
import { hashPassword, makePassword } from "../domain/password.ts";
import { toCharger } from "../resources.ts";
import type { RpcDeps } from "./deps.ts";
import { mustBeWithoutPassword, readPassword, readSecurityProfile, readSet, said } from "./request.ts";

/** Registers a charger. Its password, given or made up where it needs one, is answered here and never again. */
export const createCharger =
  ({ db }: RpcDeps) =>
  async ({ charger }: CreateChargerRequest): Promise<CreateChargerResponse> => {
    if (charger === undefined) throw badRequest([{ field: "charger", description: "is required" }]);
    const securityProfile = readSecurityProfile("charger.security_profile", charger.securityProfile ?? 1);
    if (securityProfile === 0) mustBeWithoutPassword(charger);
    const password = charger.password || (needsPassword(securityProfile) ? makePassword() : undefined);
    const row = await registerCharger(db, {
      id: charger.id,
      displayName: charger.displayName,
      passwordHash: password === undefined ? null : hashPassword(readPassword("charger.password", password)),
      securityProfile,
      certificateName: charger.certificateName,
      relaxations: readSet("charger.relaxations", charger.relaxations),
      registration: said(charger.registration) ?? "ACCEPTED",
      availability: said(charger.availability) ?? "AVAILABLE",
    });
    return { charger: { ...toCharger(row, []), password } };
  };
