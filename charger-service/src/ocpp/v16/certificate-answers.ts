import type { RootType } from "../../db/certificate-tables.ts";
import { keepRootCertificate, removeInstalled, replaceInstalled } from "../../db/installed-certificate.ts";
import type { Learn } from "../../domain/command.ts";
import { readRoot } from "../../domain/root-certificate.ts";
import { rootTypes } from "./certificate-words.ts";
import { payloadsOf } from "./payloads.ts";

function rootTypeOf(word: string): RootType {
  return word === rootTypes.MANUFACTURER_ROOT ? "MANUFACTURER_ROOT" : "CENTRAL_SYSTEM_ROOT";
}

/** What chargers answer about certificates (security whitepaper, M03 to M05). */
export const certificateAnswers: Readonly<Record<string, Learn>> = {
  // NotFound is none of that type.
  async GetInstalledCertificateIds(tx, command, answer) {
    const { request, response } = payloadsOf<"GetInstalledCertificateIds">(command.payload, answer);
    await replaceInstalled(tx, command.charger_id, rootTypeOf(request.certificateType), response.certificateHashData ?? []);
  },
  // NotFound says just as well that it is not there.
  async DeleteCertificate(tx, command, answer) {
    const { request, response } = payloadsOf<"DeleteCertificate">(command.payload, answer);
    if (response.status !== "Failed") await removeInstalled(tx, command.charger_id, request.certificateHashData);
  },
  // What a charger has taken, it will name by hashes.
  async InstallCertificate(tx, command, answer) {
    const { request, response } = payloadsOf<"InstallCertificate">(command.payload, answer);
    const root = response.status === "Accepted" ? readRoot(request.certificate) : undefined;
    if (root !== undefined) await keepRootCertificate(tx, root);
  },
};
