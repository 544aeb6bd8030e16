import { randomUUID } from "node:crypto";
import type { Logger } from "@chargemesh/kit/log";
import { type CallError, callFrame, type Result } from "@chargemesh/ocpp/frame";
import type { Wheel } from "./wheel.ts";

/** How a charger answered a CALL of ours. */
export type Outcome =
  | { kind: "result"; payload: unknown }
  | { kind: "error"; code: string; description: string }
  | { kind: "timedOut" }
  | { kind: "lost" };

/** Our CALLs on one connection, one at a time (OCPP-J 1.6 §4.1.1). */
export interface Outgoing {
  /** Runs `task` when it is the turn of its CALL. False if too many wait. */
  inTurn(task: () => Promise<void>): boolean;
  /** Sends a CALL and waits for the answer. Only from a task of `inTurn`. */
  call(action: string, payload: object): Promise<Outcome>;
  /** Takes an answer of the charger; one that nobody waits for is logged. */
  answered(frame: Result | CallError): void;
  /** The connection has ended: nothing will be answered any more. */
  lost(): void;
}

/** Commands that wait their turn. Past this we refuse rather than remember. */
const CALLS_WAITING_MAX = 16;

export function makeOutgoing(send: (text: string) => void, callSeconds: number, wheel: Wheel, log: Logger): Outgoing {
  let pending: { id: string; settle(outcome: Outcome): void } | undefined;
  let isLost = false;
  let turns: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return {
    inTurn(task) {
      if (waiting >= CALLS_WAITING_MAX) return false;
      waiting++;
      turns = turns
        .then(task)
        .catch((err: unknown) => log.error({ err }, "a command failed"))
        .finally(() => waiting--);
      return true;
    },
    call(action, payload) {
      if (isLost) return Promise.resolve({ kind: "lost" });
      return new Promise((resolve) => {
        const id = randomUUID();
        const giveUp = wheel.in(callSeconds, () => pending?.settle({ kind: "timedOut" }));
        const settle = (outcome: Outcome): void => {
          giveUp();
          pending = undefined;
          resolve(outcome);
        };
        pending = { id, settle };
        send(callFrame(id, action, payload));
      });
    },
    answered(frame) {
      if (pending?.id !== frame.id) log.warn({ messageId: frame.id }, "an answer that nobody waits for");
      else if (frame.kind === "error") pending.settle({ kind: "error", code: frame.code, description: frame.description });
      else pending.settle({ kind: "result", payload: frame.payload });
    },
    lost() {
      isLost = true;
      pending?.settle({ kind: "lost" });
    },
  };
}
