import { readEnv } from "@chargemesh/kit/config";
import { makeLogger } from "@chargemesh/kit/log";
import { Stack } from "@chargemesh/kit/main";
import { type Nats, openNats } from "@chargemesh/kit/nats";
import { readNatsConfig } from "@chargemesh/kit/nats-access";
import { Pool } from "pg";

// What the programs of this folder begin with. None of them ends by itself: they are killed.

const env = readEnv(process.env);
export const databaseUrl = env.string("CHARGER_DATABASE_URL");
export const log = makeLogger("chaos", "warn");
export const stack = new Stack();

/** NATS, as charger-service sees it. */
export const nats: Nats = openNats(readNatsConfig(env, "CHARGER_NATS_URL"), "charger-service", stack, log);

/** Where consumers keep what they did. */
export const books = new Pool({ connectionString: env.string("BOOKS_URL"), max: 4, options: "-c search_path=chaos" });
books.on("error", () => undefined);
