import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import type pg from "pg";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { movableClock } from "./clock.ts";
import { ADMIN, call, freshPlace, logIn, type Place, refusal, type Service, signUp, startService } from "./service.ts";
import { openTables } from "./tables.ts";

let place: Place;
let tables: pg.Client;

beforeAll(async () => {
  place = await freshPlace();
  tables = await openTables(place);
});
afterAll(async () => {
  await tables?.end();
  await place?.leave();
});

const getMe = ({ users }: Service, accessToken: string) => call(users, users.getMe, {}, accessToken);
const listKeys = async ({ signingKeys }: Service) => (await call(signingKeys, signingKeys.listSigningKeys, {})).keys;

/** Starts services, lets them be used, and stops them. */
async function using<T>(starting: Promise<Service>[], work: (...services: Service[]) => Promise<T>): Promise<T> {
  const services = await Promise.all(starting);
  try {
    return await work(...services);
  } finally {
    await Promise.all(services.map((service) => service.stop()));
  }
}
const one = async <T>(
  work: (service: Service) => Promise<T>,
  ...more: [vars?: Record<string, string>, clock?: ReturnType<typeof movableClock>]
) =>
  using([startService(place, ...more)], async (service) => {
    if (service === undefined) throw new Error("no service");
    return work(service);
  });

test("replicas that start at once make one key and one administrator", async () => {
  await using([startService(place), startService(place), startService(place)], async (...services) => {
    const [keys, ...others] = await Promise.all(services.map(listKeys));
    expect(keys).toHaveLength(1);
    expect(others).toEqual([keys, keys]);
    const { rows } = await tables.query(`select username from "user"`);
    expect(rows).toEqual([{ username: ADMIN.username }]);
    const [first, second] = services;
    if (first === undefined || second === undefined) throw new Error("no service");
    const { id, accessToken } = await logIn(first, ADMIN);
    expect((await getMe(second, accessToken)).user?.id).toBe(id);
  });
});

test("anybody can verify an access token with the published keys", async () => {
  await one(async (service) => {
    const { id, accessToken } = await signUp(service, "ada");
    const keys = await listKeys(service);
    const { payload, protectedHeader } = await jwtVerify(accessToken, createLocalJWKSet({ keys }), {
      issuer: "chargemesh",
      audience: "chargemesh",
      algorithms: ["ES256"],
    });
    expect(protectedHeader).toEqual({ alg: "ES256", typ: "JWT", kid: keys[0]?.kid });
    const now = Date.now() / 1000;
    expect(payload).toEqual({
      iss: "chargemesh",
      aud: "chargemesh",
      sub: id,
      username: "ada",
      role: "DRIVER",
      sid: expect.stringMatching(/^[0-9a-f-]{36}$/),
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      iat: expect.closeTo(now, -1),
      nbf: Number(payload.iat) - 30,
      exp: Number(payload.iat) + 300,
    });
    expect(keys).toEqual([
      { kty: "EC", kid: expect.any(String), use: "sig", alg: "ES256", crv: "P-256", x: expect.any(String), y: expect.any(String) },
    ]);
  });
});

test("tokens outlive the process that made them, and so does the administrator's password", async () => {
  const tokens = await one((service) => signUp(service, "bob"));
  await one(
    async (service) => {
      expect((await getMe(service, tokens.accessToken)).user?.id).toBe(tokens.id);
      const { users } = service;
      expect((await call(users, users.refreshTokens, { refreshToken: tokens.refreshToken })).user?.id).toBe(tokens.id);
      expect(await logIn(service, ADMIN)).toMatchObject({ role: "ADMIN" });
    },
    { ADMIN_PASSWORD: "another password from the settings" },
  );
});

test("an access token is refused when it has expired", async () => {
  const hourAgo = movableClock(-3_600_000);
  await one(
    async (service) => {
      const { accessToken, accessTokenExpireTime } = await signUp(service, "carol");
      expect(Number(accessTokenExpireTime)).toBeLessThan(Date.now());
      expect(await refusal(getMe(service, accessToken))).toEqual({ code: "UNAUTHENTICATED", reason: "TOKEN_EXPIRED", fields: [] });
      hourAgo.aheadMs = 0;
      const { accessToken: fresh } = await logIn(service, { username: "carol", password: "correct horse battery staple" });
      expect((await getMe(service, fresh)).user?.username).toBe("carol");
    },
    {},
    hourAgo,
  );
});

