import { CreateCommandRequest } from "@chargemesh/contracts/charger/v1/command_service";
import type { FirmwareImage } from "@chargemesh/contracts/charger/v1/firmware_image";
import { FirmwareImageServiceClient } from "@chargemesh/contracts/charger/v1/firmware_image_service";
import type { FirmwareUpdate } from "@chargemesh/contracts/charger/v1/firmware_update";
import { CreateFirmwareUpdateRequest, FirmwareUpdateServiceClient } from "@chargemesh/contracts/charger/v1/firmware_update_service";
import type { Upload } from "@chargemesh/contracts/charger/v1/upload";
import {
  type DownloadUploadResponse,
  GetDiagnosticsRequest,
  GetLogRequest,
  ListUploadsRequest,
  UploadServiceClient,
} from "@chargemesh/contracts/charger/v1/upload_service";
import { credentials } from "@grpc/grpc-js";
import { call, given } from "../service.ts";
import type { Site } from "./site.ts";
import type { Payload, Station } from "./station.ts";

/** What operators ask for about files. */
export interface FileDesk {
  getDiagnostics(fields: Partial<GetDiagnosticsRequest>): Promise<Upload>;
  getLog(fields: Partial<GetLogRequest>): Promise<Upload>;
  upload(id: string): Promise<Upload>;
  uploads(fields: Partial<ListUploadsRequest>): Promise<Upload[]>;
  download(id: string): Promise<Buffer>;
  deleteUpload(id: string): Promise<void>;
  createImage(fields: Partial<FirmwareImage>): Promise<FirmwareImage>;
  image(id: string): Promise<FirmwareImage>;
  deleteImage(id: string): Promise<void>;
  createUpdate(fields: Partial<CreateFirmwareUpdateRequest>): Promise<FirmwareUpdate>;
  update(chargerId: string, id: string): Promise<FirmwareUpdate>;
  updates(chargerId: string): Promise<FirmwareUpdate[]>;
  /** As the same operator as the others. */
  command(fields: Partial<CreateCommandRequest>): Promise<void>;
  close(): void;
}

export function openFileDesk({ place, service }: Site): FileDesk {
  const operator = place.as("OPERATOR", undefined, 3_600);
  const insecure = credentials.createInsecure();
  const uploads = new UploadServiceClient(service.grpcAddress, insecure);
  const images = new FirmwareImageServiceClient(service.grpcAddress, insecure);
  const updates = new FirmwareUpdateServiceClient(service.grpcAddress, insecure);
  return {
    getDiagnostics: async (fields) =>
      given((await call(uploads, uploads.getDiagnostics, GetDiagnosticsRequest.fromPartial(fields), operator)).upload),
    getLog: async (fields) => given((await call(uploads, uploads.getLog, GetLogRequest.fromPartial(fields), operator)).upload),
    upload: async (id) => given((await call(uploads, uploads.getUpload, { id }, operator)).upload),
    uploads: async (fields) => (await call(uploads, uploads.listUploads, ListUploadsRequest.fromPartial(fields), operator)).uploads,
    async download(id) {
      const parts: Uint8Array[] = [];
      for await (const part of uploads.downloadUpload({ id }, operator)) parts.push(given((part as DownloadUploadResponse).body).data);
      return Buffer.concat(parts);
    },
    deleteUpload: async (id) => void (await call(uploads, uploads.deleteUpload, { id }, operator)),
    async createImage({ firmwareVersion = "", description = "" }) {
      const firmwareImage = { ...emptyImage, firmwareVersion, description };
      return given((await call(images, images.createFirmwareImage, { firmwareImage }, operator)).firmwareImage);
    },
    image: async (id) => given((await call(images, images.getFirmwareImage, { id }, operator)).firmwareImage),
    deleteImage: async (id) => void (await call(images, images.deleteFirmwareImage, { id }, operator)),
    createUpdate: async (fields) =>
      given((await call(updates, updates.createFirmwareUpdate, CreateFirmwareUpdateRequest.fromPartial(fields), operator)).firmwareUpdate),
    update: async (chargerId, id) => given((await call(updates, updates.getFirmwareUpdate, { chargerId, id }, operator)).firmwareUpdate),
    updates: async (chargerId) =>
      (await call(updates, updates.listFirmwareUpdates, { chargerId, pageSize: 0, pageToken: "" }, operator)).firmwareUpdates,
    command: async (fields) => {
      await call(service.commands, service.commands.createCommand, CreateCommandRequest.fromPartial(fields), operator);
    },
    close() {
      for (const client of [uploads, images, updates]) client.close();
    },
  };
}

const emptyImage: FirmwareImage = {
  id: "",
  firmwareVersion: "",
  description: "",
  state: "STATE_UNSPECIFIED",
  uploadUrl: "",
  expireTime: undefined,
  fileName: "",
  sizeBytes: 0,
  sha256: "",
  createTime: undefined,
};

/** Where a station was told to upload or to fetch, in the newest CALL of this action. */
export function toldUrl({ asked }: Station, action: string): string {
  const payload: Payload = asked.findLast((one) => one.action === action)?.payload;
  return payload?.location ?? payload?.log?.remoteLocation ?? payload?.firmware?.location ?? "";
}

/** Sends a file as a charger does. `fetch` of a stream has no length. */
export function send(url: string, body: NonNullable<RequestInit["body"]>, init: RequestInit = {}): Promise<Response> {
  return fetch(url, { method: "PUT", body, ...init });
}

/** A body whose length nobody says. */
export function streamOf(bytes: Buffer): ReadableStream<Uint8Array> {
  return new Blob([new Uint8Array(bytes)]).stream();
}

/** How a file was refused. */
export async function reasonOf(response: Response): Promise<[status: number, reason: string]> {
  const { error }: Payload = await response.json();
  return [response.status, error.reason];
}
