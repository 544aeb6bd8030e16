import type { CreateFirmwareUpdateRequest, CreateFirmwareUpdateResponse } from "@chargemesh/contracts/charger/v1/firmware_update_service";
import { badRequest } from "@chargemesh/kit/errors";
import type { Call } from "@chargemesh/kit/grpc-server";
import { askForFirmwareUpdate, type WantedFirmware } from "../domain/firmware-request.ts";
import { readCertificate } from "../domain/firmware-signature.ts";
import { toFirmwareUpdate } from "../resources/file.ts";
import { readAsking } from "./asking.ts";
import type { RpcDeps } from "./deps.ts";
import { readTime, text } from "./request.ts";

/** Asks a charger to fetch and install firmware. */
export const createFirmwareUpdate =
  (deps: RpcDeps) =>
  async (request: CreateFirmwareUpdateRequest, call: Call): Promise<CreateFirmwareUpdateResponse> => {
    const { retrieveTime, installTime, retries, retryIntervalSeconds } = request;
    const signed = readSignature(request);
    if (installTime !== undefined && signed === undefined) {
      throw badRequest([{ field: "install_time", description: "is possible only if signed" }]);
    }
    const update = await askForFirmwareUpdate(deps, readAsking(request, call), {
      source: readSource(request),
      firmwareVersion: text(request.firmwareVersion),
      retrieveTime: retrieveTime === undefined ? undefined : readTime("retrieve_time", retrieveTime),
      installTime: installTime === undefined ? undefined : readTime("install_time", installTime),
      retries,
      retryIntervalSeconds,
      signed,
    });
    return { firmwareUpdate: toFirmwareUpdate(update) };
  };

function readSource({ firmwareImageId, location }: CreateFirmwareUpdateRequest): WantedFirmware["source"] {
  if ((firmwareImageId === "") === (location === "")) {
    throw badRequest([{ field: "firmware_image_id", description: "or location must be given, and not both" }]);
  }
  if (firmwareImageId !== "") return { imageId: firmwareImageId };
  if (!URL.canParse(location)) throw badRequest([{ field: "location", description: "must be a URL" }]);
  return { location };
}

function readSignature({ signed, signature, signingCertificate }: CreateFirmwareUpdateRequest): WantedFirmware["signed"] {
  if ((signature === "") !== (signingCertificate === "")) {
    throw badRequest([{ field: "signature", description: "and signing_certificate must be given together" }]);
  }
  if (signature === "") return signed ? "ours" : undefined;
  if (!signed) throw badRequest([{ field: "signed", description: "must be true with a signature" }]);
  return { signature, certificate: readCertificate("signing_certificate", signingCertificate) };
}
