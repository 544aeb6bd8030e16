import { once } from "node:events";
import { statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { freshNats } from "../../test/servers.ts";
import { commandOf, pidIn } from "../servers/processes.ts";
import { type Checkout, freshCheckout, makeSeed, usedCheckout } from "./stand-ins.ts";

const UP = /Ctrl-C ends it/;

let seed = "";
beforeAll(() => {
  seed = makeSeed();
});

function pidOf({ folder }: Checkout, name: string): number {
  return pidIn(join(folder, ".data", "run", `${name}.pid`)) ?? Number.NaN;
}

/** Every process that runs in the checkout. */
function pidsOf(checkout: Checkout): number[] {
  const servers = ["postgres/postmaster.pid", "nats/nats.pid"].map((file) => pidIn(join(checkout.folder, ".data", file)));
  return [...["auth-service", "charger-service", "email-service", "gateway"].map((name) => pidOf(checkout, name)), ...servers.map(Number)];
}

function health({ settings }: Checkout): Promise<Response> {
  return fetch(`http://${settings.GATEWAY_ADDRESS}/health`);
}

test("everything starts, each service knows what is its own, and Ctrl-C ends all of it", async () => {
  const checkout = await freshCheckout();
  const up = checkout.up();
  const output = await up.says(UP);
  const password = JSON.parse(checkout.read(".data/secrets.json")).adminPassword;
  expect(output).toContain(`admin / ${password}`);
  expect(statSync(join(checkout.folder, ".data", "secrets.json")).mode & 0o777).toBe(0o600);
  const pids = pidsOf(checkout);
  expect(pids.map(commandOf)).not.toContain("");

  const auth = await checkout.told("auth-service");
  expect(auth.AUTH_DATABASE_URL).toMatch(/^postgres:\/\/chargemesh_auth:.+@127\.0\.0\.1:\d+\/chargemesh$/);
  expect(auth.AUTH_NATS_URL).toMatch(/^nats:\/\/auth-service:.+@127\.0\.0\.1:\d+$/);
  expect(Object.keys(auth)).not.toContain("EMAIL_NATS_URL");
  expect(auth.ADMIN_PASSWORD).toBe(password);
  expect(Object.keys(auth)).not.toContain("CHARGER_DATABASE_URL");
  expect(Object.keys(auth)).not.toContain("MIGRATE_DATABASE_URL");
  const gateway = await checkout.told("gateway");
  expect(gateway.MESH_SECRET).toBe(auth.MESH_SECRET);
  expect(gateway.CHARGER_GRPC_TARGET).toBe(checkout.settings.CHARGER_GRPC_ADDRESS);
  expect(Object.keys(gateway).filter((name) => /DATABASE_URL|ADMIN_PASSWORD|AUTH_KEY_SECRET/.test(name))).toEqual([]);
  const migrated = JSON.parse(checkout.read("email-service/migrated.json"));
  expect(migrated.MIGRATE_DATABASE_URL).toContain("chargemesh_owner");
  expect(migrated.EMAIL_DATABASE_URL).toContain("chargemesh_email");

  up.child.kill("SIGINT");
  expect((await up.ended).code).toBe(0);
  expect(pids.map(commandOf)).toEqual(pids.map(() => ""));
});

test("the second start keeps the secrets and shows no password", async () => {
  const checkout = await usedCheckout(seed);
  const first = checkout.up();
  await first.says(UP);
  const secrets = JSON.parse(checkout.read(".data/secrets.json"));
  first.child.kill("SIGTERM");
  await first.ended;

  const output = await checkout.up().says(UP);
  expect(output).not.toContain(secrets.adminPassword);
  expect(output).toContain("the password shown at the first start");
  expect(JSON.parse(checkout.read(".data/secrets.json"))).toEqual({ ...secrets, adminPasswordShown: true });
});

test("a killed service and a killed server are reported and started again", async () => {
  const checkout = await usedCheckout(seed);
  const up = checkout.up();
  await up.says(UP);
  const before = pidsOf(checkout);
  process.kill(pidOf(checkout, "gateway"), "SIGKILL");
  await up.says(/gateway +ended \(killed by SIGKILL\); starting it again in 1 s[\s\S]*gateway +runs again/);
  for (const server of [4, 5]) process.kill(Number(before[server]), "SIGKILL");
  await up.says(/postgres +runs again/);
  await up.says(/nats +runs again/);
  const after = pidsOf(checkout);
  expect(after.map((pid, at) => pid === before[at])).toEqual([true, true, true, false, false, false]);
});

test("what is left after a kill of the whole is ended by the next start", async () => {
  const checkout = await usedCheckout(seed);
  const killed = checkout.up();
  await killed.says(UP);
  const left = pidsOf(checkout);
  killed.child.kill("SIGKILL");
  await killed.ended;
  await checkout.up().says(UP);
  expect(left.map(commandOf)).toEqual(left.map(() => ""));
});

test("a second one in the same folder is refused, and the first stays", async () => {
  const checkout = await usedCheckout(seed);
  const first = checkout.up();
  await first.says(UP);
  const { code, output } = await checkout.up().ended;
  expect(code).toBe(1);
  expect(output).toBe(
    `\nChargemesh runs in this folder already (process ${first.child.pid}): end it with Ctrl-C where it runs, or with \`kill ${first.child.pid}\`.\n`,
  );
  expect((await health(checkout)).status).toBe(200);
});

test("a port that is taken: who has it, which setting, and nothing is started", async () => {
  const checkout = await usedCheckout(seed);
  const other = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void other.close());
  await once(other, "listening");
  const address = other.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const { code, output } = await checkout.up([], { AUTH_GRPC_ADDRESS: `127.0.0.1:${port}` }).ended;
  expect(code).toBe(1);
  expect(output).toContain(`Port ${port} (AUTH_GRPC_ADDRESS) is taken by process ${process.pid} (`);
  expect(output).not.toMatch(/postgres|nats| at /);
});

