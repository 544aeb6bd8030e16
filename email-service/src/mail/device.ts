import type { Language } from "./language.ts";

/** What programs say of themselves, the more particular first: most name those that they want to be taken for, too. */
const programs = [
  [/\bEdg(?:e|A|iOS)?\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\b(?:Firefox|FxiOS)\//, "Firefox"],
  [/\b(?:Chrome|CriOS)\//, "Chrome"],
  [/\bSafari\//, "Safari"],
] as const;

const systems = [
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bAndroid\b/, "Android"],
  [/\bWindows\b/, "Windows"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bMac OS X\b/, "macOS"],
  [/\bLinux\b/, "Linux"],
] as const;

const on: Record<Language, (program: string, system: string) => string> = {
  en: (program, system) => `${program} on ${system}`,
  de: (program, system) => `${program} auf ${system}`,
};

/** What a program says of itself (User-Agent) in words: "Firefox on Linux". What no browser says stays as it is. */
export function deviceOf(userAgent: string, language: Language): string {
  const program = programs.find(([pattern]) => pattern.test(userAgent))?.[1];
  const system = systems.find(([pattern]) => pattern.test(userAgent))?.[1];
  return program === undefined || system === undefined ? userAgent : on[language](program, system);
}
