import { afterEach, beforeEach, expect, test } from "vitest";
import { readConfig } from "../src/config.ts";
import { DEMO_DRIVER_PASSWORD, DemoError, prepareDemo } from "../src/demo.ts";
import { Unreachable } from "../src/rest.ts";
import { type ScriptedRest, startRest } from "./scripted-rest.ts";

const ADMIN_PASSWORD = "a password for tests";
let rest: ScriptedRest;

beforeEach(async () => {
  rest = await startRest(ADMIN_PASSWORD);
});
afterEach(() => rest.close());

const configFor = (vars: Record<string, string> = {}) =>
  readConfig({ GATEWAY_URL: rest.url, ADMIN_PASSWORD, SIMULATOR_CHARGERS: "4", ...vars });
const bodiesOf = (method: string, path: string) =>
  rest.calls.filter((call) => call.method === method && call.path === path).map(({ body }) => body);

test("drivers, their id tokens and chargers are made, and one charger is not", async () => {
  const { chargers, tokens } = await prepareDemo(configFor());
  expect(chargers.map(({ id }) => id)).toEqual(["DEMO-01", "DEMO-02", "DEMO-03", "DEMO-04", "DEMO-GUEST"]);
  expect(chargers.at(-1)?.password).toBeUndefined();
  expect(bodiesOf("POST", "/ocpp/chargers").map(({ id, password }) => [id, password])).toEqual(
    chargers.slice(0, 4).map(({ id, password }) => [id, password]),
  );
  for (const { password } of chargers.slice(0, 4)) expect(password).toMatch(/^[!-~]{16,40}$/);
  expect(bodiesOf("POST", "/auth/signup")[0]).toEqual({ username: "anna@example.com", password: DEMO_DRIVER_PASSWORD });
  // Two, two, one and one connectors, and the one that is not registered.
  expect(tokens.length).toBe(7);
  for (const token of tokens) expect(token.length).toBeLessThanOrEqual(20);
  expect(bodiesOf("POST", "/ocpp/idTokens")[0]).toEqual({ idToken: "DEMO-ANNA-1", userId: "id of anna@example.com" });
});

test("a second time everything is found, and the chargers get new passwords", async () => {
  const first = await prepareDemo(configFor());
  rest.calls.length = 0;
  const { chargers, tokens } = await prepareDemo(configFor());
  expect(tokens).toEqual(first.tokens);
  expect(bodiesOf("POST", "/auth/login").map(({ username }) => username)).toContain("emil@example.com");
  expect(bodiesOf("PATCH", "/ocpp/idTokens/DEMO-ANNA-1")).toEqual([{ userId: "id of anna@example.com" }]);
  expect(bodiesOf("PATCH", "/ocpp/chargers/DEMO-01")).toEqual([{ password: chargers[0]?.password }]);
  expect(chargers[0]?.password).not.toBe(first.chargers[0]?.password);
});

test("a password that is not the administrator's is told as it is", async () => {
  const wrong = prepareDemo(configFor({ ADMIN_PASSWORD: "another password" }));
  await expect(wrong).rejects.toThrow(new DemoError("could not sign in as admin: HTTP 401: Wrong username or password."));
});

test.each([429, 500, 503])("%s is worth another try", async (status) => {
  rest.failure = status;
  await expect(prepareDemo(configFor())).rejects.toThrow(new Unreachable(`${rest.url}/auth/login answers ${status}`));
});

test("so is nobody who answers", async () => {
  await rest.close();
  await expect(prepareDemo(configFor())).rejects.toThrow(new Unreachable(`${rest.url}/auth/login does not answer`));
  rest = await startRest(ADMIN_PASSWORD);
});

test("every fault of the settings is named at once", () => {
  expect(() => readConfig({ GATEWAY_URL: "nonsense", SIMULATOR_SPEED: "0" })).toThrow(
    "bad configuration: ADMIN_PASSWORD is required; GATEWAY_URL must be a URL that begins with https?:; SIMULATOR_SPEED must be an integer in 1..3600",
  );
});
