import { TransactionStarted, TransactionStopped, TransactionUpdated } from "@chargemesh/contracts/charger/v1/events";
import { type Handle, subscribe } from "@chargemesh/kit/subscribe";
import { books, log, nats, stack } from "./place.ts";
import { toldBy } from "./told.ts";

// A replica of a service that does something on each event, as email-service does: at least once, and so that a repeat changes nothing.

const handle: Handle = async (event) => {
  const { chargerId, what } = toldBy(event);
  await books.query(
    `with kept as (
      insert into effect (consumer, event_id, charger_id, what) values ('subscriber', $1, $2, $3)
      on conflict (consumer, event_id) do nothing returning consumer, charger_id
    )
    insert into tally (consumer, charger_id, count) select consumer, charger_id, 1 from kept
    on conflict (consumer, charger_id) do update set count = tally.count + 1`,
    [event.id, chargerId, what],
  );
};

for (const { $type } of [TransactionStarted, TransactionUpdated, TransactionStopped])
  subscribe(nats, `chaos-${$type.slice($type.lastIndexOf(".") + 1)}`, $type, handle, stack, log);
