import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["**/test/**/*.test.ts"],
    globalSetup: ["test/global-setup.ts"],
    // Tests end what they started by signals, which worker threads cannot have.
    pool: "forks",
    // A process of its own would cost a file more than its tests do: several hundred modules, read and not yet optimised. So files share the
    // modules of their worker, but nothing else: each has its own database and NATS, and modules keep nothing that a test can change.
    isolate: false,
    // They wait as much as they compute, so two cores are busy with four of them.
    maxWorkers: Math.max(4, Math.min(6, 2 * availableParallelism())),
    // Starting all services in one process takes a while on two busy cores, in ms.
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
