import { runOnce } from "@chargemesh/kit/main";
import { migrate, readMigrateConfig } from "@chargemesh/kit/migrate";
import { migrations } from "./db/migrations.ts";
import { SCHEMA } from "./db/schema.ts";

runOnce(
  "auth-service",
  (vars) => readMigrateConfig(vars, "AUTH_DATABASE_URL"),
  ({ ownerUrl, role }, log) => migrate(ownerUrl, SCHEMA, migrations, role, log),
);
