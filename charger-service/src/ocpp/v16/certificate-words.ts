import type { Req, V16 } from "@chargemesh/ocpp/version";
import type { RootType } from "../../db/certificate-tables.ts";
import type { CertificateQuestion } from "../../domain/certificate-question.ts";
import type { Said } from "../dialects.ts";

/** What the security whitepaper calls them. */
export const rootTypes: Readonly<Record<RootType, Req<V16, "GetInstalledCertificateIds">["certificateType"]>> = {
  CENTRAL_SYSTEM_ROOT: "CentralSystemRootCertificate",
  MANUFACTURER_ROOT: "ManufacturerRootCertificate",
};

type Words = { readonly [Kind in CertificateQuestion["kind"]]: (question: Extract<CertificateQuestion, { kind: Kind }>) => Said };

/** How questions about certificates are put (security whitepaper, A02, M03 to M05). */
export const certificateWords: Words = {
  requestCertificate: () => ({
    action: "ExtendedTriggerMessage",
    payload: { requestedMessage: "SignChargePointCertificate" } satisfies Req<V16, "ExtendedTriggerMessage">,
  }),
  takeCertificate: ({ chain }) => ({
    action: "CertificateSigned",
    payload: { certificateChain: chain } satisfies Req<V16, "CertificateSigned">,
  }),
  installRoot: ({ type, certificate }) => ({
    action: "InstallCertificate",
    payload: { certificateType: rootTypes[type], certificate } satisfies Req<V16, "InstallCertificate">,
  }),
  listRoots: ({ type }) => ({
    action: "GetInstalledCertificateIds",
    payload: { certificateType: rootTypes[type] } satisfies Req<V16, "GetInstalledCertificateIds">,
  }),
  deleteRoot: ({ name }) => ({
    action: "DeleteCertificate",
    payload: { certificateHashData: { ...name } } satisfies Req<V16, "DeleteCertificate">,
  }),
};
