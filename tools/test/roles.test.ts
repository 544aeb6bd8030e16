import pg from "pg";
import { expect, onTestFinished, test } from "vitest";
import { emptyDatabase } from "../../test/servers.ts";

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

test("the owner makes tables; a service may use what it is given and nothing else", async () => {
  const database = await emptyDatabase();
  onTestFinished(database.drop);
  const owner = await connect(database.ownerUrl);
  const auth = await connect(database.authUrl);
  const email = await connect(database.emailUrl);
  await owner.query("create schema authentication; create table authentication.account (name text)");
  await owner.query(
    "grant usage on schema authentication to chargemesh_auth; grant select, insert on authentication.account to chargemesh_auth",
  );

  await auth.query("insert into authentication.account values ('ada')");
  expect((await auth.query("select name from authentication.account")).rows).toEqual([{ name: "ada" }]);
  await expect(auth.query("drop table authentication.account")).rejects.toThrow("must be owner of table account");
  await expect(auth.query("create schema mine")).rejects.toThrow("permission denied for database");
  await expect(auth.query("create table public.mine (name text)")).rejects.toThrow("permission denied for schema public");
  await expect(email.query("select name from authentication.account")).rejects.toThrow("permission denied for schema authentication");
});

test("two databases of two tests know nothing of each other", async () => {
  const [one, other] = await Promise.all([emptyDatabase(), emptyDatabase()]);
  onTestFinished(async () => {
    await Promise.all([one.drop(), other.drop()]);
  });
  await (await connect(one.ownerUrl)).query("create schema ocpp");
  const { rows } = await (await connect(other.ownerUrl)).query("select from pg_namespace where nspname = 'ocpp'");
  expect(rows).toEqual([]);
});
