import type { HttpBody } from "@chargemesh/contracts/google/api/httpbody";
import { AppError } from "@chargemesh/kit/errors";
import { recipientById } from "../db/recipient.ts";
import type { Db, OptOutCategory } from "../db/schema.ts";
import { footerWords } from "../mail/footer.ts";
import { type Language, readLanguage } from "../mail/language.ts";
import type { Links } from "../mail/links.ts";
import type { Unsubscribing } from "../mail/unsubscribe-token.ts";

const texts: Record<
  Language,
  {
    title: string;
    mails: Record<OptOutCategory, string>;
    ask(mails: string): string;
    button: string;
    done(mails: string): string;
    others: string;
  }
> = {
  en: {
    title: "Unsubscribe",
    mails: {
      CHARGING: "mails about your charges, receipts included",
      RESERVATION: "mails about your reservations",
      OPERATION: "mails about the operation of chargers and webhooks",
    },
    ask: (mails) => `Shall we send you no more ${mails}?`,
    button: "Unsubscribe",
    done: (mails) => `Done. We send you no more ${mails}.`,
    others: "Other mails still come.",
  },
  de: {
    title: "Abbestellen",
    mails: {
      CHARGING: "E-Mails über Ihre Ladevorgänge mehr schicken, auch keine Belege",
      RESERVATION: "E-Mails über Ihre Reservierungen mehr schicken",
      OPERATION: "E-Mails über den Betrieb von Ladestationen und Webhooks mehr schicken",
    },
    ask: (mails) => `Sollen wir Ihnen keine ${mails}?`,
    button: "Abbestellen",
    done: (mails) => `Erledigt. Wir werden Ihnen keine ${mails}.`,
    others: "Andere E-Mails kommen weiterhin.",
  },
};

const STYLE =
  ":root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}main{max-width:30rem;margin:10vh auto;padding:0 1.25rem}" +
  "h1{font-size:1.5rem}button{padding:.5rem 1rem;font:inherit}";

/** Whose link it is that a token is from. NOT_FOUND if it is none of ours. */
export function readToken(links: Links, token: string): Unsubscribing {
  const unsubscribing = links.readUnsubscribeToken(token);
  if (unsubscribing === undefined) throw new AppError("notFound", "UNSUBSCRIBE_TOKEN_INVALID", "This is not a link of a mail of ours.");
  return unsubscribing;
}

/** The page of a link, before and after. It says nothing of who its reader is; its form goes to where the page is from. */
export async function unsubscribePage(
  { db, links }: { db: Db; links: Links },
  { userId, category }: Unsubscribing,
  isDone: boolean,
): Promise<HttpBody> {
  const language = readLanguage((await recipientById(db, userId))?.language ?? "");
  const { title, mails, ask, button, done, others } = texts[language];
  const content = isDone
    ? `<p>${done(mails[category])} ${others}</p><p><a href="${links.preferencesUrl}">${footerWords[language].preferences}</a></p>`
    : `<p>${ask(mails[category])}</p><form method="post"><button name="List-Unsubscribe" value="One-Click">${button}</button></form>`;
  const html = [
    `<!doctype html>\n<html lang="${language}">\n<head>\n<meta charset="utf-8">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="robots" content="noindex">',
    `<title>${title}</title>\n<style>${STYLE}</style>\n</head>\n<body>\n<main>\n<h1>${title}</h1>\n${content}\n</main>\n</body>\n</html>\n`,
  ].join("\n");
  return { contentType: "text/html; charset=utf-8", data: Buffer.from(html), extensions: [] };
}
