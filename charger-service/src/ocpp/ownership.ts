import type { Clock } from "@chargemesh/kit/clock";
import type { Logger } from "@chargemesh/kit/log";
import type { Stack } from "@chargemesh/kit/main";
import { rest } from "@chargemesh/kit/rest";
import { recordLiveness } from "../db/charger.ts";
import { type Entry, endLease, heldBy, renewLease } from "../db/connection.ts";
import { recordCounts } from "../db/frame-counts.ts";
import type { Db } from "../db/schema.ts";
import { sweepAssignments } from "../domain/assignment-outcome.ts";
import { sweepCommands } from "../domain/command.ts";
import { type Held, type Ownership, releaseLostReplicas, releaseOwnership, retakeOwnership, takeOwnership } from "../domain/ownership.ts";
import { sweepReservations } from "../domain/reservation-outcome.ts";
import type { CommandRunner } from "./commands.ts";
import type { Connection } from "./connection.ts";
import { type Registry, SUPERSEDED_CODE } from "./registry.ts";

/** How long a replica may be silent before its chargers count as disconnected, in seconds (decision 6). */
const LEASE_SECONDS = 15;
const RENEW_MS = 5_000;
/** After a failure: the sooner it is mended, the fewer notice. */
const RETRY_MS = 1_000;
/** What was said on connections that are open may be this much late, in ms. */
const COUNTS_MS = 10_000;
/** Liveness may be this much late, in ms: what a kill may lose of it (decision 4). */
const LIVENESS_MS = 1_000;

/** Which chargers this replica holds, in the database as in memory. */
export interface Ownerships {
  /** Takes a charger for the connection that is about to open. Throws NOT_FOUND if the charger was deleted in this moment, UNAUTHENTICATED if its password was changed. */
  take(entry: Entry, protocol: string): Promise<Ownership>;
  /** Lets go, and keeps what was said on the connection. While the database is away it is done later. */
  release(held: Held, reason: string): Promise<void>;
  /** Notes that a charger has just said something. */
  heard(chargerId: string): void;
}

/** Keeps this replica's lease, writes when its chargers were last seen, and mends what outages have left behind. */
export async function keepOwnerships(
  db: Db,
  replicaId: string,
  registry: Registry,
  runner: CommandRunner,
  clock: Clock,
  stack: Stack,
  log: Logger,
): Promise<Ownerships> {
  const opening = new Map<string, number>();
  const stopping = new AbortController();
  const seen = new Map<string, Date>();

  const release = makeRelease(db, clock, log);
  /** The database and the sockets of this replica, brought together again. */
  const reconcile = async (): Promise<void> => {
    // Those of before we ask: what comes while we do is held too, though the answer does not say so.
    const connections = registry.all();
    const held = new Map((await heldBy(db, replicaId)).map(({ id, epoch }) => [id, epoch]));
    for (const connection of connections) {
      const { chargerId, epoch } = connection;
      if (held.get(chargerId) === epoch || registry.get(chargerId) !== connection) continue;
      // Either an outage of the database has cost us the lease, or a newer connection is elsewhere.
      if (!(await retakeOwnership(db, chargerId, epoch, replicaId))) connection.close(SUPERSEDED_CODE, "SUPERSEDED");
    }
    for (const [chargerId, epoch] of held) {
      const isHere = registry.get(chargerId)?.epoch === epoch || opening.has(chargerId);
      if (!isHere) await release({ chargerId, epoch }, "CONNECTION_LOST");
    }
  };
  const sweeper = makeSweeper(db, replicaId, runner, log);
  let isBehind = false;
  const renew = async (): Promise<void> => {
    const wasBehind = isBehind;
    isBehind = true;
    await renewLease(db, replicaId, LEASE_SECONDS);
    // After an outage of the database the others are given the time to come back, as we have.
    if (!wasBehind) await releaseLostReplicas(db, clock.now());
    await reconcile();
    isBehind = false;
    sweeper.sweep();
  };
  const writeLiveness = async (): Promise<void> => {
    if (seen.size === 0) return;
    const batch = new Map(seen);
    seen.clear();
    await recordLiveness(db, batch);
  };
  const repeat = async (what: string, ms: number, work: () => Promise<void>): Promise<void> => {
    while (!stopping.signal.aborted) {
      const failed = await work().then(
        () => false,
        (err: unknown) => {
          log.warn({ err }, `${what} failed`);
          return true;
        },
      );
      await rest(failed ? RETRY_MS : ms, stopping.signal);
    }
  };
  const running = [
    repeat("keeping the lease", RENEW_MS, renew),
    repeat("writing liveness", LIVENESS_MS, writeLiveness),
    repeat("writing counts", COUNTS_MS, makeCounter(db, registry)),
  ];
  stack.defer("ownerships", async () => {
    stopping.abort();
    await Promise.all(running);
    await sweeper.done();
    await writeLiveness();
    await endLease(db, replicaId);
  });
  return {
    async take(entry, protocol) {
      opening.set(entry.chargerId, (opening.get(entry.chargerId) ?? 0) + 1);
      try {
        return await takeOwnership(db, entry, replicaId, protocol, clock.now());
      } finally {
        // Long enough for the connection to be in the registry: it gets there in the same turn as this.
        setImmediate(() => {
          const others = (opening.get(entry.chargerId) ?? 1) - 1;
          if (others === 0) opening.delete(entry.chargerId);
          else opening.set(entry.chargerId, others);
        });
      }
    },
    release,
    heard: (chargerId) => void seen.set(chargerId, clock.now()),
  };
}

function makeRelease(db: Db, clock: Clock, log: Logger): Ownerships["release"] {
  return async (held, reason) => {
    const { chargerId, epoch } = held;
    await releaseOwnership(db, held, reason, clock.now()).catch((err: unknown) =>
      log.warn({ err, chargerId, epoch }, "the end of a connection will be written later"),
    );
  };
}

/** Ends what nobody else will. The lease does not wait for it, for there may be much. */
function makeSweeper(db: Db, replicaId: string, runner: CommandRunner, log: Logger): { sweep(): void; done(): Promise<void> } {
  let sweeping: Promise<void> | undefined;
  const sweep = async (): Promise<void> => {
    await sweepCommands(db);
    await sweepReservations(db);
    await sweepAssignments(db);
    await runner.sendForgotten(replicaId);
  };
  return {
    sweep() {
      sweeping ??= sweep()
        .catch((err: unknown) => log.warn({ err }, "what nobody else ends stays"))
        .finally(() => {
          sweeping = undefined;
        });
    },
    done: async () => sweeping,
  };
}

/** What writes what was said on the connections of this replica since it was written last. */
function makeCounter(db: Db, registry: Registry): () => Promise<void> {
  const written = new WeakMap<Connection, number>();
  const soFar = ({ counts }: Connection): number => counts.received + counts.sent;
  return async () => {
    const news = registry.all().filter((connection) => (written.get(connection) ?? 0) !== soFar(connection));
    if (news.length === 0) return;
    const counted = news.map((connection) => [connection, soFar(connection)] as const);
    await recordCounts(db, news);
    for (const [connection, count] of counted) written.set(connection, count);
  };
}
