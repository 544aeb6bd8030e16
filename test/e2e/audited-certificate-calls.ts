import { randomUUID } from "node:crypto";
import { makeCsr, makeTestAuthority } from "../../charger-service/test/ocpp/authority.ts";
import type { Rest } from "../rest.ts";
import type { Done, makeActors } from "./audited-calls.ts";

/** A call of every rpc of certificates that must leave an entry. The system must have an authority. */
export function auditedCertificateCalls(
  admin: Rest,
  { newCharger, connect, ownerQuery }: ReturnType<typeof makeActors>,
): Record<string, () => Promise<Done>> {
  /** What a charger that has never proven itself has asked for. */
  async function newRequest(): Promise<{ chargerId: string; id: string }> {
    const { id: chargerId, password } = await newCharger();
    await ownerQuery("update ocpp.charger set password_hash = null, security_profile = 0 where id = $1", [chargerId]);
    const charger = await connect(chargerId, password);
    await charger.call("SignCertificate", { csr: (await makeCsr(`CN=${chargerId}`)).csr });
    const { body } = await admin("GET", `/ocpp/certificateRequests?chargerId=${chargerId}`);
    return { chargerId, id: body.certificateRequests[0].id };
  }
  return {
    "charger.v1.CertificateRequestService/ApproveCertificateRequest": async () => {
      const { chargerId, id } = await newRequest();
      return { answer: await admin("POST", `/ocpp/certificateRequests/${id}:approve`), resource: `chargers/${chargerId}` };
    },
    "charger.v1.CertificateRequestService/RejectCertificateRequest": async () => {
      const { chargerId, id } = await newRequest();
      return { answer: await admin("POST", `/ocpp/certificateRequests/${id}:reject`), resource: `chargers/${chargerId}` };
    },
    "charger.v1.CertificateService/RevokeCertificate": async () => {
      const { chargerId, id } = await newRequest();
      const { body } = await admin("POST", `/ocpp/certificateRequests/${id}:approve`);
      const answer = await admin("POST", `/ocpp/chargers/${chargerId}/certificates/${body.certificateId}:revoke`);
      return { answer, resource: `chargers/${chargerId}` };
    },
    "charger.v1.CertificateService/RenewCertificate": async () => {
      const { id } = await newCharger();
      return { answer: await admin("POST", `/ocpp/chargers/${id}/certificates:renew`), resource: `chargers/${id}` };
    },
    "charger.v1.InstalledCertificateService/InstallCertificate": async () => {
      const { id } = await newCharger();
      const root = { type: "CENTRAL_SYSTEM_ROOT", certificate: (await makeTestAuthority()).root };
      return { answer: await admin("POST", `/ocpp/chargers/${id}/installedCertificates`, root), resource: `chargers/${id}` };
    },
    "charger.v1.InstalledCertificateService/RefreshInstalledCertificates": async () => {
      const { id } = await newCharger();
      return { answer: await admin("POST", `/ocpp/chargers/${id}/installedCertificates:refresh`), resource: `chargers/${id}` };
    },
    "charger.v1.InstalledCertificateService/DeleteInstalledCertificate": async () => {
      const { id } = await newCharger();
      const installed = randomUUID();
      await ownerQuery("insert into ocpp.installed_certificate_list values ($1, 'MANUFACTURER_ROOT', now())", [id]);
      await ownerQuery("insert into ocpp.installed_certificate values ($1, $2, 'MANUFACTURER_ROOT', 'SHA256', '01', '02', '03')", [
        installed,
        id,
      ]);
      return { answer: await admin("DELETE", `/ocpp/chargers/${id}/installedCertificates/${installed}`), resource: `chargers/${id}` };
    },
  };
}
