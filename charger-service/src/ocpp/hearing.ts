import type { Logger } from "@chargemesh/kit/log";
import { newRequestId } from "@chargemesh/kit/request-id";
import { parseFrame, refuseGarbled, type Unreadable } from "@chargemesh/ocpp/frame";
import type { Version } from "@chargemesh/ocpp/version";
import type { FrameCounts } from "../db/frame-counts.ts";
import type { Recorder } from "./frame-log.ts";
import type { Incoming } from "./incoming.ts";
import type { Outgoing } from "./outgoing.ts";

/** What may come over a socket. */
export interface Hearing {
  text(text: string): void;
  /** A text that is no UTF-8; as much of it as could be read. */
  garbled(text: string): void;
  /** What is no text, in so many bytes. */
  binary(bytes: number): void;
}

export interface HearingOptions {
  /** A frame has come, whatever it is. */
  came(): void;
  incoming: Incoming;
  outgoing: Outgoing;
  version: Version;
  send(text: string): void;
  record: Recorder;
  counts: FrameCounts;
  log: Logger;
}

/**
 * Leads what comes to where it belongs. What cannot be read costs one frame: it is answered if it is a CALL whose id can be told, and else met
 * with silence (OCPP-J 1.6 section 4.1.3), which is logged and counted.
 */
export function makeHearing({ came, incoming, outgoing, version, send, record, counts, log }: HearingOptions): Hearing {
  const refuse = (frame: Unreadable, text: string): void => {
    const { id: messageId = "", code: errorCode, description } = frame;
    const traceId = newRequestId();
    record({ direction: "FROM_CHARGER", type: "UNREADABLE", text, messageId, traceId, errorCode });
    log.warn({ code: errorCode, description, requestId: traceId }, "an unreadable frame");
    const refusal = version.refusalOf(frame);
    if (refusal === undefined) {
      counts.ignored++;
      return;
    }
    send(refusal);
    record({ direction: "TO_CHARGER", text: refusal, messageId, traceId });
  };
  return {
    text(text) {
      came();
      const frame = parseFrame(text);
      if (frame.kind === "call") incoming.take(frame, text);
      else if (frame.kind === "unreadable") refuse(frame, text);
      else if (!outgoing.answered(frame, text)) counts.ignored++;
    },
    garbled(text) {
      came();
      refuse(refuseGarbled(text), text);
    },
    binary(bytes) {
      came();
      counts.ignored++;
      const traceId = newRequestId();
      record({ direction: "FROM_CHARGER", type: "UNREADABLE", text: "", messageId: "", traceId });
      log.warn({ bytes, requestId: traceId }, "a binary frame");
    },
  };
}
