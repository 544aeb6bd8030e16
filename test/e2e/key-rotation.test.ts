import { afterAll, beforeAll, expect, test } from "vitest";
import { ADMIN, type Env, startEnv } from "../env.ts";
import { eventually, type Rest, restOf } from "../rest.ts";

// Under load, and as quick as it may be: services keep keys for two seconds, so a new one signs four seconds after it was made.

let env: Env;
const CALLERS = 6;
const ROTATIONS = 2;

beforeAll(async () => {
  env = await startEnv({ SIGNING_KEY_CACHE_SECONDS: "2", RATE_LIMIT_PER_TOKEN: "0", RATE_LIMIT_PER_ADDRESS: "0" });
});
afterAll(() => env?.stop());

const kidOf = (token: string): string => JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()).kid;
const published = async (): Promise<string[]> =>
  (await restOf(env.rest)("GET", "/auth/jwks.json")).body.keys.map(({ kid }: { kid: string }) => kid);

/** What somebody's calls came to: how many, which failed, and when each key was first seen to sign, in ms since 1970. */
interface Tally {
  calls: number;
  failures: string[];
  kids: Map<string, number>;
}

/** Signs in and calls every service, over and over, with new tokens before the old ones end, until told to stop. */
async function callOn(tally: Tally, isOver: () => boolean): Promise<void> {
  const count = async (who: Rest, method: string, path: string, body?: unknown) => {
    const answer = await who(method, path, body);
    tally.calls++;
    if (answer.status !== 200) tally.failures.push(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  let user = await count(restOf(env.rest), "POST", "/auth/login", ADMIN);
  while (!isOver()) {
    const { accessToken, refreshToken } = user;
    const kid = kidOf(accessToken);
    if (!tally.kids.has(kid)) tally.kids.set(kid, Date.now());
    const me = restOf(env.rest, accessToken);
    for (let i = 0; i < 4; i++) {
      for (const path of ["/auth/me", "/ocpp/chargers", "/email/messages"]) await count(me, "GET", path);
    }
    user = await count(restOf(env.rest), "POST", "/auth/refresh", { refreshToken });
  }
}

test("signing keys rotate under load, and no request fails", async () => {
  const tally: Tally = { calls: 0, failures: [], kids: new Map() };
  let isOver = false;
  const calling = Promise.all(Array.from({ length: CALLERS }, () => callOn(tally, () => isOver)));
  const { accessToken } = (await restOf(env.rest)("POST", "/auth/login", ADMIN)).body;
  const admin = restOf(env.rest, accessToken);
  const made = [{ kid: kidOf(accessToken), activateTime: new Date(0).toISOString() }];
  for (let i = 0; i < ROTATIONS; i++) {
    const { body: next } = await admin("POST", "/auth/signingKeys:rotate", {});
    made.push(next);
    expect(await published()).toEqual(expect.arrayContaining(made.map(({ kid }) => kid)));
    await eventually(async () => tally.kids.has(next.kid));
  }
  // Signed with the first key, and still good.
  expect((await admin("GET", "/ocpp/chargers")).status).toBe(200);
  await eventually(async () => tally.calls > 300);
  isOver = true;
  await calling;
  expect(tally.failures).toEqual([]);
  expect([...tally.kids.keys()].sort()).toEqual(made.map(({ kid }) => kid).sort());
  for (const { kid, activateTime } of made) expect(tally.kids.get(kid)).toBeGreaterThanOrEqual(Date.parse(activateTime));
}, 60_000);

test("who rotates while a key is on its way gets that one", async () => {
  const { accessToken } = (await restOf(env.rest)("POST", "/auth/login", ADMIN)).body;
  const admin = restOf(env.rest, accessToken);
  const [one, other] = await Promise.all([1, 2].map(() => admin("POST", "/auth/signingKeys:rotate", {})));
  expect(one?.status).toBe(200);
  expect(other?.body).toEqual(one?.body);
});

test("only administrators rotate keys", async () => {
  const { body } = await restOf(env.rest)("POST", "/auth/signup", { username: "ada", password: "correct horse battery staple" });
  expect((await restOf(env.rest, body.accessToken)("POST", "/auth/signingKeys:rotate", {})).status).toBe(403);
  expect((await restOf(env.rest)("POST", "/auth/signingKeys:rotate", {})).status).toBe(401);
});
