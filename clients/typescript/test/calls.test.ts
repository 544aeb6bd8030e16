import { timestampDate } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ADMIN, type Env, startEnv } from "../../../test/env.ts";
import { Charger_Registration, Command_State } from "../dist/gen/chargemesh/charger/v1.js";
import { ApiError, type Chargemesh, chargemesh, passwordTokens } from "../dist/src/index.js";
import { transports } from "./transports.ts";

let env: Env;
beforeAll(async () => {
  env = await startEnv();
});
afterAll(() => env.stop());

/** What a call failed with. */
async function failureOf(call: Promise<unknown>): Promise<ApiError> {
  const thrown = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(thrown instanceof ApiError)) throw new Error("the call did not fail as calls do", { cause: thrown });
  return thrown;
}

describe.each(transports)("over %s", (name, transportTo) => {
  let admin: Chargemesh;
  beforeAll(() => {
    const transport = transportTo(env);
    admin = chargemesh(transport, passwordTokens(transport, ADMIN));
  });

  test("a charger is created, read, updated under its etag and deleted, whatever its id", async () => {
    const id = `${name}|a+b=c@d._-*`;
    const created = await admin.chargers.createCharger({
      charger: { id, displayName: "Höhe", registration: Charger_Registration.PENDING },
    });
    expect(created.charger?.password).toMatch(/^[!-~]{16,40}$/);

    const { charger } = await admin.chargers.getCharger({ id });
    expect(charger).toMatchObject({ id, displayName: "Höhe", registration: Charger_Registration.PENDING, connected: false });
    expect(charger).not.toHaveProperty("password", expect.anything());
    expect(charger?.createTime && Math.abs(timestampDate(charger.createTime).getTime() - Date.now())).toBeLessThan(60_000);

    const etag = charger?.etag ?? "";
    const update = { charger: { id, displayName: "", vendor: "nobody", etag }, updateMask: { paths: ["display_name"] } };
    const updated = await admin.chargers.updateCharger(update);
    expect(updated.charger).toMatchObject({ id, displayName: "", vendor: "" });
    expect(await failureOf(admin.chargers.updateCharger(update))).toMatchObject({ code: "ABORTED", reason: "ETAG_STALE" });

    await admin.chargers.deleteCharger({ id });
    const gone = await failureOf(admin.chargers.getCharger({ id }));
    expect(gone).toMatchObject({ code: "NOT_FOUND", reason: "CHARGER_NOT_FOUND", fieldViolations: [] });
    expect(gone.message).toContain(id);
  });

  test("lists are filtered and paged", async () => {
    const ids = ["1", "2", "3"].map((number) => `page-${name}-${number}`);
    for (const id of ids) await admin.chargers.createCharger({ charger: { id } });
    const seen: string[] = [];
    let pageToken = "";
    do {
      const page = await admin.chargers.listChargers({ pageSize: 2, pageToken, connected: false });
      expect(page.chargers.length).toBeLessThanOrEqual(2);
      seen.push(...page.chargers.map(({ id }) => id));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(seen).toEqual(expect.arrayContaining(ids));
    expect((await admin.chargers.listChargers({ connected: true })).chargers).toEqual([]);
  });

  test("what has no fields of its own, a Struct, arrives whole", async () => {
    const chargerId = `struct-${name}`;
    await admin.chargers.createCharger({ charger: { id: chargerId } });
    const payload = { key: "MeterValueSampleInterval", value: "60" };
    const { command } = await admin.commands.createCommand({ chargerId, action: "ChangeConfiguration", payload, ttlSeconds: 60 });
    expect(command).toMatchObject({ chargerId, action: "ChangeConfiguration", payload, state: Command_State.QUEUED });
    const read = await admin.commands.getCommand({ chargerId, id: command?.id ?? "" });
    expect(read.command).toEqual(command);
  });

  test("a failure names the fields at fault", async () => {
    const error = await failureOf(admin.users.signUp({ username: "a b", password: "short" }));
    expect(error).toMatchObject({ name: "ApiError", code: "INVALID_ARGUMENT", reason: "INVALID_FIELD" });
    expect(error.fieldViolations).toEqual([
      { field: "username", description: expect.stringContaining("must match") },
      { field: "password", description: expect.any(String) },
    ]);
  });

  test("without a token, and with that of a driver, it is refused", async () => {
    const anybody = chargemesh(transportTo(env));
    const listed = anybody.chargers.listChargers({});
    expect(await failureOf(listed)).toMatchObject({ code: "UNAUTHENTICATED", reason: "TOKEN_MISSING" });
    const credentials = { username: `driver-${name}@example.com`, password: "correct horse battery staple" };
    await anybody.users.signUp(credentials);
    const driver = chargemesh(transportTo(env), passwordTokens(transportTo(env), credentials));
    const created = driver.chargers.createCharger({ charger: { id: "of-a-driver" } });
    expect(await failureOf(created)).toMatchObject({ code: "PERMISSION_DENIED", reason: "ACCESS_DENIED" });
    expect((await driver.users.getMe({})).user?.username).toBe(credentials.username);
  });

  test("every service is there", async () => {
    expect((await chargemesh(transportTo(env)).signingKeys.listSigningKeys({})).keys.length).toBeGreaterThan(0);
    expect((await admin.messages.listMessages({ to: "nobody@example.com" })).messages).toEqual([]);
    expect((await admin.transactions.listTransactions({})).transactions).toEqual([]);
    const { idToken } = await admin.idTokens.createIdToken({ idToken: { idToken: `tag-${name}` } });
    expect((await admin.idTokens.listIdTokens({})).idTokens).toContainEqual(idToken);
    expect((await admin.connections.listConnections({})).connections).toEqual([]);
    const check = await failureOf(admin.connections.checkConnection({ chargerId: "a" }));
    expect(check.code).toBe(name === "REST" ? "UNIMPLEMENTED" : "PERMISSION_DENIED");
  });

  test("a field of the path that a URL cannot hold is no call", async () => {
    if (name !== "REST") return;
    for (const id of ["", ".", ".."]) expect((await failureOf(admin.chargers.getCharger({ id }))).code).toBe("INVALID_ARGUMENT");
  });
});
