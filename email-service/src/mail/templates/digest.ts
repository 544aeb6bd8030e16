import type { Document, Fact } from "../document.ts";
import { figures } from "../figures.ts";
import type { Language } from "../language.ts";
import { phrase } from "../phrases.ts";

/** Of more the HTML is larger than the 102 kB that Gmail shows of a mail. Nobody reads as many. */
const ITEMS_MAX = 40;

/** What became of a charger, from the first to the last time. */
export interface Course {
  chargerId: string;
  firstTime: Date;
  lastTime: Date;
  count: number;
  /** It is over. */
  isBack: boolean;
}

/** What a digest says in one language. */
export interface DigestWords {
  one: { subject(charger: string): string; what: string };
  several: { subject(chargers: string): string; what(chargers: string): string };
  first: string;
  last: string;
  count: string;
  now: string;
  isBack: string;
  isNotBack: string;
  advice: string;
  why: string;
}

const more: Record<Language, (chargers: number) => string> = {
  en: (chargers) =>
    chargers === 1 ? "One more charger is not listed here." : `${figures.en.count(chargers)} more chargers are not listed here.`,
  de: (chargers) =>
    chargers === 1
      ? "Eine weitere Ladestation ist hier nicht aufgeführt."
      : `${figures.de.count(chargers)} weitere Ladestationen sind hier nicht aufgeführt.`,
};

/** Tells an operator of what happened to several chargers. `factsOf` says what else is known of one. */
export function digest<C extends Course>(
  { username, chargers }: { username: string; chargers: readonly C[] },
  words: DigestWords,
  factsOf: (charger: C) => readonly Fact[],
  language: Language,
): Document {
  const { time, count } = figures[language];
  const shown = chargers.slice(0, ITEMS_MAX);
  const left = chargers.length - shown.length;
  const [first] = chargers;
  const { subject, what } =
    chargers.length === 1 && first !== undefined
      ? { subject: words.one.subject(first.chargerId), what: words.one.what }
      : { subject: words.several.subject(count(chargers.length)), what: words.several.what(count(chargers.length)) };
  return {
    subject,
    preview: what,
    blocks: [
      phrase[language].hello(username),
      what,
      {
        items: shown.map((charger) => ({
          name: charger.chargerId,
          facts: [
            ...factsOf(charger),
            [words.first, time(charger.firstTime)],
            ...(charger.count === 1
              ? []
              : ([
                  [words.last, time(charger.lastTime)],
                  [words.count, count(charger.count)],
                ] as const)),
            [words.now, charger.isBack ? words.isBack : words.isNotBack],
          ],
        })),
      },
      ...(left === 0 ? [] : [more[language](left)]),
      words.advice,
    ],
    why: words.why,
  };
}
