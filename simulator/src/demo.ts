import { randomBytes } from "node:crypto";
import type { Config } from "./config.ts";
import type { Member } from "./fleet.ts";
import { type ChargerModel, chargerModels } from "./models.ts";
import { type Answer, call } from "./rest.ts";

/**
 * What the drivers of the demo sign in with, so that whoever looks on can sign in as one of them. Nothing else may have it: they are made
 * by `make demo` alone, with the role of a driver, and own nothing but the id tokens below.
 */
export const DEMO_DRIVER_PASSWORD = "drive-the-demo-car";

/** The demo cannot be prepared, and trying again will not help. */
export class DemoError extends Error {}

export interface Demo {
  readonly chargers: readonly Member[];
  readonly tokens: readonly string[];
}

const DRIVERS = ["anna", "ben", "chloe", "deniz", "emil"];
const MODELS: readonly ChargerModel[] = [chargerModels.hub, chargerModels.post, chargerModels.fast, chargerModels.wallbox];
/** It relies on OCPP_UNKNOWN_CHARGERS=accept. */
const UNREGISTERED = "DEMO-GUEST";
/** How often chargers tell of their meters, in seconds of the clock: often enough to watch. */
const CONFIGURATION = { MeterValueSampleInterval: "5" };
const CALLS_AT_ONCE = 8;

/**
 * Prepares the data of the demo over REST: drivers, their id tokens, chargers with new passwords. What is there already is used again.
 * Throws Unreachable if the system does not answer, DemoError if it refuses.
 */
export async function prepareDemo({ gatewayUrl, ocppUrl, adminUsername, adminPassword, chargers: count }: Config): Promise<Demo> {
  const admin = await signIn(gatewayUrl, adminUsername, adminPassword);
  const users = await eachOf(DRIVERS, (name) => signUp(gatewayUrl, `${name}@example.com`));
  const chargers = Array.from({ length: count }, (_, i): Member & { password: string; model: ChargerModel } => ({
    url: ocppUrl,
    id: `DEMO-${String(i + 1).padStart(2, "0")}`,
    password: randomBytes(15).toString("base64url"),
    model: MODELS[i % MODELS.length] ?? chargerModels.wallbox,
    configuration: CONFIGURATION,
  }));
  // Enough for a vehicle on every connector.
  const connectors = chargers.reduce((sum, { model }) => sum + model.outlets.length, 1);
  const tokens = Array.from({ length: connectors }, (_, i) => ({
    idToken: `DEMO-${DRIVERS[i % DRIVERS.length]?.toUpperCase()}-${Math.floor(i / DRIVERS.length) + 1}`,
    userId: users[i % DRIVERS.length],
  }));
  // What somebody has changed since (a blocked token, a charger out of service) stays changed.
  await eachOf(tokens, ({ idToken, userId }) =>
    createOrUpdate(`${gatewayUrl}/ocpp/idTokens`, idToken, { idToken }, { userId }, admin.accessToken),
  );
  await eachOf(chargers, ({ id, password, model }) => {
    const displayName = `Demo: ${model.vendor} ${model.model}`;
    return createOrUpdate(`${gatewayUrl}/ocpp/chargers`, id, { id, displayName }, { password }, admin.accessToken);
  });
  const guest = { url: ocppUrl, id: UNREGISTERED, configuration: CONFIGURATION };
  return { chargers: [...chargers, guest], tokens: tokens.map(({ idToken }) => idToken) };
}

async function signIn(gatewayUrl: string, username: string, password: string): Promise<{ id: string; accessToken: string }> {
  const url = `${gatewayUrl}/auth/login`;
  return userOf(expectOk(`sign in as ${username}`, await call(url, "POST", { username, password })));
}

/** Answers the user's id. */
async function signUp(gatewayUrl: string, username: string): Promise<string> {
  const answer = await call(`${gatewayUrl}/auth/signup`, "POST", { username, password: DEMO_DRIVER_PASSWORD });
  if (answer.status === 409) return (await signIn(gatewayUrl, username, DEMO_DRIVER_PASSWORD)).id;
  return userOf(expectOk(`sign up ${username}`, answer)).id;
}

/** Creates `first` and `always`; if there is one, writes only the latter over it. */
async function createOrUpdate(url: string, id: string, first: object, always: object, accessToken: string): Promise<void> {
  const made = await call(url, "POST", { ...first, ...always }, accessToken);
  const answer = made.status === 409 ? await call(`${url}/${encodeURIComponent(id)}`, "PATCH", always, accessToken) : made;
  expectOk(`write ${url}/${id}`, answer);
}

function expectOk(what: string, answer: Answer): Answer {
  if (answer.status === 200) return answer;
  const { error } = answer.body;
  const why = typeof error === "object" && error !== null && "message" in error ? `: ${error.message}` : "";
  throw new DemoError(`could not ${what}: HTTP ${answer.status}${why}`);
}

function userOf({ body: { id, accessToken } }: Answer): { id: string; accessToken: string } {
  if (typeof id !== "string" || typeof accessToken !== "string") throw new DemoError("a sign-in was answered without id and accessToken");
  return { id, accessToken };
}

/** Like Promise.all, with only so many under way that nobody is crowded out. */
async function eachOf<T, R>(items: readonly T[], run: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let i = 0; i < items.length; i += CALLS_AT_ONCE) results.push(...(await Promise.all(items.slice(i, i + CALLS_AT_ONCE).map(run))));
  return results;
}
