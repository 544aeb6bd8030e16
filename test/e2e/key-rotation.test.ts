import { afterAll, beforeAll, expect, test } from "vitest";
import { ADMIN, type Env, startEnv } from "../env.ts";
import { eventually, type Rest, restOf } from "../rest.ts";

// Under load, and with everything at its shortest, so that keys come and go within the test: services keep keys for a second, so a new one
// signs two seconds after it was made, and an old one goes four seconds and a token's life after that.

let env: Env;
const CALLERS = 6;
const ROTATIONS = 2;

beforeAll(async () => {
  env = await startEnv({ SIGNING_KEY_CACHE_SECONDS: "1", ACCESS_TOKEN_SECONDS: "4", RATE_LIMIT_PER_ADDRESS: "0" });
});
afterAll(() => env?.stop());

const kidOf = (token: string): string => JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()).kid;
const published = async (): Promise<string[]> =>
  (await restOf(env.rest)("GET", "/auth/jwks.json")).body.keys.map(({ kid }: { kid: string }) => kid);

/** What somebody's calls came to: how many, which failed, which keys signed their tokens. */
interface Tally {
  calls: number;
  failures: string[];
  kids: Set<string>;
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
    tally.kids.add(kidOf(accessToken));
    const me = restOf(env.rest, accessToken);
    for (let i = 0; i < 4; i++) {
      for (const path of ["/auth/me", "/ocpp/chargers", "/email/messages"]) await count(me, "GET", path);
    }
    user = await count(restOf(env.rest), "POST", "/auth/refresh", { refreshToken });
  }
}

test("signing keys rotate under load, and no request fails", async () => {
  const tally: Tally = { calls: 0, failures: [], kids: new Set() };
  let isOver = false;
  const callers = Array.from({ length: CALLERS }, () => callOn(tally, () => isOver));
  const [first = ""] = await published();
  const made = [first];
  for (let i = 0; i < ROTATIONS; i++) {
    const { accessToken } = (await restOf(env.rest)("POST", "/auth/login", ADMIN)).body;
    const rotate = restOf(env.rest, accessToken);
    const { body: next } = await rotate("POST", "/auth/signingKeys:rotate", {});
    // Who asks again while one is on its way gets that one.
    expect((await rotate("POST", "/auth/signingKeys:rotate", {})).body).toEqual(next);
    made.push(next.kid);
    expect(await published()).toContain(next.kid);
    expect(tally.kids).not.toContain(next.kid);
    await eventually(async () => tally.kids.has(next.kid));
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(next.activateTime));
  }
  isOver = true;
  await Promise.all(callers);
  expect(tally.failures).toEqual([]);
  expect(tally.calls).toBeGreaterThan(300);
  expect([...tally.kids].sort()).toEqual([...made].sort());
  await eventually(async () => !(await published()).includes(first));
}, 60_000);

test("only administrators rotate keys", async () => {
  const { body } = await restOf(env.rest)("POST", "/auth/signup", { username: "ada", password: "correct horse battery staple" });
  expect((await restOf(env.rest, body.accessToken)("POST", "/auth/signingKeys:rotate", {})).status).toBe(403);
  expect((await restOf(env.rest)("POST", "/auth/signingKeys:rotate", {})).status).toBe(401);
});
