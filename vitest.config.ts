import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["**/test/**/*.test.ts"],
    globalSetup: ["test/global-setup.ts"],
    // Tests end what they started by signals, which worker threads cannot have.
    pool: "forks",
    // Starting all services in one process takes a while on two busy cores, in ms.
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
