import { runOnce } from "@chargemesh/kit/main";
import { migrate, readMigrateConfig } from "@chargemesh/kit/migrate";
import { migrations } from "./db/migrations.ts";
import { SCHEMA } from "./db/schema.ts";

runOnce(
  "email-service",
  (vars) => readMigrateConfig(vars, "EMAIL_DATABASE_URL"),
  ({ ownerUrl, role }, log) => migrate(ownerUrl, SCHEMA, migrations, role, log),
);
