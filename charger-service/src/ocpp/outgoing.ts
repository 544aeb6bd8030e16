import { randomUUID } from "node:crypto";
import type { Logger } from "@chargemesh/kit/log";
import { newRequestId, requestId } from "@chargemesh/kit/request-id";
import { type CallError, callFrame, type Result } from "@chargemesh/ocpp/frame";
import type { Recorder } from "./frame-log.ts";
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
  /** Sends a CALL and waits for the answer. Only from a task of `inTurn`. `secret` is what of it nobody is to read in the frame log. */
  call(action: string, payload: object, secret?: string): Promise<Outcome>;
  /** Takes an answer of the charger. False if nobody waits for it, which is logged. */
  answered(frame: Result | CallError, text: string): boolean;
  /** The connection has ended: nothing will be answered any more. */
  lost(): void;
}

/** Commands that wait their turn. Past this we refuse rather than remember. */
const CALLS_WAITING_MAX = 16;

export interface OutgoingOptions {
  send(text: string): void;
  /** How long a charger may take to answer a CALL. */
  callSeconds: number;
  /** Keeps a frame that has just come or gone. */
  record: Recorder;
  wheel: Wheel;
  log: Logger;
}

/** What the frame log says of a CALL of ours and of its answer alike. */
interface Sent {
  messageId: string;
  action: string;
  traceId: string;
  secret: string | undefined;
}

export function makeOutgoing({ send, callSeconds, record, wheel, log }: OutgoingOptions): Outgoing {
  let pending: { id: string; settle(outcome: Outcome): void } | undefined;
  // Also when it is pending no more: an answer may come late.
  let last: (Sent & { since: number }) | undefined;
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
    call(action, payload, secret) {
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
        const sent: Sent = { messageId: id, action, traceId: requestId() ?? newRequestId(), secret };
        last = { ...sent, since: performance.now() };
        const text = callFrame(id, action, payload);
        send(text);
        record({ direction: "TO_CHARGER", type: "CALL", text, ...sent });
      });
    },
    answered(frame, text) {
      const type = frame.kind === "error" ? "CALLERROR" : "CALLRESULT";
      const errorCode = frame.kind === "error" ? frame.code : undefined;
      if (last?.messageId === frame.id) {
        const { since, ...sent } = last;
        record({ direction: "FROM_CHARGER", type, text, errorCode, ...sent, latencyMs: performance.now() - since });
      } else {
        record({ direction: "FROM_CHARGER", type, text, errorCode, messageId: frame.id, traceId: newRequestId(), secret: last?.secret });
      }
      if (pending?.id !== frame.id) {
        log.warn({ messageId: frame.id }, "an answer that nobody waits for");
        return false;
      }
      if (frame.kind === "error") pending.settle({ kind: "error", code: frame.code, description: frame.description });
      else pending.settle({ kind: "result", payload: frame.payload });
      return true;
    },
    lost() {
      isLost = true;
      pending?.settle({ kind: "lost" });
    },
  };
}
