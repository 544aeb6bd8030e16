import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folders from which every `import` in our .proto files resolves: ours, and Google's from npm. */
export const protoDirs: readonly string[] = [
  join(import.meta.dirname, "../../../proto"),
  dirname(fileURLToPath(import.meta.resolve("google-proto-files/package.json"))),
];
