import { randomUUID } from "node:crypto";
import type { Random } from "../random.ts";
import type { Line, Message } from "./line.ts";

/** What must be in the books: by transaction, what was charged in Wh and how many readings there were. */
export interface Charged {
  readonly transactionId: number;
  readonly energyWh: number;
  readonly readings: number;
}

/** How a charger is built. */
export interface Build {
  /** Without one its time begins with 1970 whenever it boots. */
  readonly hasClock: boolean;
  /** Without one its meter begins with 0 for each transaction. */
  readonly keepsMeter: boolean;
}

/** Short: an id may have 36 characters, and repeats add to it. */
const newId = (): string => randomUUID().slice(0, 13);

/** How a charger sees to it that it is heard. */
interface Voice {
  /** Says it until it is answered, and answers that. */
  deliver(action: string, payload: object): Promise<object>;
  /** Says it now or later. Whoever has no clock keeps the order: what it says bears no time of its own. */
  deliverSometime(action: string, payload: object): Promise<void>;
  /** Says what was put off, in any order. */
  deliverLate(): Promise<void>;
  /** Power fails, and comes back. */
  boot(): Promise<void>;
  /** All that was ever said once more, in any order. */
  repeatAll(): Promise<void>;
}

function makeVoice(line: Line, { hasClock }: Build, random: Random, booted: () => void): Voice {
  let said: Message[] = [];
  let late: Message[] = [];
  const boot = async (): Promise<void> => {
    booted();
    // Whoever has no clock does not say again what it knows was heard: it could not be told from what is new.
    if (!hasClock) said = said.filter(({ action }) => action !== "StartTransaction");
    if (random.chance(0.5)) await line.reconnect();
    const message = { action: "BootNotification", payload: { chargePointVendor: "Acme", chargePointModel: "One" }, varies: true };
    while ((await line.say({ ...message, id: newId() })) === undefined);
  };
  const insist = async (message: Message): Promise<object> => {
    for (;;) {
      // Out of turn, and though it was heard.
      if (said.length > 0 && random.chance(0.2)) await line.say(random.pick(said));
      const answer = await line.say(message);
      if (answer !== undefined) {
        said.push(message);
        return answer;
      }
      if (message.action === "StartTransaction" && random.chance(0.2)) await boot();
    }
  };
  return {
    boot,
    deliver: (action, payload) => insist({ action, payload, id: newId() }),
    async deliverSometime(action, payload) {
      const message = { action, payload, id: newId() };
      if (hasClock && random.chance(0.2)) late.push(message);
      else await insist(message);
    },
    async deliverLate() {
      const now = random.shuffle(late);
      late = [];
      for (const message of now) await insist(message);
    },
    async repeatAll() {
      for (const message of random.shuffle(said)) await line.say(message);
    },
  };
}

/** A charger with bad luck: it charges so many times and says so until it is heard. */
export async function charge(id: string, line: Line, build: Build, count: number, random: Random, done: () => void): Promise<Charged[]> {
  const { hasClock, keepsMeter } = build;
  let meter = random.below(1_000_000);
  let time = hasClock ? Date.now() - 3_600_000 : 10_000;
  let hasJustBooted = false;
  const voice = makeVoice(line, build, random, () => {
    hasJustBooted = true;
  });
  const tick = (): string => {
    time += 1 + random.below(500);
    // Without a clock what is first after a boot is at the same time each time. The rest is not: not even an answer could tell that apart.
    const isAlike = !hasClock && hasJustBooted;
    hasJustBooted = false;
    return new Date(isAlike ? 10_000 : time).toISOString();
  };
  const chargeOnce = async (): Promise<Charged> => {
    if (!keepsMeter) meter = 0;
    const connectorId = hasClock ? 1 + random.below(2) : 1;
    const meterStart = meter;
    const start = { connectorId, idTag: `${id}-${connectorId}`, meterStart, timestamp: tick() };
    const { transactionId } = (await voice.deliver("StartTransaction", start)) as { transactionId: number };
    const readings = random.below(4);
    for (let n = 0; n < readings; n++) {
      meter += random.below(5_000);
      const sampledValue = [random.chance(0.5) ? { value: String(meter) } : { value: String(meter / 1000), unit: "kWh" }];
      await voice.deliverSometime("MeterValues", { connectorId, transactionId, meterValue: [{ timestamp: tick(), sampledValue }] });
    }
    meter += random.below(1_000);
    if (random.chance(0.1)) await voice.boot();
    await voice.deliverSometime("StopTransaction", { transactionId, meterStop: meter, timestamp: tick() });
    return { transactionId, energyWh: meter - meterStart, readings };
  };
  const charged: Charged[] = [];
  await voice.boot();
  for (let i = 0; i < count; i++) {
    charged.push(await chargeOnce());
    done();
    if (random.chance(hasClock ? 0.1 : 0.5)) await voice.boot();
    if (random.chance(0.3)) await voice.deliverLate();
  }
  await voice.deliverLate();
  await voice.repeatAll();
  return charged;
}
