import { keepJournal, streamOf } from "@chargemesh/kit/event-streams";
import { runOutbox } from "@chargemesh/kit/outbox";
import { openPostgres } from "@chargemesh/kit/postgres";
import { type Database, SCHEMA } from "charger-service/src/db/schema.ts";
import { databaseUrl, log, nats, stack } from "./place.ts";

// A replica of charger-service, as far as it publishes.

keepJournal(nats, "charger-service", stack, log);
const db = openPostgres<Database>(databaseUrl, SCHEMA, 3, stack, log);
runOutbox(db, nats, [streamOf("chargemesh.charger.v1")], "charger-service", stack, log);
