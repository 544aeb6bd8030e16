import { JOURNAL } from "@chargemesh/kit/event-streams";
import type { Nats } from "@chargemesh/kit/nats";
import { AckPolicy, DeliverPolicy, nanos } from "nats";

/** How long NATS keeps what we only ask once, in ms. */
const INACTIVE_MS = 5_000;
/** How much later, at most, the clock of a service may be than that of NATS, which is the one that the journal is searched by, in ms. */
const CLOCKS_MS = 60_000;

/** The sequence in the journal before which nothing is of `time` or later. The journal must be there. */
export async function sequenceBefore(nats: Nats, time: Date): Promise<number> {
  const { consumers } = await nats.connection().jetstreamManager({ checkAPI: false });
  const { name, delivered } = await consumers.add(JOURNAL, {
    ack_policy: AckPolicy.None,
    // An event is in the journal only after it has happened.
    deliver_policy: DeliverPolicy.StartTime,
    opt_start_time: new Date(time.getTime() - CLOCKS_MS).toISOString(),
    inactive_threshold: nanos(INACTIVE_MS),
    mem_storage: true,
    num_replicas: 1,
  });
  await consumers.delete(JOURNAL, name);
  return delivered.stream_seq;
}
