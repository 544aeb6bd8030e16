import type { Language } from "./language.ts";

/** What several mails say. */
export const phrase: Record<Language, { hello(name: string): string; unknown: string }> = {
  en: { hello: (name) => `Hello ${name},`, unknown: "unknown" },
  de: { hello: (name) => `Guten Tag ${name},`, unknown: "unbekannt" },
};
