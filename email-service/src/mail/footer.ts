import type { Language } from "./language.ts";

/** The links under a mail that one can do without. */
export const footerWords: Record<Language, { unsubscribe: string; preferences: string }> = {
  en: { unsubscribe: "Do not send me such mails any more", preferences: "Choose which mails you get" },
  de: { unsubscribe: "Solche E-Mails nicht mehr schicken", preferences: "Auswählen, welche E-Mails Sie bekommen" },
};
