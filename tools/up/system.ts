import { setTimeout as sleep } from "node:timers/promises";
import { StartError } from "../servers/start-error.ts";
import type { Task } from "./task.ts";

/** What runs: servers (Postgres, NATS), and services that need them. */
export type System = {
  addServer<T extends Task>(task: T): T;
  addService(task: Task): void;
  /** Rejects with StartError once something has ended for good. */
  readonly lost: Promise<never>;
  /** From now on what ends is started again. */
  keepAlive(): void;
  isEmpty(): boolean;
  /** Ends the services, the newest first, and then the servers. Nothing is left after 10 s. */
  stop(): Promise<void>;
};

/** A service that has not ended by then is killed, in ms. */
const SERVICES_MS = 6_000;
const SERVERS_MS = 3_000;
/** The next service is asked to end when the one before has ended, or after this, in ms. */
const TURN_MS = 1_000;

export function makeSystem(): System {
  const servers: Task[] = [];
  const services: Task[] = [];
  const { promise: lost, reject } = Promise.withResolvers<never>();
  // It may be lost while nobody is looking.
  lost.catch(() => undefined);
  const watch = (task: Task): void => {
    task.lost.then((why) => reject(new StartError(`${why}.`)), reject);
  };
  return {
    addServer(task) {
      servers.push(task);
      watch(task);
      return task;
    },
    addService(task) {
      services.push(task);
      watch(task);
    },
    lost,
    keepAlive() {
      for (const task of [...servers, ...services]) task.keepAlive();
    },
    isEmpty: () => servers.length + services.length === 0,
    async stop() {
      const end = Date.now() + SERVICES_MS;
      const stops: Promise<void>[] = [];
      for (const task of services.toReversed()) {
        const stop = task.stop(end - Date.now());
        stops.push(stop);
        await Promise.race([stop, sleep(TURN_MS, undefined, { ref: false })]);
      }
      await Promise.all(stops);
      await Promise.all(servers.map((task) => task.stop(SERVERS_MS)));
    },
  };
}
