import { spawn } from "node:child_process";
import { join } from "node:path";
import { Client } from "pg";
import { afterEach, beforeEach, expect, test } from "vitest";
import { emptyDatabase, type FreshDatabase } from "../../test/servers.ts";

let database: FreshDatabase;
beforeEach(async () => {
  database = await emptyDatabase();
});
afterEach(() => database.drop());

/** Runs a program of email-service to its end. */
async function run(program: string, settings: Record<string, string>): Promise<{ code: number | null; output: string }> {
  const { PATH } = process.env;
  const child = spawn(process.execPath, [join(import.meta.dirname, "../src", program)], { env: { PATH, ...settings } });
  let output = "";
  child.stdout.on("data", (text) => {
    output += text;
  });
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, output })));
}

async function attempt(url: string, statement: string): Promise<string> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return client
    .query(statement)
    .then(
      () => "done",
      (err: unknown) => String(err),
    )
    .finally(() => client.end());
}

test("the owner makes the tables, twice if need be; the service may only use them", async () => {
  const settings = { MIGRATE_DATABASE_URL: database.ownerUrl, EMAIL_DATABASE_URL: database.emailUrl };
  expect(await run("migrate.ts", settings)).toMatchObject({ code: 0, output: expect.stringContaining('"0001-initial"') });
  expect(await run("migrate.ts", settings)).toEqual({ code: 0, output: "" });
  expect(await attempt(database.emailUrl, "select * from email.message, email.recipient")).toBe("done");
  expect(await attempt(database.emailUrl, "create table email.mine (id text)")).toContain("permission denied");
  expect(await attempt(database.emailUrl, "drop table email.message")).toContain("must be owner");
  expect(await attempt(database.chargerUrl, "select * from email.message")).toContain("permission denied");
});

test("what is wrong with the settings is said at once", async () => {
  expect(await run("migrate.ts", {})).toEqual({
    code: 1,
    output: expect.stringMatching(/EMAIL_DATABASE_URL is required; MIGRATE_DATABASE_URL is required/),
  });
  expect(await run("main.ts", { EMAIL_GRPC_ADDRESS: "nowhere", EMAIL_DATABASE_POOL: "0" })).toEqual({
    code: 1,
    output: expect.stringMatching(
      /EMAIL_GRPC_ADDRESS must be host:port; MESH_SECRET .*; EMAIL_DATABASE_URL is required; EMAIL_DATABASE_POOL must be an integer in 2\.\.100; NATS_URL is required/,
    ),
  });
});
