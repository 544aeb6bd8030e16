import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { StartError } from "../servers/start-error.ts";
import { givenDatabase } from "../up/servers.ts";
import { reachable, readAddresses, readSettings } from "../up/settings.ts";
import { freshFolder } from "./folder.ts";

test("the environment is stronger than .env, and what is empty is not set", () => {
  const folder = freshFolder();
  writeFileSync(
    join(folder, ".env"),
    'ADMIN_USERNAME=ada\nLOG_LEVEL=debug\nMAIL_FROM="Mesh <mesh@example.com>"\nSMTP_URL=\n# NATS_URL=nats://x\n',
  );
  const settings = readSettings(folder, { LOG_LEVEL: "warn", ADMIN_USERNAME: "", SMTP_URL: "" });
  expect(settings).toMatchObject({
    ADMIN_USERNAME: "ada",
    LOG_LEVEL: "warn",
    MAIL_FROM: "Mesh <mesh@example.com>",
    GATEWAY_ADDRESS: "127.0.0.1:3000",
  });
  expect(Object.keys(settings)).not.toContain("SMTP_URL");
  expect(Object.keys(settings)).not.toContain("NATS_URL");
});

test("a folder without .env has the defaults", () => {
  expect(readAddresses(readSettings(freshFolder(), {}))).toEqual([
    { setting: "GATEWAY_ADDRESS", host: "127.0.0.1", port: 3000 },
    { setting: "AUTH_GRPC_ADDRESS", host: "127.0.0.1", port: 3001 },
    { setting: "CHARGER_GRPC_ADDRESS", host: "127.0.0.1", port: 3002 },
    { setting: "CHARGER_OCPP_ADDRESS", host: "127.0.0.1", port: 3003 },
    { setting: "EMAIL_GRPC_ADDRESS", host: "127.0.0.1", port: 3004 },
  ]);
});

test("the port for TLS is there once it has a certificate", () => {
  const settings = readSettings(freshFolder(), { CHARGER_OCPP_TLS_CERT: "ocpp.crt" });
  expect(readAddresses(settings)).toContainEqual({ setting: "CHARGER_OCPP_TLS_ADDRESS", host: "127.0.0.1", port: 3443 });
  expect(reachable(settings, "CHARGER_OCPP_TLS_ADDRESS")).toBe("127.0.0.1:3443");
});

test.each([
  ["3000", 'GATEWAY_ADDRESS is "3000", and not a host and a port such as 127.0.0.1:3000.'],
  ["localhost:0", 'GATEWAY_ADDRESS is "localhost:0", and not a host and a port such as 127.0.0.1:3000.'],
  ["localhost:70000", 'GATEWAY_ADDRESS is "localhost:70000", and not a host and a port such as 127.0.0.1:3000.'],
  ["127.0.0.1:3001", "GATEWAY_ADDRESS and AUTH_GRPC_ADDRESS are both 127.0.0.1:3001: give each its own."],
])("GATEWAY_ADDRESS=%s is refused", (address, sentence) => {
  expect(() => readAddresses({ GATEWAY_ADDRESS: address })).toThrow(new StartError(sentence));
});

test.each([
  ["0.0.0.0:80", "127.0.0.1:80"],
  ["[::]:80", "127.0.0.1:80"],
  ["10.0.0.1:80", "10.0.0.1:80"],
  ["[::1]:80", "[::1]:80"],
])("what listens at %s is reached at %s", (address, expected) => {
  expect(reachable({ GATEWAY_ADDRESS: address }, "GATEWAY_ADDRESS")).toBe(expected);
});

test("a database of one's own is one URL for all, or one each; half of that is refused", () => {
  expect(givenDatabase({})).toBeUndefined();
  expect(givenDatabase({ DATABASE_URL: "postgres://all", EMAIL_DATABASE_URL: "postgres://email" })).toEqual({
    MIGRATE_DATABASE_URL: "postgres://all",
    AUTH_DATABASE_URL: "postgres://all",
    CHARGER_DATABASE_URL: "postgres://all",
    EMAIL_DATABASE_URL: "postgres://email",
  });
  expect(() => givenDatabase({ AUTH_DATABASE_URL: "postgres://a", EMAIL_DATABASE_URL: "postgres://e" })).toThrow(
    new StartError(
      "There is a database of your own but for MIGRATE_DATABASE_URL, CHARGER_DATABASE_URL: set those, or DATABASE_URL for all.",
    ),
  );
});
