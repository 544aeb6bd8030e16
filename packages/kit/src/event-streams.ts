import { ErrorCode, NatsError, nanos, RetentionPolicy, StorageType, type StreamConfig } from "nats";
import type { Nats } from "./nats.ts";

/** How long an event stays in its stream, in ms. */
const RETENTION_MS = 7 * 24 * 3_600_000;
/** How long the server remembers an event's id, in ms: a publisher that lost an acknowledgement has this long to say it again. */
const DUPLICATE_WINDOW_MS = 10 * 60_000;

/** A stream of events: its name and the subjects that it keeps. */
export interface EventStream {
  name: string;
  subjects: string[];
  /** The service that keeps it as it should be. */
  keeper: string;
  /** Its events are for one reader, in no order, and stay until that has them. Those of others are for whoever comes within a week, in order. */
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
export async function ensureStream(nats: Nats, stream: EventStream, service: string): Promise<void> {
  const { name, subjects, keeper, isForOneReader } = stream;
  const { streams } = await nats.connection().jetstreamManager();
  const config: Partial<StreamConfig> & { name: string } = {
    name,
    subjects,
    retention: isForOneReader ? RetentionPolicy.Workqueue : RetentionPolicy.Limits,
    storage: StorageType.File,
    max_age: isForOneReader ? 0 : nanos(RETENTION_MS),
    duplicate_window: nanos(DUPLICATE_WINDOW_MS),
  };
  try {
    if (keeper === service) await streams.update(name, config);
    else await streams.info(name);
  } catch (err) {
    if (!isNotFound(err)) throw err;
    await streams.add(config);
  }
}

/**
 * The journal: the events of all services in one order, which is what live streams and webhooks read. NATS itself copies them there out of the
 * streams that they are said to (JetStream calls those its sources), each once and in their order. Its sequence is the cursor of an event.
 */
export const JOURNAL = "chargemesh_journal";

/** The packages whose events are in the journal. */
export const JOURNALED = ["chargemesh.auth.v1", "chargemesh.charger.v1", "chargemesh.email.v1"] as const;

/** Makes the journal, or makes it as it should be, with the streams that it is copied from. */
export async function ensureJournal(nats: Nats, service: string): Promise<void> {
  const sources = JOURNALED.map(streamOf);
  for (const source of sources) await ensureStream(nats, source, service);
  const { streams } = await nats.connection().jetstreamManager();
  const config = {
    name: JOURNAL,
    sources: sources.map(({ name }) => ({ name })),
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    max_age: nanos(RETENTION_MS),
    duplicate_window: nanos(DUPLICATE_WINDOW_MS),
  };
  try {
    await streams.update(JOURNAL, config);
  } catch (err) {
    if (!isNotFound(err)) throw err;
    await streams.add(config);
  }
}

function isNotFound(err: unknown): boolean {
  return err instanceof NatsError && (err.api_error?.code === 404 || err.code === ErrorCode.JetStream404NoMessages);
}
