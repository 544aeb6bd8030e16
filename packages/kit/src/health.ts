import { HealthImplementation } from "grpc-health-check";
import type { Logger } from "./log.ts";
import type { Stack } from "./main.ts";

/** How often each dependency is looked at, in ms. */
const INTERVAL_MS = 1_000;
/** A dependency that has not answered by then is away, in ms. */
const TIMEOUT_MS = 3_000;

/** Something that a service needs. Without a required one it cannot serve; without another it does, degraded (decision 14). */
export interface Dependency {
  name: string;
  required: boolean;
  /** Resolves if it is there, rejects if not. */
  check(): Promise<unknown>;
}

/** What grpc.health.v1 tells. */
export interface Health {
  implementation: HealthImplementation;
  /** Says NOT_SERVING from now on, so that no more work is sent here. The first thing a stop does. */
  drain(): void;
}

/**
 * Watches dependencies and tells grpc.health.v1 about them: each under its own name, and under "" the service as a whole.
 * The services of ours are told too, under their full names.
 */
export async function watchHealth(
  dependencies: readonly Dependency[],
  services: readonly string[],
  stack: Stack,
  log: Logger,
): Promise<Health> {
  const health = new HealthImplementation({});
  const seen = new Map<string, boolean>();
  let draining = false;
  const tell = (serving: boolean): void => {
    for (const name of ["", ...services]) health.setStatus(name, serving && !draining ? "SERVING" : "NOT_SERVING");
  };
  const look = async (one: Dependency): Promise<boolean> => {
    const fault = await faultOf(one);
    const serving = fault === undefined;
    const before = seen.get(one.name);
    // At the start connections are still being made.
    if (before === undefined && !serving) log.info({ dependency: one.name }, "a dependency is not there yet");
    if (before === true && !serving) log.warn({ err: fault, dependency: one.name }, "a dependency is away");
    if (before === false && serving) log.info({ dependency: one.name }, "a dependency is there");
    seen.set(one.name, serving);
    health.setStatus(one.name, serving ? "SERVING" : "NOT_SERVING");
    return serving || !one.required;
  };
  const lookAtAll = async (): Promise<void> => tell((await Promise.all(dependencies.map(look))).every(Boolean));
  await lookAtAll();
  let idle = true;
  const timer = setInterval(() => {
    if (!idle) return;
    idle = false;
    void lookAtAll().finally(() => {
      idle = true;
    });
  }, INTERVAL_MS);
  stack.defer("health", () => clearInterval(timer));
  return {
    implementation: health,
    drain() {
      draining = true;
      tell(false);
    },
  };
}

async function faultOf(dependency: Dependency): Promise<unknown> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
  try {
    await Promise.race([dependency.check(), late.promise]);
    return undefined;
  } catch (err) {
    return err;
  } finally {
    clearTimeout(timer);
  }
}
