import { sql } from "kysely";
import type { Db } from "./schema.ts";

/** What was said on a connection, in frames. */
export interface FrameCounts {
  received: number;
  sent: number;
  /** Of those received, answered with a CALLERROR. */
  refused: number;
  /** Of those received, not answered because they could not be. */
  ignored: number;
  /** How often reading was stopped for a while, because too much came. */
  slowed: number;
}

/** A connection, and what was said on it up to now. */
export interface Counted {
  readonly chargerId: string;
  readonly epoch: number;
  readonly counts: Readonly<FrameCounts>;
}

/** Writes what was said on connections, all in one statement. */
export async function recordCounts(db: Db, counted: readonly Counted[]): Promise<void> {
  const column = <T>(of: (one: Counted) => T): T[] => counted.map(of);
  await sql`
    update connection set frames_received = said.received, frames_sent = said.sent, frames_refused = said.refused,
      frames_ignored = said.ignored, frames_slowed = said.slowed
    from (
      select * from unnest(
        ${column(({ chargerId }) => chargerId)}::text[], ${column(({ epoch }) => epoch)}::bigint[],
        ${column(({ counts }) => counts.received)}::integer[], ${column(({ counts }) => counts.sent)}::integer[],
        ${column(({ counts }) => counts.refused)}::integer[], ${column(({ counts }) => counts.ignored)}::integer[],
        ${column(({ counts }) => counts.slowed)}::integer[]
      ) as row (charger_id, epoch, received, sent, refused, ignored, slowed)
      order by charger_id, epoch
    ) as said
    where connection.charger_id = said.charger_id and connection.epoch = said.epoch`.execute(db);
}
