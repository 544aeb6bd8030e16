import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { ConfigError, type Vars } from "@chargemesh/kit/config";
import { readConfig as readAuth } from "auth-service/src/config.ts";
import { readConfig as readCharger } from "charger-service/src/config.ts";
import { readConfig as readEmail } from "email-service/src/config.ts";
import { readConfig as readGateway } from "gateway/src/config.ts";
import { expect, test } from "vitest";

const readers = { auth: readAuth, charger: readCharger, email: readEmail, gateway: readGateway };
const template = parseEnv(readFileSync(join(import.meta.dirname, "../.env.template"), "utf8"));

/** Read by `make up`, `make migrate` or `make demo`, not by a service. */
const ofTools = ["MIGRATE_DATABASE_URL", "SIMULATOR_CHARGERS", "SIMULATOR_SPEED"];
/** Made by `make up` where they are not set. */
const made = {
  DATABASE_URL: "postgres://127.0.0.1/chargemesh",
  NATS_URL: "nats://127.0.0.1:4222",
  MESH_SECRET: "s".repeat(40),
  AUTH_KEY_SECRET: "s".repeat(40),
  ADMIN_PASSWORD: "an administrator's password",
};

/** The names that a reader of settings asks for. */
function namesAskedBy(read: (vars: Vars) => unknown, vars: Record<string, string | undefined>): string[] {
  const asked = new Set<string>();
  read(
    new Proxy(vars, {
      get(target, name) {
        asked.add(String(name));
        return target[String(name)];
      },
    }),
  );
  return [...asked];
}

const given = Object.fromEntries(Object.entries({ ...template, ...made }).filter(([, value]) => value !== ""));
const asked = new Set(Object.values(readers).flatMap((read) => namesAskedBy(read, given)));

test("every line of .env.template has a reader", () => {
  expect(Object.keys(template).filter((name) => !asked.has(name) && !ofTools.includes(name))).toEqual([]);
});

test("every setting that a service reads stands in .env.template", () => {
  expect([...asked].filter((name) => !(name in template))).toEqual([]);
});

test("the template as it stands changes nothing", () => {
  for (const read of Object.values(readers)) expect(read(given)).toEqual(read(made));
});

test("every fault of the settings is named at once", () => {
  const faulty = () => readCharger({ CHARGER_OCPP_ADDRESS: "nowhere", OCPP_UNKNOWN_CHARGERS: "perhaps" });
  expect(faulty).toThrow(ConfigError);
  expect(faulty).toThrow(
    "bad configuration: MESH_SECRET must have 32 to 1024 characters; CHARGER_OCPP_ADDRESS must be host:port; CHARGER_DATABASE_URL is required; NATS_URL is required; OCPP_UNKNOWN_CHARGERS must be one of reject, accept",
  );
});
