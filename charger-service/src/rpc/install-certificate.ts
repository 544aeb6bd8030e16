import type { InstallCertificateRequest, InstallCertificateResponse } from "@chargemesh/contracts/charger/v1/installed_certificate_service";
import { badRequest } from "@chargemesh/kit/errors";
import type { Call } from "@chargemesh/kit/grpc-server";
import { rootFault } from "../domain/root-certificate.ts";
import { toCommand } from "../resources.ts";
import type { RpcDeps } from "./deps.ts";
import { mustSay, readWaitSeconds, userOf } from "./request.ts";

/** Has a charger trust a root certificate, and asks it for its list if it does. */
export const installCertificate =
  ({ commander, clock }: RpcDeps) =>
  async (request: InstallCertificateRequest, { caller, deadline }: Call): Promise<InstallCertificateResponse> => {
    const { chargerId, certificate, ttlSeconds } = request;
    const type = mustSay("type", request.type);
    const fault = rootFault(certificate, clock.now());
    if (fault !== undefined) throw badRequest([{ field: "certificate", description: fault }]);
    const asking = { chargerId, idempotencyKey: "", userId: userOf(caller) };
    const row = await commander.ask({
      ...asking,
      question: { kind: "installRoot", type, certificate },
      field: "certificate",
      waitSeconds: readWaitSeconds(request.waitSeconds, deadline),
      ttlSeconds,
    });
    if (row.state === "ACCEPTED") {
      await commander.ask({ ...asking, question: { kind: "listRoots", type }, field: "type", waitSeconds: 0, ttlSeconds: 0 });
    }
    return { command: toCommand(row) };
  };
