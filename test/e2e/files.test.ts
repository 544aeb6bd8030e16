import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import S3rver from "@20minutes/s3rver";
import { RPCClient } from "ocpp-rpc";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeFolder } from "../../tools/test/folder.ts";
import { ADMIN, type Env, startEnv } from "../env.ts";
import { eventually, type Rest, restOf } from "../rest.ts";

// Files of chargers over REST, kept in S3-compatible storage: in several parts, by a server that checks signatures.

const BUCKET = "chargemesh";
const directory = makeFolder();
/** More than one part. */
const FILE = randomBytes(6 * 1024 * 1024);
let s3: S3rver;
let env: Env;
let accessToken: string;
let admin: Rest;
let charger: RPCClient;
let isAway = false;

beforeAll(async () => {
  s3 = new S3rver({ address: "127.0.0.1", port: 0, silent: true, directory, configureBuckets: [{ name: BUCKET }] });
  const { port } = await s3.run();
  env = await startEnv({
    OCPP_S3_BUCKET: BUCKET,
    OCPP_S3_ENDPOINT: `http://127.0.0.1:${port}`,
    // Those that the server knows.
    OCPP_S3_ACCESS_KEY_ID: "S3RVER",
    OCPP_S3_SECRET_ACCESS_KEY: "S3RVER",
    OCPP_UPLOAD_BYTES_MAX: String(7 * 1024 * 1024),
  });
  ({ accessToken } = (await restOf(env.rest)("POST", "/auth/login", ADMIN)).body);
  admin = restOf(env.rest, accessToken);
  const { body } = await admin("POST", "/ocpp/chargers", { id: "S3-1" });
  const { password } = body;
  charger = new RPCClient({ endpoint: env.ocpp, identity: "S3-1", password, protocols: ["ocpp1.6"], reconnect: false });
  await charger.connect();
  await charger.call("BootNotification", { chargePointVendor: "Acme", chargePointModel: "One" });
});
afterAll(async () => {
  await charger?.close();
  await env?.stop();
  if (!isAway) await s3?.close();
});

const stored = async (): Promise<string[]> => (await readdir(directory, { recursive: true })).filter((name) => name.endsWith("_object"));
const download = (id: string): Promise<Response> =>
  fetch(`${env.rest}/ocpp/uploads/${id}:download`, { headers: { authorization: `Bearer ${accessToken}` } });

test("a file goes through the chargers' port into the bucket, and out of it over REST", async () => {
  let location = "";
  charger.handle("GetDiagnostics", ({ params }) => {
    ({ location } = params);
    return { fileName: "a.zip" };
  });
  const asked = await admin("POST", "/ocpp/chargers/S3-1:getDiagnostics", {});
  expect([asked.status, asked.body.state, asked.body.fileName]).toEqual([200, "REQUESTED", "a.zip"]);
  const { id } = asked.body;
  expect((await download(id)).status).toBe(400);
  const tooLarge = new Blob([FILE, FILE]).stream();
  expect((await fetch(`${location}a.zip`, { method: "PUT", body: tooLarge, duplex: "half" })).status).toBe(413);
  expect(await stored()).toEqual([]);
  expect((await fetch(`${location}a.zip`, { method: "PUT", body: new Blob([FILE]).stream(), duplex: "half" })).status).toBe(201);
  expect((await stored()).length).toBe(1);
  const { body } = await admin("GET", `/ocpp/uploads?chargerId=S3-1`);
  expect(body.uploads).toMatchObject([{ id, state: "UPLOADED", fileName: "a.zip", sizeBytes: String(FILE.length) }]);
  const file = await download(id);
  expect([file.status, file.headers.get("content-type")]).toEqual([200, "application/octet-stream"]);
  expect(Buffer.from(await file.arrayBuffer()).equals(FILE)).toBe(true);
});

test("firmware is fetched out of the bucket in parts", async () => {
  const fetched = Promise.withResolvers<string>();
  charger.handle("UpdateFirmware", ({ params }) => {
    fetched.resolve(params.location);
    return {};
  });
  const image = (await admin("POST", "/ocpp/firmwareImages", { firmwareVersion: "2.0" })).body;
  const firmware = new Uint8Array(FILE.subarray(0, 1_000));
  expect((await fetch(`${image.uploadUrl}fw.bin`, { method: "PUT", body: firmware })).status).toBe(201);
  const update = await admin("POST", "/ocpp/chargers/S3-1/firmwareUpdates", { firmwareImageId: image.id });
  expect([update.status, update.body.state]).toEqual([200, "REQUESTED"]);
  const part = await fetch(await fetched.promise, { headers: { range: "bytes=990-" } });
  expect([part.status, part.headers.get("content-range")]).toEqual([206, "bytes 990-999/1000"]);
  expect(Buffer.from(await part.arrayBuffer()).equals(FILE.subarray(990, 1_000))).toBe(true);
  await charger.call("FirmwareStatusNotification", { status: "Downloading" });
  await eventually(async () => (await admin("GET", `/ocpp/chargers/S3-1/firmwareUpdates/${update.body.id}`)).body.state === "DOWNLOADING");
});

test("a storage that is away is said so, and what was uploaded may come again", async () => {
  let location = "";
  charger.handle("GetDiagnostics", ({ params }) => {
    ({ location } = params);
    return { fileName: "b.zip" };
  });
  const { id } = (await admin("POST", "/ocpp/chargers/S3-1:getDiagnostics", {})).body;
  isAway = true;
  await s3.close();
  const answer = await fetch(`${location}b.zip`, { method: "PUT", body: "b" });
  expect([answer.status, await answer.json()]).toMatchObject([503, { error: { reason: "STORAGE_UNAVAILABLE" } }]);
  expect((await admin("GET", `/ocpp/uploads/${id}`)).body).toMatchObject({ state: "UPLOADING", sizeBytes: "0" });
});
