import type { Random } from "../random.ts";
import { type Replica, startReplica } from "../replica.ts";
import type { Site } from "../site.ts";

/** The replicas of a site: the test's own, which stays, and others in processes that are killed. */
export interface Servers {
  /** Where one of them lets chargers in. */
  pick(random: Random): { ocppAddress: string };
  /** Kills one with SIGKILL. A new one comes in its place, if there is to be one. */
  kill(random: Random, replace: boolean): Promise<void>;
  stop(): Promise<void>;
}

export async function startServers(site: Site, count: number): Promise<Servers> {
  const replicas: Replica[] = await Promise.all(Array.from({ length: count }, () => startReplica(site.place)));
  return {
    pick: (random) => random.pick([site.service, ...replicas]),
    async kill(random, replace) {
      const victim = random.pick(replicas);
      replicas.splice(replicas.indexOf(victim), 1);
      victim.process.kill("SIGKILL");
      await victim.process.exited;
      if (replace) replicas.push(await startReplica(site.place));
    },
    async stop() {
      await Promise.all(
        replicas.map(({ process }) => {
          process.kill("SIGKILL");
          return process.exited;
        }),
      );
    },
  };
}
