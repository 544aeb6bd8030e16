import type { CheckConnectionRequest, CheckConnectionResponse } from "@chargemesh/contracts/charger/v1/connection_service";
import { admit } from "../domain/admission.ts";
import type { RpcDeps } from "./deps.ts";

/** Says whether a charger may come in, so that the gateway refuses before it upgrades (decision 13). */
export const checkConnection =
  ({ db, unknownChargers, chooseProtocol, clock }: RpcDeps) =>
  async ({ chargerId, authorization, protocols, remoteAddress, secure }: CheckConnectionRequest): Promise<CheckConnectionResponse> => {
    // No certificate comes through a proxy.
    const line = { isSecure: secure, tlsVersion: "", tlsCipher: "", certificate: undefined };
    const knock = { chargerId, authorization, remoteAddress, offeredProtocols: protocols, line };
    const admission = await admit(db, knock, unknownChargers, clock.now());
    const answer = admission.kind === "refused" ? admission.refusal : { httpStatus: 0, reason: "", message: "" };
    return { ...answer, protocol: chooseProtocol(protocols) };
  };
