import { FirmwareImage } from "@chargemesh/contracts/charger/v1/firmware_image";
import { CreateFirmwareImageRequest } from "@chargemesh/contracts/charger/v1/firmware_image_service";
import { CreateReservationRequest } from "@chargemesh/contracts/charger/v1/reservation_service";
import { Timestamp } from "@chargemesh/contracts/google/protobuf/timestamp";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSite, type Site } from "../ocpp/site.ts";
import { call, refusal } from "../service.ts";

// Bytes that are no request of ours are the fault of whoever sent them.

let site: Site;
let client: Client;
beforeAll(async () => {
  site = await openSite();
  client = new Client(site.service.grpcAddress, credentials.createInsecure());
});
afterAll(async () => {
  client?.close();
  await site?.leave();
});

/** Sends `bytes` as the request of an rpc. */
function send(rpc: string, bytes: Uint8Array, as?: Metadata): Promise<unknown> {
  const raw = (): Buffer => Buffer.from(bytes);
  const method = (...[request, metadata, options, callback]: Parameters<Parameters<typeof call<null, unknown>>[1]>) =>
    client.makeUnaryRequest(`/chargemesh.charger.v1.${rpc}`, raw, raw, request, metadata, options, (err, answer) => callback(err, answer));
  return call(client, method, null, as ?? site.place.as("ADMIN"));
}

const INVALID = { code: "INVALID_ARGUMENT", reason: "INVALID_FIELD" };
const MALFORMED = { code: "INVALID_ARGUMENT", reason: "MALFORMED_REQUEST", fields: [] };

test("an integer that is beyond what we count with is named", async () => {
  const firmwareImage = FirmwareImage.fromPartial({ sizeBytes: 2 ** 53 });
  const tooLarge = CreateFirmwareImageRequest.encode({ firmwareImage }).finish();
  expect(await refusal(send("FirmwareImageService/CreateFirmwareImage", tooLarge))).toEqual({
    ...INVALID,
    fields: ["firmware_image.size_bytes"],
  });
});

test("a time that no calendar has is named", async () => {
  const time = Timestamp.encode({ seconds: 1e14, nanos: 0 }).finish();
  const expireTime = Buffer.concat([Buffer.from([0x22, time.length]), time]);
  const request = Buffer.concat([
    CreateReservationRequest.encode(CreateReservationRequest.fromPartial({ chargerId: "C", idToken: "T", connectorId: 1 })).finish(),
    expireTime,
  ]);
  expect(await refusal(send("ReservationService/CreateReservation", request))).toEqual({ ...INVALID, fields: ["expire_time"] });
});

test("what is no message at all is refused as such", async () => {
  expect(await refusal(send("FirmwareImageService/CreateFirmwareImage", Buffer.from("ff", "hex")))).toEqual(MALFORMED);
});

test("who may not ask is told that, and not what is wrong with it", async () => {
  const nobody = refusal(send("FirmwareImageService/CreateFirmwareImage", Buffer.from("ff", "hex"), new Metadata()));
  expect(await nobody).toMatchObject({ code: "UNAUTHENTICATED", reason: "TOKEN_MISSING" });
});
