import { toHtml } from "./document-html.ts";
import { toText } from "./document-text.ts";
import type { Language } from "./language.ts";
import { subjectOf } from "./one-line.ts";

/** A label and what it stands before. */
export type Fact = readonly [label: string, value: string];

/** A button. Without a `url` it leads to a link that is known only when the mail is sent. */
export interface LinkTo {
  linkTo: string;
  url?: string;
}

/** What stands in the place of a link until then, and wherever people other than the recipient read the mail. No name has a blank in it. */
export const LINK_MARK = "[a link that only the recipient sees]";

/** A heading within the mail. */
export interface Heading {
  heading: string;
}

/** Sentences, one under the other. */
export interface List {
  list: readonly string[];
}

/** Things of one kind, each with a name and what is known of it. */
export interface Items {
  items: readonly { name: string; facts: readonly Fact[] }[];
}

/** Bars beside each other, over time. */
export interface Chart {
  /** What it shows, with its unit. */
  title: string;
  /** The same in words, for who cannot see it. */
  words: string;
  /** The height of each bar, 0 to 1, from the first to the last. */
  bars: readonly number[];
  /** What a bar of height 1 stands for. */
  top: string;
  /** Where the first bar begins and the last one ends. */
  from: string;
  to: string;
}

/** A part of a mail; a string is a paragraph. */
export type Block = string | readonly Fact[] | LinkTo | Heading | List | Items | { chart: Chart };

/** What a mail says, in no language of markup. Templates make it; text and HTML are made from it. */
export interface Document {
  /** Also the heading of the mail. */
  subject: string;
  /** What mail programs show beside the subject in a list of mails. */
  preview: string;
  blocks: readonly Block[];
  /** Why its reader gets it; the last words. */
  why: string;
}

/** A document as it is sent. */
export interface Content {
  /** One line. */
  subject: string;
  text: string;
  html: string;
}

/** In which language a document is written, and where its reader may say that they want no more such mails, or which ones. */
export interface Rendering {
  language: Language;
  unsubscribeUrl?: string | undefined;
  preferencesUrl?: string | undefined;
}

export function render(document: Document, rendering: Rendering): Content {
  return { subject: subjectOf(document), text: toText(document, rendering), html: toHtml(document, rendering) };
}
