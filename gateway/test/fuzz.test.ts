import { protoDirs } from "@chargemesh/contracts/proto-dirs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { requestsFor } from "../../packages/transcoder/test/fuzz/requests.ts";
import { faultOf, fuzz } from "../../packages/transcoder/test/fuzz/run.ts";
import { ADMIN, type Env, startEnv } from "../../test/env.ts";
import { restOf } from "../../test/rest.ts";

// The edge with everything that is behind it. A short run is part of every test run; `make fuzz-edge` goes on for a minute.

const SECONDS = Number(process.env.FUZZ_SECONDS ?? 3);
const SEED = Number(process.env.FUZZ_SEED ?? 1);

let env: Env;
beforeAll(async () => {
  // Nothing of it shall end at the first door.
  env = await startEnv({ RATE_LIMIT_PER_TOKEN: "0", RATE_LIMIT_PER_ADDRESS: "0" });
});
afterAll(() => env.stop());

test(
  `nothing that is sent for ${SECONDS} s makes the system fail, or the edge grow: seed ${SEED}`,
  async () => {
    const rest = restOf(env.rest);
    const tokenOf = async (path: string, body: object): Promise<string> => `Bearer ${(await rest("POST", path, body)).body.accessToken}`;
    const driver = { username: "driver@example.com", password: "a password that is long enough" };
    const authorizations = [await tokenOf("/auth/login", ADMIN), await tokenOf("/auth/signup", driver), "Bearer x.y.z", "Basic eDp5"];
    const admin = restOf(env.rest, authorizations[0]?.slice("Bearer ".length));
    await admin("POST", "/ocpp/chargers", { id: "CP-1" });
    await admin("POST", "/ocpp/idTokens", { idToken: "TAG-1" });
    const next = requestsFor(protoDirs.slice(0, 1), SEED, { ids: ["CP-1", "TAG-1", "admin", "1"], authorizations });
    const port = Number(new URL(env.rest).port);
    const { requests, statuses, grownMib } = await fuzz({ port, seconds: SECONDS, next, fault: faultOf, forget: () => undefined });
    const seen = JSON.stringify([...statuses]);
    expect(requests, seen).toBeGreaterThan(SECONDS * 20);
    for (const expected of [200, 400, 401, 404]) expect([...statuses.keys()], seen).toContain(expected);
    // All services and their databases live in this process, too.
    expect(grownMib, `after ${requests} requests`).toBeLessThan(30);
    expect((await rest("GET", "/health")).body.status).toBe("ok");
  },
  SECONDS * 1_000 + 60_000,
);