test("another AUTH_KEY_SECRET is a clear failure to start", async () => {
  const starting = startService(place, { AUTH_KEY_SECRET: "not what the keys were sealed with" });
  await expect(starting).rejects.toThrow(
    /^AUTH_KEY_SECRET does not open the signing key \S+, which was sealed with another one: set that one/,
  );
});

test("the private key cannot be read out of the table, nor put under another name", async () => {
  const { rows } = await tables.query<{ kid: string; private_key: Buffer }>("select kid, private_key from signing_key");
  const [key] = rows;
  if (key === undefined) throw new Error("no key");
  // In the clear it would hold the identifier of its curve.
  expect(key.private_key.includes(Buffer.from("06082a8648ce3d030107", "hex"))).toBe(false);
  await tables.query("begin");
  await tables.query("update signing_key set kid = 'another'");
  await tables.query("commit");
  await expect(startService(place)).rejects.toThrow("AUTH_KEY_SECRET does not open the signing key another");
  await tables.query("update signing_key set kid = $1", [key.kid]);
});

test("a younger key signs once it is active, and the older one is published until it expires", async () => {
  // Made by the service itself, on an empty table, and then put back beside the first.
  const { rows } = await tables.query<{ kid: string }>("select kid from signing_key");
  const old = rows[0]?.kid;
  await tables.query("create table parked as table signing_key");
  await tables.query("delete from signing_key");
  const young = await one(async (service) => (await listKeys(service))[0]?.kid);
  expect(young).not.toBe(old);
  await tables.query("insert into signing_key table parked");
  const signsWith = (aheadMs: number) =>
    one(
      async (service) => {
        const { accessToken } = await logIn(service, ADMIN);
        return { signer: decodeProtectedHeader(accessToken).kid, published: (await listKeys(service)).map(({ kid }) => kid) };
      },
      {},
      movableClock(aheadMs),
    );
  await tables.query("update signing_key set activate_time = now() + interval '10 minutes' where kid = $1", [young]);
  await tables.query("update signing_key set expire_time = now() + interval '20 minutes' where kid = $1", [old]);
  expect(await signsWith(0)).toEqual({ signer: old, published: [old, young] });
  expect(await signsWith(11 * 60_000)).toEqual({ signer: young, published: [old, young] });
  expect(await signsWith(21 * 60_000)).toEqual({ signer: young, published: [young] });
});

test("no administrator is made of a user who took the name", async () => {
  await tables.query(`update "user" set role = 'DRIVER'`);
  await expect(startService(place)).rejects.toThrow("ADMIN_USERNAME admin is a user who is none: set another name");
  await one(
    async (service) => {
      expect(await logIn(service, { username: "root", password: ADMIN.password })).toMatchObject({ role: "ADMIN" });
    },
    { ADMIN_USERNAME: "root" },
  );
});

test("a key that is old makes room for one new one on all replicas, which signs when all can know it; the old one goes after its last token", async () => {
  const elsewhere = await freshPlace();
  const clock = movableClock();
  const starting = Array.from({ length: 3 }, () => startService(elsewhere, { SIGNING_KEY_CACHE_SECONDS: "1" }, clock));
  await using(starting, async (...replicas) => {
    const publishedByAll = async () => Promise.all(replicas.map(async (one) => (await listKeys(one)).map(({ kid }) => kid)));
    const signers = async () =>
      Promise.all(replicas.map(async (one) => decodeProtectedHeader((await logIn(one, ADMIN)).accessToken).kid ?? ""));
    const [old = ""] = (await publishedByAll())[0] ?? [];
    expect(await signers()).toEqual([old, old, old]);
    const soon = { timeout: 20_000, interval: 50 };
    // Two seconds before its thirty days are over, which is when the next one must be there.
    clock.aheadMs = 30 * 86_400_000 - 2_000;
    const readings = vi.waitFor(async () => {
      const all = await publishedByAll();
      for (const kids of all) expect(kids).toEqual([old, expect.any(String)]);
      expect(new Set(all.map(String)).size).toBe(1);
      return all;
    }, soon);
    const young = (await readings)[0]?.[1] ?? "";
    await vi.waitFor(async () => expect(await signers()).toEqual([young, young, young]), soon);
    expect(await publishedByAll()).toEqual([1, 2, 3].map(() => [old, young]));
    clock.aheadMs += 300_000;
    await vi.waitFor(async () => expect(await publishedByAll()).toEqual([1, 2, 3].map(() => [young])), soon);
  });
  await elsewhere.leave();
});
