import type { Relaxation } from "@chargemesh/ocpp/relaxation";
import type { MessageDirection, MessageType } from "../db/schema.ts";

/** A frame that has just come or gone, as it was and with what is known of it. It is made for each frame, so nothing in it costs anything. */
export interface Note {
  direction: MessageDirection;
  /** The whole frame. */
  text: string;
  /** What it is; of an answer of ours the text says it. */
  type?: MessageType;
  messageId: string;
  /** Of an answer: of the CALL that it answers. */
  action?: string;
  /** The request that it belongs to. */
  traceId: string;
  errorCode?: string | undefined;
  /** Of an answer: how long after its CALL. */
  latencyMs?: number;
  /** What must not be read in it. */
  secret?: string | undefined;
  relaxations?: readonly Relaxation[] | undefined;
}

/** Keeps a frame. Costs next to nothing and never throws. */
export type Record = (note: Note) => void;
