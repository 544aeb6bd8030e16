import { randomUUID } from "node:crypto";
import type { Certificate } from "@chargemesh/contracts/charger/v1/certificate";
import type { CertificateRequest } from "@chargemesh/contracts/charger/v1/certificate_request";
import {
  CertificateRequestServiceClient,
  ListCertificateRequestsRequest,
} from "@chargemesh/contracts/charger/v1/certificate_request_service";
import { CertificateServiceClient, ListCertificatesRequest } from "@chargemesh/contracts/charger/v1/certificate_service";
import type { Command } from "@chargemesh/contracts/charger/v1/command";
import { credentials } from "@grpc/grpc-js";
import { eventually } from "../../../test/rest.ts";
import { call, given } from "../service.ts";
import type { Site } from "./site.ts";

/** What an operator does about the certificates of chargers. */
export interface CertificateDesk {
  certificates(chargerId: string): Promise<Certificate[]>;
  /** The newest certificate of a charger, once it is in this state. */
  certificateIn(chargerId: string, state: Certificate["state"]): Promise<Certificate>;
  revoke(chargerId: string, id: string): Promise<Certificate>;
  renew(chargerId: string, fields?: { waitSeconds?: number; ttlSeconds?: number }): Promise<Command>;
  requests(filter: { chargerId?: string; state?: CertificateRequest["state"] }): Promise<CertificateRequest[]>;
  request(id: string): Promise<CertificateRequest>;
  approve(id: string): Promise<CertificateRequest>;
  reject(id: string): Promise<CertificateRequest>;
  /** A certificate that this charger does not have. */
  readonly nowhere: string;
  leave(): void;
}

export function openCertificateDesk({ place, service }: Pick<Site, "place" | "service">): CertificateDesk {
  const operator = place.as("OPERATOR", undefined, 3_600);
  const certificates = new CertificateServiceClient(service.grpcAddress, credentials.createInsecure());
  const requests = new CertificateRequestServiceClient(service.grpcAddress, credentials.createInsecure());
  const desk: CertificateDesk = {
    nowhere: randomUUID(),
    async certificates(chargerId) {
      const request = ListCertificatesRequest.fromPartial({ chargerId });
      return (await call(certificates, certificates.listCertificates, request, operator)).certificates;
    },
    certificateIn: (chargerId, state) =>
      eventually(async () => {
        const [newest] = await desk.certificates(chargerId);
        return newest?.state === state && newest;
      }),
    async revoke(chargerId, id) {
      return given((await call(certificates, certificates.revokeCertificate, { chargerId, id }, operator)).certificate);
    },
    async renew(chargerId, fields = {}) {
      const request = { chargerId, waitSeconds: 0, ttlSeconds: 0, ...fields };
      return given((await call(certificates, certificates.renewCertificate, request, operator)).command);
    },
    async requests(filter) {
      const request = ListCertificateRequestsRequest.fromPartial(filter);
      return (await call(requests, requests.listCertificateRequests, request, operator)).certificateRequests;
    },
    async request(id) {
      return given((await call(requests, requests.getCertificateRequest, { id }, operator)).certificateRequest);
    },
    async approve(id) {
      return given((await call(requests, requests.approveCertificateRequest, { id }, operator)).certificateRequest);
    },
    async reject(id) {
      return given((await call(requests, requests.rejectCertificateRequest, { id }, operator)).certificateRequest);
    },
    leave() {
      certificates.close();
      requests.close();
    },
  };
  return desk;
}
