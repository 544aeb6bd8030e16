// Writes docs/events.md: every event there is, what it means, who may follow it and what is in it.

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readCatalogue } from "./events/catalogue.ts";
import { renderPage } from "./events/page.ts";

const page = fileURLToPath(new URL("../docs/events.md", import.meta.url));

writeFileSync(page, renderPage(readCatalogue()));
