import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Env, startEnv } from "../../test/env.ts";
import { restOf } from "../../test/rest.ts";

// The page to which links in mails lead, and whose word for a caller's address counts.

const pageDir = join(import.meta.dirname, "../src/plugins/account/page");
let env: Env;
beforeAll(async () => {
  env = await startEnv({ TRUSTED_PROXIES: "127.0.0.1", AUTH_SIGN_UPS_PER_ADDRESS: "2" });
});
afterAll(() => env?.stop());

const policy = (headers: Headers): string => headers.get("content-security-policy") ?? "";

test("the page is served with everything that it names, and may run nothing else", async () => {
  const response = await fetch(`${env.rest}/account`);
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
  expect(policy(response.headers)).toContain("script-src 'self';");
  expect(policy(response.headers)).toContain("form-action 'none'");
  expect(response.headers.get("referrer-policy")).toBe("no-referrer");
  const html = await response.text();
  expect(html).not.toMatch(/<script(?! type="module" src="account\/main\.js"><)|<style| on\w+=|style=/);
  const named = [...html.matchAll(/(?:src|href)="(account\/[^"]+)"/g)].map(([, path]) => String(path));
  expect(named.map((path) => path.replace("account/", "")).sort()).toEqual(
    readdirSync(pageDir)
      .filter((name) => name !== "index.html")
      .sort(),
  );
  for (const path of named) {
    const file = await fetch(`${env.rest}/${path}`);
    expect([file.status, await file.text()]).toEqual([200, readFileSync(join(pageDir, path.replace("account/", "")), "utf8")]);
  }
});

test("what the page calls is there", async () => {
  const script = readFileSync(join(pageDir, "main.js"), "utf8");
  const paths = [...script.matchAll(/path: "([^"]+)"/g)].map(([, path]) => String(path));
  expect(paths).toHaveLength(2);
  for (const path of paths) {
    const { status, body } = await restOf(env.rest)("POST", `/${path}`, { token: "none", newPassword: "seven purple herons" });
    const reason = path.startsWith("auth/email") ? "UNKNOWN_FIELD" : "ONE_TIME_TOKEN_INVALID";
    expect([status, body.error.details[0].reason]).toEqual([400, reason]);
  }
});

test("a caller is counted at the address that a trusted proxy names", async () => {
  const signUp = async (username: string, forwardedFor?: string) => {
    const response = await fetch(`${env.rest}/auth/signup`, {
      method: "POST",
      headers: { "content-type": "application/json", ...(forwardedFor === undefined ? {} : { "x-forwarded-for": forwardedFor }) },
      body: JSON.stringify({ username, password: "seven purple herons" }),
    });
    return [response.status, Number(response.headers.get("retry-after")) > 3_000];
  };
  for (const name of ["ann", "ben"]) expect(await signUp(name, "203.0.113.9")).toEqual([200, false]);
  expect(await signUp("cat", "203.0.113.9")).toEqual([429, true]);
  // What the caller wrote in front of it is not the proxy's word.
  expect(await signUp("cat", "198.51.100.1, 203.0.113.9")).toEqual([429, true]);
  expect(await signUp("cat", "203.0.113.10")).toEqual([200, false]);
  expect(await signUp("dan")).toEqual([200, false]);
});
