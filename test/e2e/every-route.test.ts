import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { protoDirs } from "@chargemesh/contracts/proto-dirs";
import { routesOf } from "@chargemesh/transcoder";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ADMIN, type Env, startEnv } from "../env.ts";
import { type Answer, type Rest, restOf, signIn } from "../rest.ts";

// What holds for every REST route, whichever it is: a route that is added is tested here without a line of its own.

const [ours = ""] = protoDirs;
const routes = routesOf([ours]).map((line) => {
  const [, method = "", template = "", rpc = "", stream] = /^(\S+) (\S+) -> (\S+)( \(stream\))?$/.exec(line) ?? [];
  return { method, rpc, isStream: stream !== undefined, path: template.replace(/\{[^}]+\}/g, "00000000-0000-4000-8000-000000000000") };
});
const protos = readdirSync(ours, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith("_service.proto"))
  .map((name) => readFileSync(join(ours, name), "utf8"))
  .join("\n");
const accessOf = (rpc: string): string => new RegExp(`rpc ${rpc.split("/")[1]}\\([\\s\\S]*?level: ([A-Z]+)`).exec(protos)?.[1] ?? "";

let env: Env;
let admin: Rest;
let anybody: Rest;
let driver: Rest;
beforeAll(async () => {
  env = await startEnv();
  anybody = restOf(env.rest);
  admin = await signIn(env.rest, ADMIN);
  const { body } = await anybody("POST", "/auth/signup", { username: "driver", password: "correct horse battery staple" });
  driver = restOf(env.rest, body.accessToken);
});
afterAll(() => env.stop());

/** But for the form that mail programs send. */
const takesJson = ({ method, rpc }: (typeof routes)[number]): boolean => /^(POST|PATCH)$/.test(method) && !rpc.endsWith("/Unsubscribe");
const reasonOf = ({ body }: Answer): string => body.error.details[0].reason;
const fieldsOf = ({ body }: Answer): string[] => body.error.details[1].fieldViolations.map(({ field }: { field: string }) => field);

test("the surface is what a reviewer expects of the protos", () => {
  expect(routes.length).toBeGreaterThan(30);
  expect(routesOf([ours])).toMatchSnapshot();
});

describe.each(routes)("$method $path", (route) => {
  const { method, path, rpc, isStream } = route;
  test("a field that nobody knows is named", async () => {
    const answer = takesJson(route) ? await admin(method, path, { bogus: 1 }) : await admin(method, `${path}?bogus=1`);
    expect([answer.status, reasonOf(answer), fieldsOf(answer)]).toEqual([400, "UNKNOWN_FIELD", ["bogus"]]);
  });

  test("without a token it is for the public or nobody", async () => {
    if (accessOf(rpc) === "PUBLIC") return;
    const answer = await anybody(method, path, takesJson(route) ? {} : undefined);
    expect([answer.status, reasonOf(answer)]).toEqual([401, "TOKEN_MISSING"]);
  });

  test("a driver gets what is for drivers and nothing else", async () => {
    if (isStream || !["OPERATOR", "ADMIN"].includes(accessOf(rpc))) return;
    const answer = await driver(method, path, takesJson(route) ? {} : undefined);
    expect([answer.status, reasonOf(answer)]).toEqual([403, "ACCESS_DENIED"]);
  });
});

test.each(routes.filter(takesJson))("$method $path: what is no JSON is said to be none", async ({ method, path }) => {
  const answer = await admin(method, path, '{"half":');
  expect([answer.status, reasonOf(answer)]).toEqual([400, "MALFORMED_JSON"]);
});

test("every access rule of the contract was looked at", () => {
  expect(routes.filter(({ rpc }) => accessOf(rpc) === "")).toEqual([]);
});

test("a token that is none of ours is refused, and bad paging is named", async () => {
  const answer = await restOf(env.rest, "abc.def.ghi")("GET", "/auth/me");
  expect([answer.status, reasonOf(answer)]).toEqual([401, "TOKEN_INVALID"]);
  const page = await admin("GET", "/ocpp/chargers?pageToken=nonsense&pageSize=5");
  expect([page.status, fieldsOf(page)]).toEqual([400, ["pageToken"]]);
  const size = await admin("GET", "/ocpp/chargers?pageSize=-1");
  expect([size.status, fieldsOf(size)]).toEqual([400, ["pageSize"]]);
});

test("what is wrong inside a body is named as the caller wrote it", async () => {
  const charger = await admin("POST", "/ocpp/chargers", { id: "no spaces allowed", displayName: "x".repeat(101) });
  expect([charger.status, fieldsOf(charger)]).toEqual([400, ["id", "displayName"]]);
  const start = await admin("POST", "/ocpp/transactions", { waitSeconds: -1 });
  expect([start.status, fieldsOf(start)]).toEqual([400, ["chargerId", "waitSeconds"]]);
  const signUp = await anybody("POST", "/auth/signup", {});
  expect([signUp.status, fieldsOf(signUp)]).toEqual([400, ["username", "password"]]);
});

test("a body that is too large, or none of JSON, is refused", async () => {
  const large = await admin("POST", "/ocpp/chargers", { id: "x".repeat(1_100_000) });
  expect([large.status, reasonOf(large)]).toEqual([413, "BODY_TOO_LARGE"]);
  const response = await fetch(`${env.rest}/auth/login`, { method: "POST", body: "username=a", headers: { "content-type": "text/plain" } });
  expect(response.status).toBe(415);
});

test("health tells of the whole system and of each service", async () => {
  const all = await anybody("GET", "/health");
  expect([all.status, all.body.status, Object.keys(all.body.services)]).toEqual([200, "ok", ["auth", "ocpp", "email"]]);
  for (const name of ["auth", "ocpp", "email"]) {
    const one = await anybody("GET", `/${name}/health`);
    expect([one.status, one.body.status, one.body.dependencies.postgres]).toEqual([200, "ok", "ok"]);
  }
});

test("a request is followed by its id", async () => {
  const given = await fetch(`${env.rest}/health`, { headers: { "x-request-id": "a-request-of-mine" } });
  expect(given.headers.get("x-request-id")).toBe("a-request-of-mine");
  const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  for (const [traceparent, id] of [
    [`00-${trace}-00f067aa0ba902b7-01`, trace],
    [`01-${trace}-00f067aa0ba902b7-01-more`, trace],
    [`00-${trace}-00f067aa0ba902b7-01-more`, "its-own"],
    [`ff-${trace}-00f067aa0ba902b7-01`, "its-own"],
    [`00-${"0".repeat(32)}-00f067aa0ba902b7-01`, "its-own"],
    [`00-${trace.toUpperCase()}-00f067aa0ba902b7-01`, "its-own"],
  ] as const) {
    const traced = await fetch(`${env.rest}/health`, { headers: { traceparent, "x-request-id": "its-own" } });
    expect(traced.headers.get("x-request-id")).toBe(id);
  }
  const made = await fetch(`${env.rest}/health`, { headers: { "x-request-id": "not fit for a log" } });
  expect(made.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
});
