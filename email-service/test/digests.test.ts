import { randomUUID } from "node:crypto";
import type { CloudEvent } from "@chargemesh/kit/cloud-event";
import { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { type FreshNats, freshNats } from "../../test/servers.ts";
import { chargerConnected, chargerDeleted, chargerDisconnected, chargerFaulted, chargerRecovered } from "./charger-events.ts";
import { openPublisher, type Publisher, userCreated } from "./events.ts";
import { mailsIn, makeClock, makeSurroundings, type Replica, type Surroundings, startReplica } from "./service.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let nats: FreshNats;
let publisher: Publisher;
let surroundings: Surroundings;
let replicas: Replica[];
const clock = makeClock();

beforeAll(async () => {
  nats = await freshNats();
  publisher = await openPublisher(nats.url);
  surroundings = await makeSurroundings(nats.url);
  replicas = await Promise.all([startReplica(surroundings, clock), startReplica(surroundings, clock)]);
  await publisher.publish(
    userCreated({ username: "olga", email: "olga@example.com", role: "OPERATOR" }),
    userCreated({ username: "otto", email: "otto@example.com", role: "OPERATOR", language: "de" }),
    userCreated({ username: "ada", email: "ada@example.com", role: "ADMIN" }),
    userCreated({ username: "dora", email: "dora@example.com", role: "DRIVER" }),
    userCreated({ username: "gone", email: "gone@example.com", role: "OPERATOR", disabled: true }),
    userCreated({ username: "silent", email: "", role: "OPERATOR" }),
  );
  await publisher.allHandled();
});
afterAll(async () => {
  for (const replica of replicas) await replica.stop();
  await publisher.close();
  await surroundings.remove();
  await nats.stop();
});
/** Nobody remembers what other tests said. */
beforeEach(() => clock.advance(2 * HOUR));

/** Looks until there is something, as rarely as befits what takes a second: each look reads every mail. */
const until = <T>(look: () => Promise<T | undefined>): Promise<T> =>
  vi.waitFor(
    async () => {
      const found = await look();
      if (found === undefined) throw new Error("still waiting");
      return found;
    },
    { timeout: 15_000, interval: 200 },
  );

/** An event of so long ago, in ms. */
const ago = (ms: number) => ({ time: new Date(clock.now().getTime() - ms).toISOString() });
/** Chargers that no other test knows. */
const newCharger = () => `CP-${randomUUID().slice(0, 8)}`;

const tell = async (...events: CloudEvent[]) => {
  await publisher.publish(...events);
  await publisher.allHandled();
};

/** The mails about a charger, once there are so many; whoever else is mailed in vain is among them. */
const mailsAbout = (charger: string, count: number) =>
  until(async () => {
    const mails = (await mailsIn(surroundings.mailDir)).filter(({ text }) => text?.includes(charger));
    return mails.length >= count ? mails : undefined;
  });

/** Has a charger fail whose mail comes after all that could have come before it, and waits for that. */
async function untilNextDigest(): Promise<void> {
  const last = newCharger();
  await tell(chargerFaulted(last, {}, ago(0)), chargerDisconnected(last, ago(0)));
  clock.advance(16 * MINUTE);
  await until(async () => (await sentAbout(last, "charger-faulted")) === 3 || undefined);
  await until(async () => (await alarms()).includes(last) || undefined);
  clock.advance(16 * MINUTE);
  await until(async () => (await sentAbout(last, "charger-offline")) === 3 || undefined);
}

async function sentAbout(charger: string, template: string): Promise<number> {
  const [replica] = replicas;
  const { messages } = (await replica?.list({ template, pageSize: 50 })) ?? { messages: [] };
  return messages.filter(({ text, state }) => text.includes(charger) && state === "SENT").length;
}

describe("a charger that flaps", () => {
  test("sends each operator one mail, in their language, and nobody else", async () => {
    const [flapping, other] = [newCharger(), newCharger()];
    const flaps = [5, 4, 3, 2, 1].flatMap((i) => [
      chargerFaulted(flapping, { connectorId: i % 2, errorCode: "GroundFailure", vendorErrorCode: "E7" }, ago(i * 1_000)),
      chargerRecovered(flapping, { connectorId: i % 2 }, ago(i * 1_000 - 500)),
    ]);
    const again = chargerFaulted(other, { errorCode: "OverVoltage" }, ago(100));
    await tell(...flaps, again, again);
    clock.advance(MINUTE);
    const mails = await mailsAbout(flapping, 3);
    expect(mails.map(({ to, subject }) => [to?.[0]?.address, subject]).sort()).toEqual([
      ["ada@example.com", "2 chargers report faults"],
      ["olga@example.com", "2 chargers report faults"],
      ["otto@example.com", "2 Ladestationen melden Störungen"],
    ]);
    const text = mails.find(({ to }) => to?.[0]?.address === "olga@example.com")?.text ?? "";
    expect(text).toMatch(
      new RegExp(
        `${flapping}\\n +Connector: +the whole charger and 1\\n +Error code: +E7 and GroundFailure\\n[^O]*How often: +5\\n +Now: +works again`,
      ),
    );
    expect(text).toMatch(new RegExp(`${other}\\n +Connector: +1\\n +Error code: +OverVoltage\\n +First fault: +[^\\n]+\\n +Now: +faulty`));
  });

  test("sends another one only after a while, which tells of all that was meanwhile", async () => {
    const flapping = newCharger();
    await tell(chargerFaulted(flapping, {}, ago(0)));
    clock.advance(MINUTE);
    await mailsAbout(flapping, 3);
    const again = () => tell(chargerRecovered(flapping, {}, ago(1)), chargerFaulted(flapping, {}, ago(0)));
    await again();
    // Whoever tells of this one looks at all that is due.
    const other = newCharger();
    await tell(chargerDisconnected(other, ago(0)));
    clock.advance(6 * MINUTE);
    await until(async () => (await alarms()).includes(other) || undefined);
    clock.advance(MINUTE);
    await mailsAbout(other, 3);
    await again();
    expect(await mailsAbout(flapping, 3)).toHaveLength(3);
    clock.advance(9 * MINUTE);
    const mails = await mailsAbout(flapping, 6);
    expect(mails.filter(({ text }) => /(How often|Wie oft): +2\n/.test(text ?? ""))).toHaveLength(3);
    await untilNextDigest();
    expect(await mailsAbout(flapping, 6)).toHaveLength(6);
  });
});

describe("a charger that is offline", () => {
  test("is told of when it does not come back in time", async () => {
    const [back, away] = [newCharger(), newCharger()];
    await tell(chargerDisconnected(back, ago(10)), chargerDisconnected(away, ago(10)));
    clock.advance(4 * MINUTE);
    await tell(chargerConnected(back, ago(0)));
    clock.advance(MINUTE + 1_000);
    // Becomes an alarm, and waits for others.
    await until(async () => (await alarms()).includes(away) || undefined);
    await Promise.all(replicas.splice(0).map((replica) => replica.stop()));
    clock.advance(MINUTE);
    // Whoever starts next goes on with it.
    replicas = await Promise.all([startReplica(surroundings, clock), startReplica(surroundings, clock)]);
    const mails = await mailsAbout(away, 3);
    expect(mails.map(({ subject }) => subject)).toContain(`Charger ${away} went offline`);
    expect(mails.map(({ subject }) => subject)).toContain(`Ladestation ${away} ist offline`);
    await untilNextDigest();
    expect(await mailsAbout(away, 3)).toHaveLength(3);
    expect(await mailsAbout(back, 0)).toEqual([]);
  });

  test("is not told of if it was deleted, or locked out", async () => {
    const [deleted, deletedLater, lockedOut, deletedFaulty] = [newCharger(), newCharger(), newCharger(), newCharger()];
    await tell(
      chargerDisconnected(deleted, ago(10), "DELETED"),
      chargerDisconnected(lockedOut, ago(10), "PASSWORD_REVOKED"),
      chargerDisconnected(deletedLater, ago(10)),
      chargerFaulted(deletedFaulty, {}, ago(10)),
    );
    await tell(chargerDeleted(deletedLater, ago(0)), chargerDeleted(deletedFaulty, ago(0)));
    await untilNextDigest();
    for (const charger of [deleted, deletedLater, lockedOut, deletedFaulty]) expect(await mailsAbout(charger, 0)).toEqual([]);
  });
});

describe("what comes late", () => {
  test("is told of if it goes on, and not if it is long over", async () => {
    const [over, overOutOfOrder, fixed, broken] = [newCharger(), newCharger(), newCharger(), newCharger()];
    await tell(
      chargerDisconnected(over, ago(5 * HOUR)),
      chargerConnected(overOutOfOrder, ago(4 * HOUR)),
      chargerFaulted(fixed, {}, ago(3 * HOUR)),
      chargerFaulted(broken, {}, ago(3 * HOUR)),
    );
    await tell(
      chargerConnected(over, ago(4 * HOUR)),
      chargerDisconnected(overOutOfOrder, ago(5 * HOUR)),
      chargerRecovered(fixed, {}, ago(2 * HOUR)),
    );
    await untilNextDigest();
    for (const charger of [over, overOutOfOrder, fixed]) expect(await mailsAbout(charger, 0)).toEqual([]);
    expect(await mailsAbout(broken, 3)).toHaveLength(3);
  });
});

/** Of which chargers the next mail will tell. */
async function alarms(): Promise<string[]> {
  const client = new Client({ connectionString: surroundings.database.emailUrl });
  await client.connect();
  const { rows } = await client.query("select charger_id from email.alarm").finally(() => client.end());
  return rows.map(({ charger_id }) => String(charger_id));
}
