import type {
  ListInstalledCertificatesRequest,
  ListInstalledCertificatesResponse,
} from "@chargemesh/contracts/charger/v1/installed_certificate_service";
import { chargerById } from "../db/charger.ts";
import { installedCertificates, listTimes } from "../db/installed-certificate.ts";
import { noCharger } from "../domain/command.ts";
import { toInstalledCertificate } from "../resources/certificate.ts";
import type { RpcDeps } from "./deps.ts";

export const listInstalledCertificates =
  ({ db }: RpcDeps) =>
  async ({ chargerId }: ListInstalledCertificatesRequest): Promise<ListInstalledCertificatesResponse> => {
    if ((await chargerById(db, chargerId)) === undefined) throw noCharger(chargerId);
    const times = await listTimes(db, chargerId);
    return {
      installedCertificates: (await installedCertificates(db, chargerId)).map(toInstalledCertificate),
      centralSystemRootListTime: times.CENTRAL_SYSTEM_ROOT,
      manufacturerRootListTime: times.MANUFACTURER_ROOT,
    };
  };
