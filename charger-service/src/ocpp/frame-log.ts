import type { Clock } from "@chargemesh/kit/clock";
import type { Logger } from "@chargemesh/kit/log";
import type { Stack } from "@chargemesh/kit/main";
import { insertMessages, type NewMessage } from "../db/message.ts";
import type { Db, MessageDirection, MessageType, Relaxation } from "../db/schema.ts";
import { toColumn } from "../db/text.ts";
import { makeBatch } from "../domain/batch.ts";
import { makeRedact, type Redact } from "./redaction.ts";

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
export type Recorder = (note: Note) => void;

/** Keeps the frames of a connection. */
export type FrameLog = (chargerId: string, epoch: number) => Recorder;

export interface FrameLogOptions {
  /** 0 keeps nothing. */
  messageRetentionDays: number;
  redactIdTags: boolean;
  meshSecret: string;
}

/** The answer to a GetConfiguration with everything in it has some 10,000. */
const FRAME_CHARACTERS_MAX = 16_384;
/** What a note holds beside its text, about. */
const NOTE_BYTES = 400;

interface Kept {
  note: Note;
  chargerId: string;
  epoch: number;
  time: Date;
}

/** Keeps frames in the database, a moment later. */
export function keepFrames(db: Db, options: FrameLogOptions, clock: Clock, stack: Stack, log: Logger): FrameLog {
  if (options.messageRetentionDays === 0) return () => () => undefined;
  const redact = makeRedact(options.redactIdTags ? options.meshSecret : undefined);
  const write = (kept: readonly Kept[]): Promise<void> =>
    insertMessages(
      db,
      kept.map((one) => toRow(one, redact)),
    );
  const batch = makeBatch<Kept>("frames", write, ({ note }) => note.text.length + NOTE_BYTES, stack, log);
  return (chargerId, epoch) => (note) => batch.add({ note, chargerId, epoch, time: clock.now() });
}

function toRow({ note, chargerId, epoch, time }: Kept, redact: Redact): NewMessage {
  const { type, errorCode } = note.type === undefined ? answerOf(note.text) : { type: note.type, errorCode: note.errorCode };
  const frame = redact(note.text, note.secret);
  return {
    charger_id: chargerId,
    time,
    direction: note.direction,
    type,
    message_id: toColumn(note.messageId),
    action: toColumn(note.action ?? ""),
    frame: frame.slice(0, FRAME_CHARACTERS_MAX).replaceAll("\0", "\ufffd").toWellFormed(),
    characters: note.text.length,
    error_code: toColumn(errorCode ?? ""),
    trace_id: note.traceId,
    epoch,
    latency_ms: note.latencyMs ?? null,
    relaxations: [...(note.relaxations ?? [])],
  };
}

/** What an answer of ours is: we wrote it, so it can be read. */
function answerOf(text: string): { type: MessageType; errorCode: string | undefined } {
  if (!text.startsWith("[4")) return { type: "CALLRESULT", errorCode: undefined };
  return { type: "CALLERROR", errorCode: String(JSON.parse(text)[2]) };
}
