import type { Document } from "../document.ts";
import type { Language } from "../language.ts";

/** What a mail is about, by which people choose what they get. Mails about the account cannot be unsubscribed from. */
export type Category = "ACCOUNT" | "CHARGING" | "RESERVATION" | "OPERATION";

/** One kind of mail: what it is called and how it is written, in every language. */
export interface Template<T> {
  /** By which operators find its mails: "receipt". */
  readonly id: string;
  readonly category: Category;
  /** For operators: who gets it, and when. */
  readonly description: string;
  write(data: T, language: Language): Document;
  /** Data as they might be, for previews. */
  sample(language: Language): T;
  /** What is written of the sample. */
  preview(language: Language): Document;
}

export function defineTemplate<T>(template: Omit<Template<T>, "preview">): Template<T> {
  return { ...template, preview: (language) => template.write(template.sample(language), language) };
}
