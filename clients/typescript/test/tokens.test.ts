import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ADMIN, type Env, startEnv } from "../../../test/env.ts";
import { eventually } from "../../../test/rest.ts";
import { chargemesh, passwordTokens, restTransport } from "../dist/src/index.js";
import { transports } from "./transports.ts";

let env: Env;
beforeAll(async () => {
  env = await startEnv({ ACCESS_TOKEN_SECONDS: "4" });
});
afterAll(() => env.stop());

/** Over REST, with a note of each path that is called. */
function noting(paths: string[]) {
  return restTransport(env.rest, {
    fetch: (input, init) => {
      paths.push(new URL(String(input)).pathname);
      return fetch(input, init);
    },
  });
}

describe.each(transports)("over %s", (_name, transportTo) => {
  test("a hook is told which token was refused, and asked once more", async () => {
    const transport = transportTo(env);
    const signedIn = await chargemesh(transport).users.logIn(ADMIN);
    const asked: (string | undefined)[] = [];
    const client = chargemesh(transport, async (stale) => {
      asked.push(stale);
      return stale === undefined ? "abc.def.ghi" : (signedIn.user?.accessToken ?? "");
    });
    expect((await client.users.getMe({})).user?.username).toBe("admin");
    expect(asked).toEqual([undefined, "abc.def.ghi"]);
  });

  test("a hook that has no better token is not asked for ever", async () => {
    let asked = 0;
    const client = chargemesh(transportTo(env), async () => `abc.def.${++asked}`);
    await expect(client.users.getMe({})).rejects.toMatchObject({ code: "UNAUTHENTICATED", reason: "TOKEN_INVALID" });
    expect(asked).toBe(2);
  });
});

test("calls that start together share one sign-in, and public ones need none", async () => {
  const paths: string[] = [];
  const transport = noting(paths);
  const client = chargemesh(transport, passwordTokens(transport, ADMIN));
  await client.signingKeys.listSigningKeys({});
  await Promise.all([client.users.getMe({}), client.chargers.listChargers({}), client.users.getMe({})]);
  expect(paths.filter((path) => path === "/auth/login")).toHaveLength(1);
  expect(paths[0]).toBe("/auth/jwks.json");
});

test("a token is refreshed before it ends, and the password is not sent again", async () => {
  const paths: string[] = [];
  const transport = noting(paths);
  const client = chargemesh(transport, passwordTokens(transport, ADMIN));
  // The token lives four seconds, and counts as fresh for two of them.
  await eventually(async () => {
    expect((await client.users.getMe({})).user?.username).toBe("admin");
    return paths.includes("/auth/refresh");
  });
  expect(paths.filter((path) => path.startsWith("/auth/") && path !== "/auth/me")).toEqual(["/auth/login", "/auth/refresh"]);
});

test("a session that was ended elsewhere is opened again", async () => {
  const transport = restTransport(env.rest);
  let refreshToken = "";
  const spying = restTransport(env.rest, {
    fetch: async (input, init) => {
      const response = await fetch(input, init);
      if (String(input).endsWith("/auth/login")) refreshToken = (await response.clone().json()).refreshToken;
      return response;
    },
  });
  const tokens = passwordTokens(spying, ADMIN);
  const first = await tokens();
  await chargemesh(transport).users.logOut({ refreshToken });
  const second = await tokens(first);
  expect(second).not.toBe(first);
  expect((await chargemesh(transport, async () => second).users.getMe({})).user?.username).toBe("admin");
});

test("a wrong password is told, at every call anew", async () => {
  const transport = restTransport(env.rest);
  const client = chargemesh(transport, passwordTokens(transport, { username: "admin", password: "not the one" }));
  for (const call of [client.users.getMe({}), client.chargers.listChargers({})]) {
    await expect(call).rejects.toMatchObject({ code: "UNAUTHENTICATED", reason: "INVALID_CREDENTIALS" });
  }
});
