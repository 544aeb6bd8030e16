import { readConfig as readAuth } from "auth-service/src/config.ts";
import { readConfig as readCharger } from "charger-service/src/config.ts";
import { readConfig as readEmail } from "email-service/src/config.ts";
import { readConfig as readGateway } from "gateway/src/config.ts";
import { expect, test } from "vitest";

// Safe as it starts: with nothing set but what must be.

const least = {
  DATABASE_URL: "postgres://127.0.0.1/chargemesh",
  NATS_URL: "nats://127.0.0.1:4222",
  MESH_SECRET: "s".repeat(40),
  AUTH_KEY_SECRET: "s".repeat(40),
  ADMIN_PASSWORD: "an administrator's password",
};
const auth = readAuth(least);
const charger = readCharger(least);
const email = readEmail(least);
const gateway = readGateway(least);

test("everything listens on loopback alone", () => {
  const addresses = [auth.grpcAddress, charger.grpcAddress, charger.ocppAddress, email.grpcAddress, gateway.address];
  expect(addresses.filter((address) => !/^127\.0\.0\.1:\d+$/.test(address))).toEqual([]);
});

test("chargers that nobody registered are refused, no page of another origin may call, and nobody speaks for others", () => {
  expect(charger.unknownChargers).toBe("reject");
  expect([gateway.corsOrigins, gateway.trustedProxies, gateway.forwardHeaders, gateway.returnHeaders]).toEqual([[], [], [], []]);
});

test("callers are limited, bodies are, and calls end", () => {
  expect(gateway.rateLimits.perToken).toBeGreaterThan(0);
  expect(gateway.rateLimits.perAddress).toBeGreaterThan(0);
  expect(gateway.bodyBytesMax).toBeLessThanOrEqual(1_048_576);
  expect(gateway.deadlineMs).toBeLessThanOrEqual(60_000);
});

test("a password costs at least what OWASP wants of argon2id, and access tokens live minutes", () => {
  expect(auth.argon2.memoryKib).toBeGreaterThanOrEqual(19_456);
  expect(auth.argon2.iterations).toBeGreaterThanOrEqual(2);
  expect(auth.accessTokenSeconds).toBeLessThanOrEqual(300);
});

test.each([
  ["no password for the administrator", { ADMIN_PASSWORD: "" }],
  ["a short password for the administrator", { ADMIN_PASSWORD: "fourteen chars" }],
  ["no secret for the keys", { AUTH_KEY_SECRET: "" }],
  ["a short secret for the keys", { AUTH_KEY_SECRET: "s".repeat(31) }],
  ["no secret between services", { MESH_SECRET: "" }],
  ["a short secret between services", { MESH_SECRET: "s".repeat(31) }],
])("there is no start with %s", (_what, fault) => {
  expect(() => readAuth({ ...least, ...fault })).toThrow(/^bad configuration: /);
});

test.each(["x-chargemesh-service", "X-Chargemesh-Forwarder", "x-tenant, x-chargemesh-anything"])(
  "no setting lets callers send what services prove themselves by: %s",
  (headers) => {
    expect(() => readGateway({ ...least, FORWARD_HEADERS: headers })).toThrow("FORWARD_HEADERS must be names of headers");
  },
);
