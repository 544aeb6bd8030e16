import { makeCharger, switchOff } from "./charger.ts";
import { endLife, follow, makeLife } from "./drivers.ts";
import { connect, endAll, whenIdle } from "./lifecycle.ts";
import { seededRandom } from "./random.ts";
import type { Backoff, Charger, ChargerEvent, ChargerOptions } from "./state.ts";
import { systemTime, type Time } from "./time.ts";

/** One charger of a fleet. */
export type Member = Pick<ChargerOptions, "url" | "id" | "password" | "model" | "configuration">;

export interface FleetOptions {
  readonly chargers: readonly Member[];
  /** The id tokens of the drivers. Nobody comes where all of them are in use. */
  readonly tokens: readonly string[];
  /** Decides what is left to chance, for all of them. */
  readonly seed: string;
  /** How many times faster than the clock vehicles charge and drivers live. */
  readonly speed?: number;
  readonly time?: Time;
  /** How long after one charger the next connects for the first time, in ms. */
  readonly staggerMs?: number;
  readonly reconnect?: Backoff;
  /** Is told everything that happens, at once. It must not throw. */
  readonly onEvent?: (charger: Charger, event: ChargerEvent) => void;
}

export interface Fleet {
  readonly chargers: readonly Charger[];
  /** Ends what charges, gives the CSMS a second to hear of it, and switches all of them off. */
  stop(): Promise<void>;
}

const RECONNECT: Backoff = { minMs: 1_000, maxMs: 30_000 };
const STAGGER_MS = 100;
const LAST_WORDS_MS = 1_000;

/** Many chargers, each with a life of its own that the seed decides: drivers, faults, lost connections. */
export function runFleet(options: FleetOptions): Fleet {
  const { seed, time = systemTime, speed = 1, reconnect = RECONNECT, staggerMs = STAGGER_MS } = options;
  const pockets = { free: [...options.tokens] };
  const lives = options.chargers.map((member) => {
    const onEvent = (charger: Charger, event: ChargerEvent): void => {
      follow(life, event);
      options.onEvent?.(charger, event);
    };
    const charger = makeCharger({ ...member, seed: `${seed} ${member.id}`, time, speed, reconnect, onEvent });
    const life = makeLife(charger, seededRandom(`${seed} ${member.id} life`), pockets);
    return life;
  });
  const chargers = lives.map(({ charger }) => charger);
  for (const [i, charger] of chargers.entries()) charger.nextDial = time.after(i * staggerMs, () => connect(charger));
  return {
    chargers,
    async stop() {
      for (const life of lives) endLife(life);
      await lastWords(chargers, time);
      await Promise.all(chargers.map(switchOff));
    },
  };
}

/** A charger that loses its power still says so. Who is offline cannot. */
async function lastWords(chargers: readonly Charger[], time: Time): Promise<void> {
  const said = chargers
    .filter(({ link }) => link.isOpen)
    .map((charger) => {
      endAll(charger, "PowerLoss");
      return new Promise<void>((resolve) => whenIdle(charger, resolve));
    });
  let cancel = (): void => {};
  const enough = new Promise<void>((resolve) => {
    cancel = time.after(LAST_WORDS_MS, resolve);
  });
  await Promise.race([Promise.all(said), enough]);
  cancel();
}
