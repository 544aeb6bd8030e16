import { setTimeout as sleep } from "node:timers/promises";
import type { CloudEvent } from "@chargemesh/kit/cloud-event";
import { journalAfter, journalState } from "charger-service/src/live/journal.ts";
import { books, log, nats } from "./place.ts";
import { toldBy } from "./told.ts";

// Somebody who follows the journal, and keeps the cursor where the effects are: in order, and each exactly once.

const RETRY_MS = 100;
const forever = new AbortController().signal;

async function follow(): Promise<void> {
  const { created } = await journalState(nats, log);
  const { rows } = await books.query<{ sequence: string }>("select sequence from cursor");
  for await (const message of journalAfter(nats, created, Number(rows[0]?.sequence ?? 0), forever, log)) {
    const event = message.json<CloudEvent>();
    const { chargerId, what } = toldBy(event);
    await books.query(
      `with moved as (update cursor set sequence = $1 where sequence < $1 returning sequence),
      tallied as (
        insert into tally (consumer, charger_id, count) select 'follower', $3, 1 from moved
        on conflict (consumer, charger_id) do update set count = tally.count + 1
      )
      insert into effect (consumer, event_id, charger_id, what) select 'follower', $2, $3, $4 from moved`,
      [message.seq, event.id, chargerId, what],
    );
  }
}

for (;;) {
  await follow().catch((err: unknown) => log.warn({ err }, "interrupted"));
  await sleep(RETRY_MS);
}
