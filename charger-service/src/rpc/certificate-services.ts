import { CertificateRequestServiceService } from "@chargemesh/contracts/charger/v1/certificate_request_service";
import { CertificateServiceService } from "@chargemesh/contracts/charger/v1/certificate_service";
import { InstalledCertificateServiceService } from "@chargemesh/contracts/charger/v1/installed_certificate_service";
import { SecurityEventServiceService } from "@chargemesh/contracts/charger/v1/security_event_service";
import { type Registration, serve } from "@chargemesh/kit/grpc-server";
import { approveCertificateRequest } from "./approve-certificate-request.ts";
import { deleteInstalledCertificate } from "./delete-installed-certificate.ts";
import type { RpcDeps } from "./deps.ts";
import { getCertificate } from "./get-certificate.ts";
import { getCertificateRequest } from "./get-certificate-request.ts";
import { installCertificate } from "./install-certificate.ts";
import { listCertificateRequests } from "./list-certificate-requests.ts";
import { listCertificates } from "./list-certificates.ts";
import { listInstalledCertificates } from "./list-installed-certificates.ts";
import { listSecurityEvents } from "./list-security-events.ts";
import { refreshInstalledCertificates } from "./refresh-installed-certificates.ts";
import { rejectCertificateRequest } from "./reject-certificate-request.ts";
import { renewCertificate } from "./renew-certificate.ts";
import { revokeCertificate } from "./revoke-certificate.ts";

/** Every rpc of certificates and security events. */
export function certificateRegistrations(deps: RpcDeps): Registration[] {
  return [
    serve(CertificateServiceService, {
      listCertificates: listCertificates(deps),
      getCertificate: getCertificate(deps),
      revokeCertificate: revokeCertificate(deps),
      renewCertificate: renewCertificate(deps),
    }),
    serve(CertificateRequestServiceService, {
      listCertificateRequests: listCertificateRequests(deps),
      getCertificateRequest: getCertificateRequest(deps),
      approveCertificateRequest: approveCertificateRequest(deps),
      rejectCertificateRequest: rejectCertificateRequest(deps),
    }),
    serve(InstalledCertificateServiceService, {
      listInstalledCertificates: listInstalledCertificates(deps),
      installCertificate: installCertificate(deps),
      refreshInstalledCertificates: refreshInstalledCertificates(deps),
      deleteInstalledCertificate: deleteInstalledCertificate(deps),
    }),
    serve(SecurityEventServiceService, { listSecurityEvents: listSecurityEvents(deps) }),
  ];
}
