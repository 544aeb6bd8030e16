import { systemClock } from "@chargemesh/kit/clock";
import { makeLogger } from "@chargemesh/kit/log";
import { Stack } from "@chargemesh/kit/main";
import { openPostgres } from "@chargemesh/kit/postgres";
import { makeSealedTexts } from "@chargemesh/kit/sealed-text";
import { type Database, SCHEMA } from "../../src/db/schema.ts";
import { readNetworks } from "../../src/webhooks/address.ts";
import { runWebhooks } from "../../src/webhooks/run.ts";

// A process that does nothing but deliver to webhooks, so that a test can kill it: node deliverer.ts <database> <secret of the services>

const [databaseUrl = "", secret = ""] = process.argv.slice(2);
const log = makeLogger("deliverer", "silent");
const stack = new Stack();
const db = openPostgres<Database>(databaseUrl, SCHEMA, 2, stack, log);
const sealed = makeSealedTexts(secret, "webhooks");
const limits = { allowedNetworks: readNetworks("127.0.0.0/8"), timeoutMs: 20_000, drainMs: 20_000 };
runWebhooks({ db, clock: systemClock, sealed, ...limits }, stack, log);
