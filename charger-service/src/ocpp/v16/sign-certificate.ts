import type { Req, Res, V16 } from "@chargemesh/ocpp/version";
import { requestCertificate } from "../../domain/certificate-request.ts";
import type { Charger } from "../dispatch.ts";

/** A charger wants a certificate of its key (security whitepaper, A02 and A03). It gets it by a CertificateSigned of its own. */
export async function signCertificate(charger: Charger, { csr }: Req<V16, "SignCertificate">): Promise<Res<V16, "SignCertificate">> {
  const { db, certification, id, securityProfile } = charger;
  const isAccepted = await requestCertificate(db, certification, { chargerId: id, securityProfile, csr }, charger.now());
  return { status: isAccepted ? "Accepted" : "Rejected" };
}
