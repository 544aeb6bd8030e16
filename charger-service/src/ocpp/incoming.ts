import { AppError } from "@chargemesh/kit/errors";
import type { Logger } from "@chargemesh/kit/log";
import { withoutDatabase } from "@chargemesh/kit/postgres";
import { newRequestId, withRequestId } from "@chargemesh/kit/request-id";
import type { Call } from "@chargemesh/ocpp/frame";
import type { Relaxation } from "../db/schema.ts";
import type { Recorder } from "./frame-log.ts";

/** What a CALL is answered. */
export interface Answer {
  /** The CALLRESULT or CALLERROR. */
  text: string;
  /** Those that the CALL came in by; of one that is refused, those that would have let it in. */
  relaxations?: readonly Relaxation[] | undefined;
}

/** A CALL that has come. */
interface Taken {
  call: Call;
  /** The request that it is and, by performance.now, when it came. */
  traceId: string;
  since: number;
}

/** The charger's CALLs on one connection, answered in their order. */
export interface Incoming {
  /** `text` is the whole frame. */
  take(call: Call, text: string): void;
  /** Resolves when all that were taken are answered. */
  settled(): Promise<void>;
  /** The connection has ended: what is not answered yet will not be. */
  lost(): void;
}

export interface IncomingOptions {
  /** Answers a CALL. Throws if it cannot be processed. */
  answer(call: Call): Promise<Answer>;
  /** Sends the answer to a CALL of this action. */
  send(text: string, action: string): void;
  /** Keeps a frame that has just come or gone. */
  record: Recorder;
  /** A CALL could not be answered, because the database stays away. */
  giveUp(): void;
  /** Reads no more from the socket, for now. */
  pause(): void;
  resume(): void;
  log: Logger;
}

/** A charger needs one; a few more forgive what it cannot know. Past this we stop reading its socket. */
const CALLS_IN_HAND_MAX = 16;
/** While the database is away, a CALL is tried again for this long, in ms; chargers give up after some 30 s. */
const DATABASE_PATIENCE_MS = 20_000;
const DATABASE_RETRY_MS = 500;

export function makeIncoming(options: IncomingOptions): Incoming {
  const inHand: Taken[] = [];
  let isLost = false;
  let answering: Promise<void> = Promise.resolve();
  const answerAll = async (): Promise<void> => {
    for (let next = inHand[0]; next !== undefined; next = inHand[0]) {
      const { call, traceId, since } = next;
      const answer = await withRequestId(traceId, () => answerWithPatience(options, call, () => isLost));
      if (isLost) return;
      if (answer === undefined) return options.giveUp();
      const { text, relaxations } = answer;
      // What follows of the answer, too, such as questions after a boot, is part of that request.
      withRequestId(traceId, () => options.send(text, call.action));
      options.record({
        direction: "TO_CHARGER",
        text,
        messageId: call.id,
        action: call.action,
        traceId,
        latencyMs: performance.now() - since,
        relaxations,
      });
      inHand.shift();
      if (inHand.length === CALLS_IN_HAND_MAX - 1) options.resume();
    }
  };
  const stopAnswering = (err: unknown): void => {
    options.log.error({ err }, "a bug");
    options.giveUp();
  };
  return {
    take(call, text) {
      const traceId = newRequestId();
      options.record({ direction: "FROM_CHARGER", type: "CALL", text, messageId: call.id, action: call.action, traceId });
      if (isLost) return;
      inHand.push({ call, traceId, since: performance.now() });
      if (inHand.length === CALLS_IN_HAND_MAX) options.pause();
      if (inHand.length === 1) answering = answerAll().catch(stopAnswering);
    },
    settled: () => answering,
    lost() {
      isLost = true;
    },
  };
}

/**
 * The answer to a CALL. While the database is away it is tried again: an error would make the charger drop what it says
 * after a few tries (OCPP 1.6 §3.7.1), silence makes it keep it. Undefined if the database stays away.
 */
async function answerWithPatience({ answer, log }: IncomingOptions, call: Call, isLost: () => boolean): Promise<Answer | undefined> {
  const giveUpTime = performance.now() + DATABASE_PATIENCE_MS;
  for (;;) {
    try {
      return await answer(call);
    } catch (thrown) {
      const err = withoutDatabase(thrown);
      if (!(err instanceof AppError)) throw err;
      log.warn({ err, action: call.action }, "a message waits for the database");
      if (isLost() || performance.now() > giveUpTime) return undefined;
      await new Promise((resolve) => setTimeout(resolve, DATABASE_RETRY_MS));
    }
  }
}
