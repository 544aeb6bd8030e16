import { randomUUID } from "node:crypto";
import { AppError } from "@chargemesh/kit/errors";
import type { Logger } from "@chargemesh/kit/log";
import { withoutDatabase } from "@chargemesh/kit/postgres";
import { withRequestId } from "@chargemesh/kit/request-id";
import type { Call } from "@chargemesh/ocpp/frame";

/** The charger's CALLs on one connection, answered in their order. */
export interface Incoming {
  take(call: Call): void;
  /** Resolves when all that were taken are answered. */
  settled(): Promise<void>;
  /** The connection has ended: what is not answered yet will not be. */
  lost(): void;
}

export interface IncomingOptions {
  /** Answers a CALL: the text of the CALLRESULT or CALLERROR. Throws if it cannot be processed. */
  answer(call: Call): Promise<string>;
  /** Sends the answer to a CALL of this action. */
  send(text: string, action: string): void;
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
  const inHand: Call[] = [];
  let isLost = false;
  let answering: Promise<void> = Promise.resolve();
  const answerAll = async (): Promise<void> => {
    for (let next = inHand[0]; next !== undefined; next = inHand[0]) {
      const call = next;
      const text = await withRequestId(randomUUID(), () => answerWithPatience(options, call, () => isLost));
      if (isLost) return;
      if (text === undefined) return options.giveUp();
      options.send(text, call.action);
      inHand.shift();
      if (inHand.length === CALLS_IN_HAND_MAX - 1) options.resume();
    }
  };
  const stopAnswering = (err: unknown): void => {
    options.log.error({ err }, "a bug");
    options.giveUp();
  };
  return {
    take(call) {
      if (isLost) return;
      inHand.push(call);
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
async function answerWithPatience({ answer, log }: IncomingOptions, call: Call, isLost: () => boolean): Promise<string | undefined> {
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
