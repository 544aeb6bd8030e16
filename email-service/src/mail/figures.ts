import type { Language } from "./language.ts";

/** The English that writes days before months, as most of the world does. */
const locales: Record<Language, string> = { en: "en-GB", de: "de-DE" };

/** Writes numbers, times and durations as one does in a language. */
export interface Figures {
  /** "3 November 2026 at 17:05:09 UTC" */
  time(date: Date): string;
  /** "3 November 2026 at 17:05 UTC" */
  minute(date: Date): string;
  /** "17:05 UTC" */
  clock(date: Date): string;
  /** "12.346 kWh", from Wh, to the watt-hour. */
  energy(wattHours: number): string;
  /** "11.0 kW", from W. */
  power(watts: number): string;
  /** "1 hour, 2 minutes and 3 seconds", without what is zero. */
  duration(ms: number): string;
  /** "4" */
  count(number: number): string;
  /** "A, B and C" */
  list(words: readonly string[]): string;
}

function makeFigures(locale: string): Figures {
  const seconds = new Intl.DateTimeFormat(locale, { dateStyle: "long", timeStyle: "medium", timeZone: "UTC" });
  const minutes = new Intl.DateTimeFormat(locale, { dateStyle: "long", timeStyle: "short", timeZone: "UTC" });
  const clock = new Intl.DateTimeFormat(locale, { timeStyle: "short", timeZone: "UTC" });
  const energy = new Intl.NumberFormat(locale, { minimumFractionDigits: 3, maximumFractionDigits: 3 });
  const power = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const duration = new Intl.DurationFormat(locale, { style: "long", secondsDisplay: "always" });
  const list = new Intl.ListFormat(locale, { type: "conjunction" });
  return {
    time: (date) => `${seconds.format(date)} UTC`,
    minute: (date) => `${minutes.format(date)} UTC`,
    clock: (date) => `${clock.format(date)} UTC`,
    energy: (wattHours) => `${energy.format(Math.round(wattHours) / 1000)} kWh`,
    power: (watts) => `${power.format(watts / 1000)} kW`,
    duration(ms) {
      const all = Math.round(ms / 1000);
      return duration.format({ hours: Math.floor(all / 3600), minutes: Math.floor(all / 60) % 60, seconds: all % 60 });
    },
    count: (number) => whole.format(number),
    list: (words) => list.format(words),
  };
}

export const figures: Record<Language, Figures> = { en: makeFigures(locales.en), de: makeFigures(locales.de) };
