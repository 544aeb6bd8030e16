import type { Document } from "../document.ts";
import { figures } from "../figures.ts";
import type { Language } from "../language.ts";
import { phrase } from "../phrases.ts";
import { defineTemplate } from "./template.ts";

/** A link that somebody may follow once, to do what only they can. It is put in when the mail is sent. */
export interface AccountLink {
  username: string;
  expireTime: Date | undefined;
}

/** What a mail with such a link says. */
export interface LinkWords {
  subject: string;
  what: string;
  linkTo: string;
  ifNotYou: string;
  why: string;
}

const once: Record<Language, (until: string | undefined) => string> = {
  en: (until) => `The link is good once${until === undefined ? "" : `, until ${until}`}. Give it to nobody.`,
  de: (until) => `Der Link gilt einmal${until === undefined ? "" : `, bis zum ${until}`}. Geben Sie ihn niemandem weiter.`,
};

/** A mail whose purpose is a link. */
export function defineLinkTemplate(id: string, description: string, texts: Record<Language, LinkWords>) {
  return defineTemplate<AccountLink>({
    id,
    category: "ACCOUNT",
    description,
    write({ username, expireTime }, language): Document {
      const { subject, what, linkTo, ifNotYou, why } = texts[language];
      const until = expireTime === undefined ? undefined : figures[language].minute(expireTime);
      return {
        subject,
        preview: what,
        blocks: [phrase[language].hello(username), what, { linkTo }, once[language](until), ifNotYou],
        why,
      };
    },
    sample: () => ({ username: "ada", expireTime: new Date("2026-11-04T17:05:00Z") }),
  });
}
