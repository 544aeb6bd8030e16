import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["**/test/**/*.test.ts"],
    globalSetup: ["test/global-setup.ts"],
    // Tests end what they started by signals, which worker threads cannot have.
    pool: "forks",
    // They wait more than they compute, so one core less than there are, which is the default, is too few of two.
    maxWorkers: Math.max(2, Math.min(4, availableParallelism())),
    // Starting all services in one process takes a while on two busy cores, in ms.
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
