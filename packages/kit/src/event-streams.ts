import { isDeepStrictEqual } from "node:util";
import { ErrorCode, NatsError, nanos, RetentionPolicy, StorageType, type StreamConfig } from "nats";
import type { Logger } from "./log.ts";
import type { Stack } from "./main.ts";
import type { Nats } from "./nats.ts";
import { keepDoing } from "./rounds.ts";

const DAY_MS = 24 * 3_600_000;
/** How long the server remembers an event's id, in ms: a publisher that lost an acknowledgement has this long to say it again. */
const DUPLICATE_WINDOW_MS = 10 * 60_000;

/** A stream of events: its name and the subjects that it keeps. */
export interface EventStream {
  name: string;
  subjects: string[];
  /** The service that keeps it as it should be. */
  keeper: string;
  /** Its events are for one reader, in no order, and stay until that has them. Those of others are for whoever comes in time, in order. */
  isForOneReader: boolean;
}

/** What many services say and one keeps: that one. */
const READERS: Readonly<Record<string, string>> = { "chargemesh.audit.v1": "auth-service" };

/** The stream that holds all events of a proto package, such as "chargemesh.auth.v1". */
export function streamOf(protoPackage: string): EventStream {
  return {
    name: protoPackage.replaceAll(".", "_"),
    subjects: [`${protoPackage}.>`],
    keeper: READERS[protoPackage] ?? `${protoPackage.split(".")[1]}-service`,
    isForOneReader: protoPackage in READERS,
  };
}

/** The stream that holds the events of a type, such as "chargemesh.auth.v1.UserCreated". */
export function streamOfType(type: string): EventStream {
  return streamOf(type.slice(0, type.lastIndexOf(".")));
}

/** Makes a stream if it is not there. One that is there is left to its keeper, if that is not `service`, and made as it should be if it is. */
export async function ensureStream(nats: Nats, stream: EventStream, service: string, log: Logger): Promise<void> {
  const { name, subjects, keeper, isForOneReader } = stream;
  await ensure(nats, { ...configOf(nats, isForOneReader), name, subjects }, keeper === service, log);
}

/**
 * The journal: the events of all services in one order, which is what live streams and webhooks read. NATS itself copies them there out of the
 * streams that they are said to (JetStream calls those its sources), each once and in their order. Its sequence is the cursor of an event.
 */
export const JOURNAL = "chargemesh_journal";

/** The packages whose events are in the journal. */
export const JOURNALED = ["chargemesh.auth.v1", "chargemesh.charger.v1", "chargemesh.email.v1"] as const;

/** How often somebody sees to it that the journal is there, in ms: a NATS that lost its data has it back after as long. */
const JOURNAL_MS = 2_000;

/** Keeps the journal there, and as it should be, whenever NATS is. */
export function keepJournal(nats: Nats, service: string, stack: Stack, log: Logger): void {
  const round = async (): Promise<void> => {
    if (nats.isConnected()) await ensureJournal(nats, service, log);
  };
  keepDoing("journal", { everyMs: JOURNAL_MS }, round, stack, log);
}

/** Makes the journal, with the streams that it is copied from, or makes it as it should be. */
export async function ensureJournal(nats: Nats, service: string, log: Logger): Promise<void> {
  const sources = JOURNALED.map(streamOf);
  for (const source of sources) await ensureStream(nats, source, service, log);
  await ensure(nats, { ...configOf(nats, false), name: JOURNAL, sources: sources.map(({ name }) => ({ name })) }, true, log);
}

type Wanted = Partial<StreamConfig> & { name: string };

function configOf({ streams: { replicas, retentionDays, bytesMax } }: Nats, isForOneReader: boolean): Partial<StreamConfig> {
  return {
    retention: isForOneReader ? RetentionPolicy.Workqueue : RetentionPolicy.Limits,
    storage: StorageType.File,
    // What one reader is owed stays until that has it.
    max_age: isForOneReader ? 0 : nanos(retentionDays * DAY_MS),
    max_bytes: isForOneReader || bytesMax === 0 ? -1 : bytesMax,
    num_replicas: replicas,
    duplicate_window: nanos(DUPLICATE_WINDOW_MS),
  };
}

/**
 * Makes what is not there; with `isKeeper`, also makes it as `wanted` says, which a stream that is so already is not asked for. What the server
 * does not let us change (it has too few servers or too little room, say) stays as it is, which is better than to say nothing to anybody.
 */
async function ensure(nats: Nats, wanted: Wanted, isKeeper: boolean, log: Logger): Promise<void> {
  const { streams } = await nats.connection().jetstreamManager({ checkAPI: false });
  const there = await streams.info(wanted.name).catch((err: unknown) => {
    if (isNotFound(err)) return undefined;
    throw err;
  });
  if (there === undefined) await streams.add(wanted);
  else if (isKeeper && !isAlready(there.config, wanted))
    await streams.update(wanted.name, wanted).catch((err: unknown) => {
      if (!(err instanceof NatsError) || err.api_error === undefined) throw err;
      log.warn({ err, stream: wanted.name }, "a stream of events could not be changed to what the settings say");
    });
}

function isAlready(config: StreamConfig, wanted: Wanted): boolean {
  return Object.entries(wanted).every(([name, value]) => isDeepStrictEqual(config[name as keyof StreamConfig], value));
}

/** Whether JetStream says that there is no such stream or consumer. */
export function isNotFound(err: unknown): boolean {
  return err instanceof NatsError && (err.api_error?.code === 404 || err.code === ErrorCode.JetStream404NoMessages);
}
