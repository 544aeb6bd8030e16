import { runOnce } from "@chargemesh/kit/main";
import { migrate, readMigrateConfig } from "@chargemesh/kit/migrate";
import { migrations } from "./db/migrations.ts";
import { SCHEMA } from "./db/schema.ts";

runOnce(
  "charger-service",
  (vars) => readMigrateConfig(vars, "CHARGER_DATABASE_URL"),
  ({ ownerUrl, role }, log) => migrate(ownerUrl, SCHEMA, migrations, role, log),
);