test.each([
  ["a service that cannot start", { BROKEN: "gateway" }, "gateway ended (exit code 1): fatal: bad configuration: X is required."],
  [
    "tables that cannot be migrated",
    { BROKEN_TABLES: "yes" },
    "could not be brought up to date: failed to migrate: relation exists (log: ",
  ],
])("%s ends the whole with one sentence", async (_, settings, sentence) => {
  const checkout = await usedCheckout(seed);
  const { code, output } = await checkout.up([], settings).ended;
  expect(code).toBe(1);
  expect(output).toContain(sentence);
  expect(output).not.toContain("    at ");
});

test("a service that does not end in time is killed, and all is over within 10 s", async () => {
  const checkout = await usedCheckout(seed);
  const up = checkout.up([], { STUBBORN: "email-service" });
  await up.says(UP);
  const pids = pidsOf(checkout);
  const start = performance.now();
  up.child.kill("SIGINT");
  const { code, output } = await up.ended;
  expect(performance.now() - start).toBeLessThan(10_000);
  expect(code).toBe(0);
  expect(output).toMatch(/email-service +did not end in time and was killed/);
  expect(pids.map(commandOf)).toEqual(pids.map(() => ""));
});

test("with --demo the simulator runs too, and unknown chargers are let in", async () => {
  const checkout = await usedCheckout(seed);
  writeFileSync(join(checkout.folder, ".env"), "OCPP_UNKNOWN_CHARGERS=reject\nADMIN_PASSWORD=one-of-my-own-choice\n");
  const output = await checkout.up(["--demo"]).says(UP);
  expect(output).toContain("admin / the password in ADMIN_PASSWORD");
  expect((await checkout.told("charger-service")).OCPP_UNKNOWN_CHARGERS).toBe("accept");
  expect(await checkout.told("simulator")).toMatchObject({
    GATEWAY_URL: `http://${checkout.settings.GATEWAY_ADDRESS}`,
    OCPP_URL: `ws://${checkout.settings.GATEWAY_ADDRESS}/ocpp/ws`,
    ADMIN_USERNAME: "admin",
    ADMIN_PASSWORD: "one-of-my-own-choice",
  });
});

test("servers that the settings name are used, and none is started", async () => {
  const checkout = await freshCheckout();
  const nats = await freshNats();
  onTestFinished(nats.stop);
  const database = "postgres://me:secret@127.0.0.1:1/mine";
  const output = await checkout.up([], { DATABASE_URL: database, NATS_URL: nats.url, SMTP_URL: "smtp://127.0.0.1:25" }).says(UP);
  expect(output).toMatch(/postgres +by DATABASE_URL\n[\s\S]*nats +by NATS_URL\n[\s\S]*mail +by SMTP_URL\n/);
  expect(pidsOf(checkout).slice(4)).toEqual([Number.NaN, Number.NaN]);
  expect(await checkout.told("email-service")).toMatchObject({
    EMAIL_DATABASE_URL: database,
    NATS_URL: nats.url,
    SMTP_URL: "smtp://127.0.0.1:25",
  });
});

test("--migrate brings the tables up to date and ends", async () => {
  const checkout = await usedCheckout(seed);
  const { code, output } = await checkout.up(["--migrate"]).ended;
  expect(code).toBe(0);
  expect(output).toMatch(/tables +up to date/);
  expect(JSON.parse(checkout.read("auth-service/migrated.json")).AUTH_DATABASE_URL).toContain("chargemesh_auth");
});
