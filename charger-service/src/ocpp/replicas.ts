import type { Logger } from "@chargemesh/kit/log";
import type { Stack } from "@chargemesh/kit/main";
import type { Nats } from "@chargemesh/kit/nats";
import { rest } from "@chargemesh/kit/rest";
import { ErrorCode, type Msg, NatsError } from "nats";

/** What one replica asks of the one that holds a charger's connection; with an epoch, of that connection and no other. */
export type Errand =
  | { kind: "run"; chargerId: string; epoch: number | undefined; commandId: string }
  | { kind: "disconnect"; chargerId: string; epoch?: number | undefined; reason: string };

/** The replicas of charger-service, as one of them reaches the others. */
export interface Replicas {
  /** Has `replicaId` do an errand, and waits for it. False if nobody is there, or it could not. */
  ask(replicaId: string, errand: Errand): Promise<boolean>;
  /** Has whichever replica can do an errand. Does not wait; without NATS only this one hears of it. */
  tellAll(errand: Errand): Promise<void>;
}

/** Longer than any command may take. */
const ANSWER_TIMEOUT_MS = 90_000;
/** How often we look whether there is a connection, in ms: until then nobody can reach the chargers that we hold. */
const LOOK_MS = 50;
const EVERYBODY = "chargemesh.charger.replicas";
const subjectOf = (replicaId: string): string => `chargemesh.charger.replica.${replicaId}`;

/**
 * Links this replica with the others over NATS. `run` does an errand here, and says whether it could.
 * Without NATS each replica still serves the chargers that it holds.
 */
export function linkReplicas(
  nats: Nats,
  replicaId: string,
  run: (errand: Errand) => Promise<boolean>,
  stack: Stack,
  log: Logger,
): Replicas {
  const stopping = new AbortController();
  const attempt = async (message: Msg): Promise<boolean> => run(message.json<Errand>());
  const answer = async (message: Msg): Promise<void> => {
    const done = await attempt(message).catch((err: unknown) => {
      log.error({ err }, "an errand failed");
      return false;
    });
    try {
      message.respond(JSON.stringify({ done }));
    } catch (err) {
      log.warn({ err }, "whoever sent us on an errand does not hear of its end");
    }
  };
  const listen = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        const connection = nats.connection();
        connection.subscribe(EVERYBODY, { callback: (err, message) => void (err === null && answer(message)) });
        // Survives reconnects by itself; ends when the connection is closed for good.
        for await (const message of connection.subscribe(subjectOf(replicaId))) void answer(message);
      } catch (err) {
        log.trace({ err }, "waiting for NATS");
      }
      await rest(LOOK_MS, stopping.signal);
    }
  };
  void listen();
  stack.defer("replica link", () => stopping.abort());
  return {
    async ask(other, errand) {
      if (other === replicaId) return run(errand);
      try {
        const reply = await nats.connection().request(subjectOf(other), JSON.stringify(errand), { timeout: ANSWER_TIMEOUT_MS });
        return reply.json<{ done: boolean }>().done;
      } catch (err) {
        if (err instanceof NatsError && err.code === ErrorCode.NoResponders) return false;
        throw err;
      }
    },
    async tellAll(errand) {
      if (await run(errand)) return;
      try {
        nats.connection().publish(EVERYBODY, JSON.stringify(errand));
      } catch (err) {
        log.warn({ err, errand }, "other replicas could not be told");
      }
    },
  };
}
