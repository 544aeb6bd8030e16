import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { freePort } from "../../tools/servers/free-port.ts";
import { healthIs, reflectedServices } from "./health.ts";
import { type Link, openLink } from "./link.ts";
import {
  ADMIN,
  beginService,
  call,
  freshPlace,
  logIn,
  type Place,
  reached,
  refusal,
  type Service,
  signUp,
  startService,
} from "./service.ts";

let place: Place;
let link: Link;
let running: Service | undefined;

beforeAll(async () => {
  place = await freshPlace();
});
beforeEach(async () => {
  link = await openLink(place.vars.AUTH_DATABASE_URL ?? "");
});
afterEach(async () => {
  await running?.stop();
  running = undefined;
  await link.close();
});
afterAll(async () => {
  await place?.leave();
});

const unavailable = { code: "UNAVAILABLE", reason: "DATABASE_UNAVAILABLE", fields: [] };

test("health tells of the service, its rpcs' services and what it needs; reflection lists them", async () => {
  running = await startService(place);
  for (const name of ["", "chargemesh.auth.v1.UserService", "chargemesh.auth.v1.SigningKeyService", "postgres", "signing-keys", "nats"]) {
    await healthIs(running.address, name, "SERVING");
  }
  const listed = await reflectedServices(running.address);
  for (const name of ["chargemesh.auth.v1.UserService", "chargemesh.auth.v1.SigningKeyService", "grpc.health.v1.Health"]) {
    expect(listed).toContain(name);
  }
});

test("while the database is away calls are UNAVAILABLE and health says so; when it is back, all is well", async () => {
  running = await startService(place, { AUTH_DATABASE_URL: link.url });
  await healthIs(running.address, "", "SERVING");
  link.cut();
  expect(await refusal(logIn(running, ADMIN))).toEqual(unavailable);
  expect(await refusal(signUp(running, "ada"))).toEqual(unavailable);
  await healthIs(running.address, "postgres", "NOT_SERVING");
  await healthIs(running.address, "", "NOT_SERVING");
  link.mend();
  expect(await logIn(running, ADMIN)).toMatchObject({ username: "admin" });
  expect(await signUp(running, "ada")).toMatchObject({ username: "ada" });
  await healthIs(running.address, "", "SERVING");
});

test("without NATS the service serves", async () => {
  await place.nats.kill();
  running = await startService(place);
  await healthIs(running.address, "nats", "NOT_SERVING");
  await healthIs(running.address, "", "SERVING");
  await place.nats.restart();
  await healthIs(running.address, "nats", "SERVING");
});

test.each([
  ["refuses connections", () => link.cut()],
  ["answers nothing", () => link.silence()],
])("a service that starts while its database %s says so, and begins when it is there", async (_what, takeAway) => {
  takeAway();
  const address = `127.0.0.1:${await freePort(0)}`;
  const service = beginService(place, { AUTH_DATABASE_URL: link.url }, address);
  running = service;
  let isStarted = false;
  const started = service.started.then(() => {
    isStarted = true;
  });
  await reached(service);
  await healthIs(address, "", "NOT_SERVING");
  await healthIs(address, "signing-keys", "NOT_SERVING");
  expect(await refusal(logIn(service, ADMIN))).toEqual(unavailable);
  const notReady = { code: "UNAVAILABLE", reason: "NOT_READY", fields: [] };
  expect(await refusal(call(service.signingKeys, service.signingKeys.listSigningKeys, {}))).toEqual(notReady);
  // Else somebody could take the administrator's name before the administrator has it.
  expect(await refusal(signUp(service, ADMIN.username))).toEqual(notReady);
  expect(isStarted).toBe(false);
  link.mend();
  await started;
  expect(await logIn(service, ADMIN)).toMatchObject({ role: "ADMIN" });
  await healthIs(address, "", "SERVING");
});

test("a service that waits for its database can be stopped", async () => {
  link.cut();
  const address = `127.0.0.1:${await freePort(0)}`;
  const service = beginService(place, { AUTH_DATABASE_URL: link.url }, address);
  const failing = expect(service.started).rejects.toThrow();
  await reached(service);
  await service.stop();
  await failing;
});
