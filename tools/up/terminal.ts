import { styleText } from "node:util";

/** Where progress and trouble are shown: a person's terminal or a log of CI. One line each, nothing is overwritten. */
export type Terminal = {
  line(text?: string): void;
  /** A fact under a name, aligned with the others. */
  fact(name: string, text: string): void;
  /** Something of `name` that needs attention. */
  warn(name: string, text: string): void;
  /** Does a piece of work, and says what came of it and how long it took. */
  step<T>(name: string, work: () => Promise<T>, say: (result: T) => string): Promise<T>;
};

const NAME_WIDTH = 18;
const TEXT_WIDTH = 44;

export function openTerminal(out: NodeJS.WriteStream): Terminal {
  // Whoever read us may be gone before us; that is no reason to leave what we started behind.
  out.on("error", () => undefined);
  const line = (text = ""): void => void out.write(`${text}\n`);
  const dim = (text: string): string => styleText("dim", text, { stream: out });
  return {
    line,
    fact: (name, text) => line(`  ${name.padEnd(NAME_WIDTH)}${text}`),
    warn: (name, text) => line(`  ${styleText("yellow", name.padEnd(NAME_WIDTH), { stream: out })}${text}`),
    async step(name, work, say) {
      const start = performance.now();
      const result = await work();
      line(`  ${name.padEnd(NAME_WIDTH)}${say(result).padEnd(TEXT_WIDTH)}${dim(seconds(performance.now() - start).padStart(8))}`);
      return result;
    },
  };
}

/** Milliseconds as people say them. */
export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
