import { nanos } from "nats";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { ensureJournal, ensureStream, JOURNAL, keepJournal, streamOf } from "../src/event-streams.ts";
import { openPublisher } from "../src/publisher.ts";
import { subscribe } from "../src/subscribe.ts";
import { type Desk, log, openDesk, type Party, STREAM, TYPE } from "./outbox-desk.ts";

let desk: Desk;
const parties: Party[] = [];
/** Somebody with these settings, by the time that NATS lets them in. */
async function join(settings: Record<string, string> = {}): Promise<Party> {
  const party = desk.join(settings);
  parties.push(party);
  await vi.waitFor(() => party.nats.connection(), { timeout: 10_000, interval: 10 });
  return party;
}

beforeAll(async () => {
  desk = await openDesk();
});
afterEach(async () => {
  for (const party of parties.splice(0)) await party.leave();
});
afterAll(() => desk?.leave());

const configOf = async (name: string) => (await desk.manager.streams.info(name)).config;
const DAY = nanos(86_400_000);

test("streams and the journal are as the settings say, also if they were otherwise before", async () => {
  const { nats } = await join();
  await ensureJournal(nats, "charger-service", log);
  const before = { max_age: 7 * DAY, max_bytes: -1, num_replicas: 1, duplicate_window: nanos(600_000) };
  expect(await configOf(STREAM.name)).toMatchObject(before);
  expect(await configOf(JOURNAL)).toMatchObject({
    ...before,
    sources: ["auth", "charger", "email"].map((name) => ({ name: `chargemesh_${name}_v1` })),
  });
  const other = await join({ EVENT_RETENTION_DAYS: "2", EVENT_STREAM_BYTES_MAX: "1000000" });
  await ensureJournal(other.nats, "charger-service", log);
  const after = { max_age: 2 * DAY, max_bytes: 1_000_000 };
  expect(await configOf(STREAM.name)).toMatchObject(after);
  expect(await configOf(JOURNAL)).toMatchObject(after);
  // Its own keeper's business.
  expect(await configOf("chargemesh_auth_v1")).toMatchObject(before);
});

test("what the server does not let us change stays as it is", async () => {
  const { nats } = await join({ EVENT_STREAM_BYTES_MAX: String(2 ** 52) });
  await ensureStream(nats, STREAM, "charger-service", log);
  expect(await configOf(STREAM.name)).toMatchObject({ max_bytes: 1_000_000 });
});

test("a stream for one reader keeps what that has not read, whatever the limits", async () => {
  const { nats } = await join({ EVENT_RETENTION_DAYS: "1", EVENT_STREAM_BYTES_MAX: "1000000" });
  await ensureStream(nats, streamOf("chargemesh.audit.v1"), "auth-service", log);
  expect(await configOf("chargemesh_audit_v1")).toMatchObject({ retention: "workqueue", max_age: 0, max_bytes: -1 });
});

test("a consumer that was made otherwise goes on where it was, as it should be", async () => {
  const { nats, stack } = await join();
  const publisher = openPublisher(nats, nats.connection(), "charger-service");
  const say = (id: string) => publisher.publish([{ subject: `${TYPE}.MQ`, id, text: JSON.stringify({ id, type: TYPE }) }]);
  await say("consumed-1");
  await desk.manager.consumers.add(STREAM.name, {
    durable_name: "test-old",
    ack_policy: "explicit" as never,
    ack_wait: nanos(1_000),
    filter_subject: "chargemesh.charger.v1.>",
  });
  const old = await desk.connection.jetstream().consumers.get(STREAM.name, "test-old");
  (await old.next())?.ack();
  await desk.connection.flush();
  await say("consumed-2");
  const heard: string[] = [];
  subscribe(nats, "test-old", TYPE, async ({ id }) => void heard.push(id), stack, log);
  await vi.waitFor(() => expect(heard).toEqual(["consumed-2"]), { timeout: 10_000 });
  expect((await desk.manager.consumers.info(STREAM.name, "test-old")).config).toMatchObject({
    ack_wait: nanos(30_000),
    filter_subject: `${TYPE}.>`,
  });
});

test("the journal has what several services say in turn, in order, and is there again after NATS lost it", async () => {
  const { nats, stack } = await join();
  const ids = async (): Promise<string[]> => {
    const { state } = await desk.manager.streams.info(JOURNAL);
    const sequences = Array.from({ length: state.messages }, (_, i) => state.first_seq + i);
    const messages = await Promise.all(sequences.map((seq) => desk.manager.streams.getMessage(JOURNAL, { seq })));
    return messages.map((message) => message.header.get("Nats-Msg-Id"));
  };
  await ensureJournal(nats, "charger-service", log);
  const publisher = openPublisher(nats, nats.connection(), "charger-service");
  const services = ["auth", "charger", "email"];
  const said = Array.from({ length: 60 }, (_, i) => ({ service: services[i % 3] ?? "", id: `journal-${i}` }));
  for (const { service, id } of said) await publisher.publish([{ subject: `chargemesh.${service}.v1.Something.MQ`, id, text: "{}" }]);
  await vi.waitFor(async () => expect(await ids()).toEqual(expect.arrayContaining(said.map(({ id }) => id))), { timeout: 20_000 });
  for (const service of services) {
    const own = said.filter((one) => one.service === service).map(({ id }) => id);
    expect((await ids()).filter((id) => own.includes(id))).toEqual(own);
  }
  const before = await ids();
  await desk.manager.streams.delete(JOURNAL);
  keepJournal(nats, "charger-service", stack, log);
  await vi.waitFor(async () => expect((await ids()).toSorted()).toEqual(before.toSorted()), { timeout: 20_000 });
});
