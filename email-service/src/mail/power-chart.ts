import type { Chart } from "./document.ts";
import { figures } from "./figures.ts";
import type { Language } from "./language.ts";

/** How much power flowed at a time, by the charger's clock, in W. */
export interface PowerSample {
  time: Date;
  powerW: number;
}

/** As many as are still bars on a telephone. */
const BARS = 30;

const texts = {
  en: {
    title: "Power over time",
    words: (top: string, at: string, end: string) => `At most ${top}, at ${at}; ${end} at the end.`,
  },
  de: {
    title: "Leistung im Verlauf",
    words: (top: string, at: string, end: string) => `Höchstens ${top}, um ${at}; am Ende ${end}.`,
  },
};

/** The course of power as a chart; undefined if there is too little to draw, or if nothing flowed. Samples are oldest first. */
export function powerChart(samples: readonly PowerSample[], language: Language): Chart | undefined {
  const known = samples.filter(({ time, powerW }) => Number.isFinite(powerW) && !Number.isNaN(time.getTime()));
  const [first, last] = [known[0], known.at(-1)];
  if (first === undefined || last === undefined || last.time <= first.time) return undefined;
  const highest = known.reduce((one, other) => (other.powerW > one.powerW ? other : one));
  if (highest.powerW <= 0) return undefined;
  const powers = resample(known, first.time.getTime(), last.time.getTime());
  const { power, clock } = figures[language];
  const { title, words } = texts[language];
  return {
    title,
    words: words(power(highest.powerW), clock(highest.time), power(last.powerW)),
    bars: powers.map((one) => Math.min(1, Math.max(0, one / highest.powerW))),
    top: power(highest.powerW),
    from: clock(first.time),
    to: clock(last.time),
  };
}

/** The power in the middle of each of equal stretches of time, on the lines between the samples. */
function resample(samples: readonly PowerSample[], from: number, to: number): number[] {
  const points = samples.map(({ time, powerW }) => ({ at: time.getTime(), powerW }));
  return Array.from({ length: BARS }, (_, i) => {
    const at = from + ((i + 0.5) * (to - from)) / BARS;
    const after = points.findIndex((point) => point.at >= at);
    const [left, right] = [points[after - 1], points[after]];
    if (right === undefined) return points.at(-1)?.powerW ?? 0;
    if (left === undefined || right.at === left.at) return right.powerW;
    return left.powerW + ((right.powerW - left.powerW) * (at - left.at)) / (right.at - left.at);
  });
}
