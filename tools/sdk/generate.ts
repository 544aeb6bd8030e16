import { rmSync } from "node:fs";
import { join } from "node:path";
import { missingGo, missingPython, must, pythonEnv, ROOT } from "./toolchains.ts";

/** A language that buf makes an SDK in, under clients/. */
export interface Sdk {
  /** Why it cannot be made here; undefined if it can. */
  missing(): Promise<string | undefined>;
  /** Writes what is generated, and builds it as far as the language wants. */
  generate(): Promise<void>;
}

export const sdks = {
  typescript: {
    missing: async () => undefined,
    async generate() {
      await buf("typescript");
      rmSync(join(ROOT, "clients/typescript/dist"), { recursive: true, force: true });
      await must("tsc", ["-p", "clients/typescript"]);
    },
  },
  go: {
    missing: missingGo,
    async generate() {
      await buf("go");
      await must("go", ["-C", "clients/go", "build", "./gen/..."]);
    },
  },
  python: {
    missing: missingPython,
    generate: async () => buf("python", await pythonEnv()),
  },
} satisfies Record<string, Sdk>;

async function buf(language: string, env?: NodeJS.ProcessEnv): Promise<void> {
  await must("buf", ["generate", "--template", `clients/${language}/buf.gen.yaml`], env);
}
