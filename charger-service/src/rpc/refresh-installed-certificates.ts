import type {
  RefreshInstalledCertificatesRequest,
  RefreshInstalledCertificatesResponse,
} from "@chargemesh/contracts/charger/v1/installed_certificate_service";
import type { Call } from "@chargemesh/kit/grpc-server";
import type { RootType } from "../db/certificate-tables.ts";
import { toCommand } from "../resources.ts";
import type { RpcDeps } from "./deps.ts";
import { readWaitSeconds, said, userOf } from "./request.ts";

const types: readonly RootType[] = ["CENTRAL_SYSTEM_ROOT", "MANUFACTURER_ROOT"];

/** Asks a charger which root certificates it has. Its answers are kept where answers are. */
export const refreshInstalledCertificates =
  ({ commander }: RpcDeps) =>
  async (request: RefreshInstalledCertificatesRequest, { caller, deadline }: Call): Promise<RefreshInstalledCertificatesResponse> => {
    const { chargerId } = request;
    const asked = said(request.type);
    const waitSeconds = readWaitSeconds(request.waitSeconds, deadline);
    const asking = { chargerId, waitSeconds, ttlSeconds: 0, idempotencyKey: "", userId: userOf(caller) };
    const rows = await Promise.all(
      (asked === undefined ? types : [asked]).map((type) =>
        commander.ask({ ...asking, question: { kind: "listRoots", type }, field: "type" }),
      ),
    );
    return { commands: rows.map(toCommand) };
  };
