// Writes docs/openapi.json: the REST API as OpenAPI 3.1, as the gateway serves it at /openapi.json.

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { protoDirs } from "@chargemesh/contracts/proto-dirs";
import { openApiDocument } from "gateway/src/plugins/docs/document.ts";

const page = fileURLToPath(new URL("../docs/openapi.json", import.meta.url));

writeFileSync(page, `${JSON.stringify(openApiDocument(protoDirs.slice(0, 1), true), null, 2)}\n`);
