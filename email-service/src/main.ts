import { runMain } from "@chargemesh/kit/main";
import { readConfig } from "./config.ts";
import { start } from "./start.ts";

runMain("email-service", readConfig, start);
