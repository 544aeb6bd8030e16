import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  InstallCertificateRequest,
  InstalledCertificateServiceClient,
} from "@chargemesh/contracts/charger/v1/installed_certificate_service";
import { credentials } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectCharger, type SimulatedCharger } from "../../../../simulator/src/charger.ts";
import { chargerModels } from "../../../../simulator/src/models.ts";
import { eventually } from "../../../../test/rest.ts";
import { byDefault, makeProfileDesk, most } from "../../rpc/profile-desk.ts";
import { call } from "../../service.ts";
import { makeTestAuthority, type TestAuthority } from "../authority.ts";
import { openCertificateDesk } from "../certificate-desk.ts";
import { type FileDesk, openFileDesk, send } from "../file-desk.ts";
import { keepFirmwareKey, makeFirmwareKey } from "../firmware-key.ts";
import { openSetupDesk } from "../setup-desk.ts";
import { openSite, type Site } from "../site.ts";

// A simulated charger, which was written from the specification alone, and the service understand each other.

const ID = "SIM-1";
let site: Site;
let files: FileDesk;
let folder: string;
let authority: TestAuthority;
let charger: SimulatedCharger;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "chargemesh-conformance-"));
  authority = await makeTestAuthority();
  const firmware = await keepFirmwareKey(folder, await makeFirmwareKey("rsa"));
  site = await openSite({ ...authority.settings, ...firmware, OCPP_CERTIFICATE_ORGANIZATION: "Acme", OCPP_FILES_DIR: folder });
  files = openFileDesk(site);
  await site.addIdToken("CARD");
  const password = await site.register(ID);
  charger = await connectCharger({
    url: `ws://${site.service.ocppAddress}`,
    id: ID,
    password,
    model: chargerModels.post,
    restartMs: 1,
    configuration: { CpoName: "Acme" },
    reconnect: { minMs: 10, maxMs: 100 },
  });
  await eventually(async () => charger.state.registration === "Accepted");
});
afterAll(async () => {
  await charger?.close();
  files?.close();
  await site?.leave();
  await rm(folder, { recursive: true });
});

test("it uploads diagnostics and logs, and boots the firmware that it is given", async () => {
  const uploads = [await files.getDiagnostics({ chargerId: ID }), await files.getLog({ chargerId: ID, kind: "SECURITY_LOG" })];
  for (const { id } of uploads) await eventually(async () => (await files.upload(id)).status === "Uploaded");
  expect(JSON.parse((await files.download(uploads[0]?.id ?? "")).toString())).toMatchObject({ id: ID, firmwareVersion: "2.4.1" });
  for (const [firmwareVersion, signed] of [
    ["2.5.0", false],
    ["2.6.0", true],
  ] as const) {
    const image = await files.createImage({ firmwareVersion });
    await send(`${image.uploadUrl}lindenwerk-${firmwareVersion}.bin`, `firmware ${firmwareVersion}`);
    const { id } = await files.createUpdate({ chargerId: ID, firmwareImageId: image.id, signed });
    const done = await eventually(async () => {
      const update = await files.update(ID, id);
      return update.confirmTime !== undefined && update.status === "Installed" && update;
    });
    expect(done).toMatchObject({ bootedFirmwareVersion: firmwareVersion, state: "INSTALLED" });
  }
});

test("it keeps its local list, and its charging profiles come to the same", async () => {
  const setup = openSetupDesk(site);
  await setup.setMode(ID, "ALL");
  expect(await setup.sync(ID)).toMatchObject({ state: "IN_STEP", entryCount: 1 });
  expect([...charger.state.localList.entries.keys()]).toEqual(["card"]);
  setup.close();
  const desk = makeProfileDesk(site.service, site.place.as("OPERATOR"), ID);
  await desk.assign({ id: (await desk.create(most)).id });
  const daily = { ...byDefault, schedule: { ...byDefault.schedule, startTime: new Date("2026-01-01T00:00:00.000Z") } };
  await desk.assign({ id: (await desk.create(daily)).id, connectorId: 1 });
  const { periods, reported, differences } = await desk.composite({ connectorId: 1, durationSeconds: 86_400, unit: "A" });
  expect([reported?.status, differences]).toEqual(["Accepted", []]);
  expect(periods.length).toBeGreaterThan(1);
});

test("it gets a certificate, and keeps the roots that it is given", async () => {
  const desk = openCertificateDesk(site);
  await desk.renew(ID);
  expect(await desk.certificateIn(ID, "INSTALLED")).toMatchObject({ subject: `CN=${ID}, O=Acme` });
  desk.leave();
  const roots = new InstalledCertificateServiceClient(site.service.grpcAddress, credentials.createInsecure());
  const operator = site.place.as("OPERATOR");
  const request = InstallCertificateRequest.fromPartial({ chargerId: ID, type: "CENTRAL_SYSTEM_ROOT", certificate: authority.root });
  await call(roots, roots.installCertificate, request, operator);
  const [root] = await eventually(async () => {
    const { installedCertificates } = await call(roots, roots.listInstalledCertificates, { chargerId: ID }, operator);
    return installedCertificates.length > 0 && installedCertificates;
  });
  expect(root).toMatchObject({ type: "CENTRAL_SYSTEM_ROOT", subject: "O=Acme Charging, CN=Root" });
  await call(roots, roots.deleteInstalledCertificate, { chargerId: ID, id: root?.id ?? "", waitSeconds: 0 }, operator);
  expect(charger.state.certificates.roots).toEqual([]);
  roots.close();
});
